/** Converts a thrown value to an `Error`: callbacks of the page may throw and reject with any value. */
export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
