import {describe, expect, it} from 'vitest';
import {isOwnBlob, isSafeImage, isSafeLink, parseDeeplink} from './links.js';

const BASE = 'https://app.example/chat';

describe('links', () => {
  it.each([
    'java\nscript:alert(1)',
    ' javascript:x',
    '\u0001javascript:x',
    'java\u200bscript:x',
    'javascript&colon;x',
    'javascript%3Ax',
    'javascript&#58;x',
    '&#x6A;avascript:x',
    'blob:x',
    'ftp://x',
  ])('refuses %j', url => {
    expect(isSafeLink(url)).toBe(false);
  });

  it.each(['https://x.example', 'HTTP://X', '//x.example/a', 'a/b?c=d:e', '#x', 'a?b&#38;', 'mailto:a@b.example'])(
    'takes %j',
    url => {
      expect(isSafeLink(url)).toBe(true);
    },
  );

  it('reads deeplinks, and only those', () => {
    expect(parseDeeplink('chatkit-link://order/7?from=chat&n=1')).toEqual({
      name: 'order/7',
      data: {from: 'chat', n: '1'},
    });
    expect(parseDeeplink('chatkit-link://100%')).toEqual({name: '100%', data: {}});
    expect(parseDeeplink('https://chatkit-link.example')).toBeUndefined();
  });
});

describe('images', () => {
  it('may come from anywhere until the thread names hosts, and then from these and our own', () => {
    expect(isSafeImage('https://a.example/x', undefined, BASE)).toBe(true);
    expect(isSafeImage('https://a.example/x', [], BASE)).toBe(false);
    expect(isSafeImage('/x.png', [], BASE)).toBe(true);
    expect(isSafeImage('https://A.example:8443/x', ['a.example'], BASE)).toBe(true);
  });

  it('cannot get around the list of hosts', () => {
    for (const url of [
      '//evil.example/x',
      '/\\evil.example/x',
      '\\\\evil.example/x',
      'https:\\\\evil.example/x',
      'https://a.example@evil.example/x',
      'https://a.example:443@evil.example/x',
      'https://a.example%2f@evil.example/x',
      'https://sub.a.example/x',
      'https://a.example.evil.example/x',
      'https://a.example./x',
      'https://evil.example/a.example',
      'h\nttps://evil.example/x',
    ]) {
      expect(isSafeImage(url, ['a.example'], BASE), url).toBe(false);
    }
    for (const url of ['//a.example/x', 'https://A.EXAMPLE/x', 'https://a.example:443/x', 'relative.png']) {
      expect(isSafeImage(url, ['a.example'], BASE), url).toBe(true);
    }
  });

  it.each([
    [
      '*.a.example',
      ['https://x.a.example/p', 'http://x.y.a.example:81/p'],
      ['https://a.example/p', 'https://xa.example'],
    ],
    ['https://a.example', ['https://a.example/p'], ['http://a.example/p', 'https://a.example:8443/p']],
    ['a.example:8443', ['https://a.example:8443/p', 'http://a.example:8443/p'], ['https://a.example/p']],
    ['http://a.example:81/', ['http://a.example:81/p'], ['https://a.example:81/p', 'http://a.example/p']],
    ['bücher.example', ['https://xn--bcher-kva.example/p', 'https://BÜCHER.example/p'], ['https://bucher.example/p']],
    ['*', ['https://anything.example/p', 'http://127.0.0.1:1/p'], ['ftp://a.example/p', 'https://u@a.example/p']],
    ['*.*', [], ['https://a.example/p']],
    ['', [], ['https://a.example/p']],
    ['https://', [], ['https://a.example/p']],
    ['a.example/path', [], ['https://a.example/path']],
  ])('come from where %s says', (domain, allowed, refused) => {
    for (const url of allowed) expect(isSafeImage(url, [domain], BASE), url).toBe(true);
    for (const url of refused) expect(isSafeImage(url, [domain], BASE), url).toBe(false);
  });

  it('in memory are of this page only', () => {
    expect(isOwnBlob(`blob:${location.origin}/1`)).toBe(true);
    expect(isOwnBlob('blob:https://evil.example/1')).toBe(false);
  });

  it('carry neither scripts nor credentials', () => {
    for (const url of [
      'javascript:x',
      'javascript&colon;x',
      'javascript%3Ax',
      'data:text/html,x',
      'https://u:p@a.example/x',
      'file:///x',
      'http://',
    ]) {
      expect(isSafeImage(url, undefined, BASE)).toBe(false);
    }
    expect(isSafeImage('data:image/png;base64,AA', undefined, BASE)).toBe(true);
  });
});
