/** Anything that was thrown, as an `Error`: pages and servers may throw and reject with any value. */
export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
