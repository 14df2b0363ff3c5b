import {describe, expect, it} from 'vitest';
import {boundLengths, ratioOf} from './lengths.js';

describe('a length', () => {
  it.each([
    'auto',
    'none',
    'max-content',
    '0',
    '12px',
    '-64px',
    '4000px',
    '50%',
    '100vh',
    '1.5rem',
    '8px 16px',
    '1 1 0%',
  ])('that is none too long stays as it is: %s', length => expect(boundLengths(length)).toBe(length));

  it.each([
    ['5000px', '4000px'],
    ['5e3px', '4000px'],
    ['+99999PX', '4000px'],
    ['-5000px', '-64px'],
    ['1px 1e9px', '1px 4000px'],
    ['99999rem', 'clamp(-64px, 99999rem, 4000px)'],
    ['1000%', 'clamp(-64px, 1000%, 4000px)'],
    ['-100vh', 'clamp(-64px, -100vh, 4000px)'],
    ['200in', 'clamp(-64px, 200in, 4000px)'],
    ['1e5Q', 'clamp(-64px, 1e5Q, 4000px)'],
    ['calc(1px * 1e9)', 'clamp(-64px, calc(1px * 1e9), 4000px)'],
    ['calc(1px + (2px * 9)) 3px', 'clamp(-64px, calc(1px + (2px * 9)), 4000px) 3px'],
    ['max(5000px, 1px)', 'clamp(-64px, max(5000px, 1px), 4000px)'],
    ['var(--chatkit-space)', 'clamp(-64px, var(--chatkit-space), 4000px)'],
  ])('is bounded in any unit and notation: %s', (length, bounded) => expect(boundLengths(length)).toBe(bounded));

  it.each([
    'fit-content(99999px)',
    'minmax(1px, 99999px)',
    '5000px,1px',
    'calc(1px)5000px',
    '1px/5000px',
    '1px)5000px(',
    '#fff',
  ])('is nothing else: %s', length => expect(boundLengths(length)).toBeUndefined());
});

it('a ratio makes nothing taller than the longest length, or as flat', () => {
  for (const ratio of [1.5, '16/9', '4 / 3', '1', 'auto']) expect(ratioOf(ratio)).toBe(String(ratio));
  expect(ratioOf(0.00001)).toBe('0.2');
  expect(ratioOf('1/100000')).toBe('0.2');
  expect(ratioOf('100000/1')).toBe('20');
  for (const ratio of [0, -1, '1/0', '0/0', 'wide', 'calc(1)', null, {}, Number.NaN])
    expect(ratioOf(ratio)).toBeUndefined();
});
