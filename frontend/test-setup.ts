/** What every test file begins with. */
import {vi} from 'vitest';

const PATIENCE_MS = 15_000;

// A bound, and no more, for what holds is seen at once: a busy machine needs longer than the second that is usual.
const {waitFor} = vi;
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === 'number' ? options : {timeout: PATIENCE_MS, ...options});
