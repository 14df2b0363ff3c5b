import {describe, expect, test} from 'vitest';
import {mayMatch} from './patterns.js';

describe('a pattern', () => {
  test.each([
    ['[A-Z]{2}-\\d{3}', 'AB-123', 'AB-12'],
    ['\\s*\\S.{0,199}', 'milk', '   '],
    ['[^@]+@[^@]+', 'a@b', 'ab'],
    ['\\+?[0-9 ]+', '+41 79', 'no'],
    ['a|b', 'b', 'c'],
    ['(?:yes|no)', 'yes', 'maybe'],
    ['[\\(*+]+', '(+*', 'a'],
    ['\\(\\d+\\)', '(12)', '12'],
  ])('%s takes %s and not %s', (pattern, right, wrong) => {
    expect(mayMatch(pattern, right)).toBe(true);
    expect(mayMatch(pattern, wrong)).toBe(false);
  });

  test.each(['(', '[', '\\p{Nothing}', 'a{2,1}'])('that is none, %s, constrains nothing', pattern => {
    expect(mayMatch(pattern, 'anything')).toBe(true);
  });

  test.each([
    ['(a+)+$', 40],
    ['(a|a)*$', 40],
    ['(a|ab)*c', 40],
    ['(a?){40}a{40}', 40],
    ['((a)*)*b', 40],
    ['(?:a*)*b', 40],
    ['(?=(a+)+b)a', 40],
    [`${'a?'.repeat(40)}${'a'.repeat(40)}`, 40],
    ['(.*)*x', 40],
    ['([a-z]+)*\\d', 40],
    ['(a{1,30}){1,30}b', 40],
    ['.*.*.*.*.*x', 3000],
    ['a*a*a*a*a*a*b', 200],
    ['(a+)\\1*b', 3000],
    ['(a\\|a+)+b', 40],
    ['([)]a|a+)+b', 40],
    ['.*x', 900_000],
  ])('that may take for ever, %s, is left to the server', (pattern, length) => {
    const started = performance.now();
    mayMatch(pattern, 'a'.repeat(length));
    // A bound for a busy machine; each of them would take minutes.
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
