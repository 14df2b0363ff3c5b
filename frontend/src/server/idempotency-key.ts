/** Idempotency keys: a server that gets a request twice under one key carries it out once. */

/** A fresh key. Not `crypto.randomUUID`: browsers have that on https and on this machine only. */
export function createIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
}
