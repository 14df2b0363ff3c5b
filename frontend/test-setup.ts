/** Setup that runs before every test file. */
import {vi} from 'vitest';

const WAIT_TIMEOUT_MS = 15_000;

// Only an upper limit: a busy machine may need longer than the default of a second.
const {waitFor} = vi;
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === 'number' ? options : {timeout: WAIT_TIMEOUT_MS, ...options});
