import {afterEach, describe, expect, it, vi} from 'vitest';
import {createIdempotencyKey} from './idempotency-key.js';

afterEach(() => vi.unstubAllGlobals());

describe('a key', () => {
  it('is another one each time, within the bounds of servers', () => {
    const keys = new Set(Array.from({length: 100}, createIdempotencyKey));
    expect(keys.size).toBe(100);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
  });

  it('needs nothing that browsers keep from pages on plain http', () => {
    vi.stubGlobal('crypto', {getRandomValues: (bytes: Uint8Array) => bytes.fill(10)});
    expect(createIdempotencyKey()).toBe('0a'.repeat(16));
  });
});
