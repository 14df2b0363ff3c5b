import {describe, expect, it} from 'vitest';
import {
  formatBytes,
  maxBytesFor,
  mimeTypeOf,
  readUploadRules,
  sortFiles,
  toAcceptAttribute,
  type UploadRules,
} from './upload-rules.js';

const rules = (option: Record<string, unknown> = {}): UploadRules => {
  const read = readUploadRules({enabled: true, ...option});
  if (!read) throw new Error('off');
  return read;
};
const file = (name: string, type: string, size = 1) => new File(['x'.repeat(size)], name, {type});
const names = (files: readonly File[]) => files.map(({name}) => name);

describe('rules', () => {
  it.each([undefined, null, {}, {enabled: false}, {enabled: 'yes'}])('are off for %j', option => {
    expect(readUploadRules(option)).toBeUndefined();
  });

  it('have the documented defaults, also in place of nonsense', () => {
    const defaults = {maxSize: 100 * 1024 * 1024, maxCount: 10, mimePatterns: [], extensions: []};
    expect(rules()).toEqual(defaults);
    expect(rules({maxSize: 'big', maxCount: -1, accept: 7})).toEqual(defaults);
  });

  it('give the file dialog types and extensions, with or without dots, and nothing when everything goes', () => {
    expect(toAcceptAttribute(rules({accept: {'image/*': ['.PNG'], 'text/csv': ['csv']}}))).toBe(
      'image/*,text/csv,.png,.csv',
    );
    expect(toAcceptAttribute(rules({accept: {'*/*': ['.txt']}}))).toBe('');
  });
});

describe('the largest size', () => {
  it.each([
    ['image/png', {'image/png': 1, 'image/*': 2, '*': 3}, 1],
    ['image/gif', {'*': 3, 'image/*': 2, 'image/png': 1}, 2],
    ['image/png; q=1', {'image/png': 1}, 1],
    ['text/plain', {'image/*': 2, '*': 3}, 3],
    ['text/plain', {'': 4}, 4],
    ['text/plain', {'*/*': 5}, 5],
    ['text/plain', {'image/*': 2}, 100 * 1024 * 1024],
    ['text/plain', 6, 6],
    ['constructor', {}, 100 * 1024 * 1024],
  ])('of %s under %j is %i', (type, limits, bytes) => {
    expect(maxBytesFor(type, limits)).toBe(bytes);
  });
});

describe('files', () => {
  it('are taken by type or by extension; the others are named, and stop nobody', () => {
    const accept = {'image/*': [], 'application/pdf': ['.pdf']};
    const chosen = [file('a.PNG', 'image/png'), file('b.exe', 'application/x-msdownload'), file('c.PDF', '')];
    const {accepted, problems} = sortFiles(chosen, rules({accept}), 0);
    expect(names(accepted)).toEqual(['a.PNG', 'c.PDF']);
    expect(problems).toEqual(['“b.exe” is of a type that is not accepted.']);
  });

  it('that are too large or too many are left out, with the limit in words', () => {
    const chosen = [file('a', '', 11), file('b', '', 10), file('c', ''), file('d', '')];
    const {accepted, problems} = sortFiles(chosen, rules({maxSize: 10, maxCount: 3}), 1);
    expect(names(accepted)).toEqual(['b', 'c']);
    expect(problems).toEqual(['“a” is larger than 10 B.', 'At most 3 files can be attached to a message.']);
  });

  it('may be empty', () => {
    expect(sortFiles([new File([], 'empty.txt')], rules(), 0).accepted).toHaveLength(1);
  });

  it.each([
    ['photo.JPG', '', 'image/jpeg'],
    ['Ünïcode "x".csv', '', 'text/csv'],
    ['Makefile', '', 'application/octet-stream'],
    ['x.png', 'Image/WebP', 'image/webp'],
  ])('named %s of type %j are %s', (name, type, mimeType) => {
    expect(mimeTypeOf({name, type})).toBe(mimeType);
  });
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KB'],
  [20 * 1024 * 1024, '20 MB'],
  [5 * 1024 ** 4, '5120 GB'],
])('%i bytes read %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
