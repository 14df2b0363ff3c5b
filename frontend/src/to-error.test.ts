import {expect, it} from 'vitest';

import {toError} from './to-error.js';

it('keeps an error, and says what else was thrown', () => {
  const failure = new TypeError('no');
  expect(toError(failure)).toBe(failure);
  expect(toError('late').message).toBe('late');
  expect(toError(undefined).message).toBe('undefined');
  expect(toError({toString: () => 'mine'}).message).toBe('mine');
});
