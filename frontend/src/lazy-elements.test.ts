import {LitElement} from 'lit';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {LazyElements} from './lazy-elements.js';

class Dummy extends LitElement {}
afterEach(() => vi.restoreAllMocks());

describe('lazy elements', () => {
  it('are fetched once, and everybody who asked is drawn again when they are there', async () => {
    const fetch = vi.fn(async () => ({element: class extends Dummy {}}));
    const elements = new LazyElements({'x-once': fetch});
    const hosts = [{requestUpdate: vi.fn()}, {requestUpdate: vi.fn()}];
    for (const host of hosts) expect(elements.demand('x-once', host)).toBe('loading');
    for (const host of hosts) expect(elements.demand('x-once', host)).toBe('loading');
    await vi.waitFor(() => expect(elements.demand('x-once', hosts[0] as never)).toBe('ready'));
    for (const host of hosts) expect(host.requestUpdate).toHaveBeenCalledTimes(1);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('that do not come are said to be missing, and fetched again when somebody asks for that', async () => {
    let now = 0;
    let fails = true;
    const elements = new LazyElements(
      {
        'x-missing': async () => {
          if (fails) throw new Error('offline');
          return {element: class extends Dummy {}};
        },
      },
      {now: () => now},
    );
    const host = {requestUpdate: vi.fn()};
    elements.demand('x-missing', host);
    await vi.waitFor(() => expect(elements.demand('x-missing', host)).toBe('missing'));
    expect(host.requestUpdate).toHaveBeenCalledTimes(1);
    fails = false;
    now += 60_000;
    elements.retry('x-missing', host);
    expect(elements.demand('x-missing', host)).toBe('loading');
    await vi.waitFor(() => expect(elements.demand('x-missing', host)).toBe('ready'));
  });
});
