import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {type Suggestion, SuggestionSearch, type SuggestionSource} from './composer-suggestions.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const suggest = (label: string, group?: string): Suggestion => ({
  key: label,
  label,
  description: undefined,
  icon: undefined,
  group,
  choose: async () => ({type: 'clear'}),
});

function start(search: SuggestionSource['search']) {
  const errors: string[] = [];
  const searching = new SuggestionSearch({changed: () => {}, failed: error => errors.push(error.message)});
  const source: SuggestionSource = {character: '@', label: 'L', emptyText: 'none', delayMs: 150, search};
  const labels = () => searching.state?.suggestions.map(({label}) => label);
  return {searching, source, errors, labels};
}

describe('a search', () => {
  it('is asked once for a word typed without a pause, and at once for none', async () => {
    const asked: string[] = [];
    const {searching, source} = start(async query => {
      asked.push(query);
      return [];
    });
    searching.ask(source, '');
    await vi.advanceTimersByTimeAsync(0);
    for (const query of ['a', 'ad', 'ada']) {
      searching.ask(source, query);
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(50);
    expect(asked).toEqual(['', 'ada']);
  });

  it('drops an answer that comes after a newer question', async () => {
    const answers = new Map<string, (found: readonly Suggestion[]) => void>();
    const {searching, source, labels} = start(query => new Promise(resolve => answers.set(query, resolve)));
    searching.ask(source, 'a');
    await vi.advanceTimersByTimeAsync(150);
    searching.ask(source, 'ab');
    await vi.advanceTimersByTimeAsync(150);
    answers.get('ab')?.([suggest('new')]);
    await vi.advanceTimersByTimeAsync(0);
    answers.get('a')?.([suggest('old')]);
    await vi.advanceTimersByTimeAsync(0);
    expect(labels()).toEqual(['new']);
  });

  it('shows nothing after it was closed, whatever still comes', async () => {
    const {searching, source} = start(async () => [suggest('late')]);
    searching.ask(source, '');
    searching.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(searching.state).toBeUndefined();
  });

  it('that fails or never ends is reported and shows an empty list', async () => {
    const {searching, source, errors} = start(query =>
      query ? Promise.reject(new Error('down')) : new Promise(() => {}),
    );
    searching.ask(source, 'x');
    await vi.advanceTimersByTimeAsync(150);
    expect(searching.state).toMatchObject({status: 'failed', suggestions: [], active: -1});
    searching.ask(source, '');
    await vi.advanceTimersByTimeAsync(15_000);
    expect(searching.state?.status).toBe('failed');
    expect(errors).toEqual(['down', 'The search took too long.']);
  });
});

describe('suggestions', () => {
  it('stand together by group, in the order of the groups', async () => {
    const {searching, source, labels} = start(async () => [
      suggest('a', 'X'),
      suggest('b', 'Y'),
      suggest('c', 'X'),
      suggest('d'),
    ]);
    searching.ask(source, '');
    await vi.advanceTimersByTimeAsync(0);
    expect(labels()).toEqual(['a', 'c', 'b', 'd']);
  });

  it('are walked through in a circle', async () => {
    const {searching, source} = start(async () => [suggest('a'), suggest('b')]);
    searching.ask(source, '');
    await vi.advanceTimersByTimeAsync(0);
    searching.move(-1);
    expect(searching.active?.label).toBe('b');
    searching.move(1);
    expect(searching.active?.label).toBe('a');
  });

  it('of a nested level are filtered without asking the page, until the list closes', async () => {
    const search = vi.fn(async () => [suggest('top')]);
    const {searching, source, labels} = start(search);
    searching.ask(source, '');
    await vi.advanceTimersByTimeAsync(0);
    searching.descend([suggest('Ada'), suggest('Alan')]);
    searching.ask(source, 'al');
    await vi.advanceTimersByTimeAsync(1000);
    expect(labels()).toEqual(['Alan']);
    searching.close();
    searching.ask(source, '');
    await vi.advanceTimersByTimeAsync(0);
    expect(labels()).toEqual(['top']);
    expect(search).toHaveBeenCalledTimes(2);
  });
});
