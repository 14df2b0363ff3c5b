/** Idempotency keys: a server that receives a request twice with the same key executes it once. */

/** Creates a random key. Not by `crypto.randomUUID`, which browsers offer in secure contexts only. */
export function createIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
}
