import {describe, expect, it} from 'vitest';
import {fetchPart, LazyPart} from './lazy-parts.js';

describe('a lazy part', () => {
  it('is fetched once, however often it is asked for', async () => {
    let fetched = 0;
    const part = new LazyPart(async () => {
      fetched += 1;
      return 'there';
    });
    expect(part.value).toBeUndefined();
    expect(await Promise.all([part.load(), part.load()])).toEqual(['there', 'there']);
    expect(await part.load()).toBe('there');
    expect(part.value).toBe('there');
    expect(fetched).toBe(1);
  });

  it('is fetched again after a failure, but not at once and not for ever', async () => {
    let now = 0;
    const attempts: number[] = [];
    const part = new LazyPart<string>(
      async attempt => {
        attempts.push(attempt);
        throw new Error('offline');
      },
      {now: () => now},
    );
    expect(await part.load()).toBeUndefined();
    expect(await part.load()).toBeUndefined();
    expect(attempts).toEqual([1]);
    for (let minutes = 1; minutes < 60; minutes += 1) {
      now += 60_000;
      await part.load();
    }
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
  });

  it('that was not built is a failure like any other', async () => {
    await expect(fetchPart('math', 1)).rejects.toThrow('math');
  });
});
