import {describe, expect, it} from 'vitest';
import type {Thread} from '../protocol/types.js';
import {findThreads, isWorthSearching, parseQuery, SearchLimit} from './history-search.js';

const thread = (title: string | undefined, id = 'thr_1'): Thread => ({id, title, status: {type: 'active'}}) as Thread;
const list = (count: number, after?: string) => ({
  threads: Array.from({length: count}, (_, at) => thread(`Chat ${at}`, `thr_${at}`)),
  after,
  isLoading: false,
  hasFailed: false,
});
/** The title with what is set off in brackets; `undefined` when it is no hit. */
const markMatches = (title: string | undefined, query: string): string | undefined => {
  const shown = title ?? 'Untitled chat';
  const hit = findThreads([thread(title)], parseQuery(query))[0];
  return hit?.matches.reduceRight(
    (text, {start, end}) => `${text.slice(0, start)}[${text.slice(start, end)}]${text.slice(end)}`,
    shown,
  );
};

describe('a title', () => {
  it.each([
    ['A trip to Bern', 'bern', 'A trip to [Bern]'],
    ['A trip to Bern', 'TRIP', 'A [trip] to Bern'],
    ['Zürich', 'zurich', '[Zürich]'],
    ['Zu\u0308rich im Mai', 'zürich', '[Zu\u0308rich] im Mai'],
    ['Cafe\u0301', 'e', 'Caf[e\u0301]'],
    ['Große Straße', 'strasse', 'Große [Straße]'],
    ['Straße', 's', '[S]tra[ß]e'],
    ['ΟΔΟΣ', 'οδος', '[ΟΔΟΣ]'],
    ['Łódź, Øresund, cœur', 'lodz ore coeur', '[Łódź], [Øre]sund, [cœur]'],
    ['İstanbul', 'istanbul', '[İstanbul]'],
    ['ＡＢＣ', 'abc', '[ＡＢＣ]'],
    ['हिन्दी', 'ह', '[हि]न्दी'],
    ['👩‍🍳 Cooking', 'cook', '👩‍🍳 [Cook]ing'],
    ['Rain\u00a0and  sun', 'and sun', 'Rain\u00a0[and]  [sun]'],
    ['to and fro, to and', 'and to', '[to] [and] fro, [to] [and]'],
    ['aaaa', 'aa aaa', '[aaaa]'],
    ['a.b*c', '.b*', 'a[.b*]c'],
    [undefined, 'untitled', '[Untitled] chat'],
  ])('%j is found by %j: %s', (title, query, expected) => {
    expect(markMatches(title, query)).toBe(expected);
  });

  it.each([
    ['A trip to Bern', 'bern rome'],
    ['A trip to Bern', 'triptobern'],
    ['की', 'कि'],
    ['constructor', '__proto__'],
  ])('%j is not found by %j', (title, query) => {
    expect(markMatches(title, query)).toBeUndefined();
  });

  it('is compared anew when it has changed', () => {
    const before = thread('Rain');
    expect(findThreads([before], ['sun'])).toEqual([]);
    expect(findThreads([{...before, title: 'Sun'}], ['sun'])).toHaveLength(1);
  });

  it('is compared by its first 300 characters with the first 100 of what one types', () => {
    expect(markMatches(`${'x'.repeat(298)} y`, 'y')).toBeDefined();
    expect(markMatches(`${'x'.repeat(299)} y`, 'y')).toBeUndefined();
    expect(parseQuery('ä'.repeat(100_000))).toEqual(['a'.repeat(100)]);
  });
});

describe('a search', () => {
  it('finds all in their order where nothing is asked for, and keeps the one that is named', () => {
    const {threads} = list(3);
    expect(findThreads(threads, parseQuery('  ')).map(({thread}) => thread)).toEqual(threads);
    expect(findThreads(threads, ['2'], 'thr_0').map(({thread}) => thread.id)).toEqual(['thr_0', 'thr_2']);
  });

  it('is worth it with more than eight, or more than a page', () => {
    expect([list(0), list(8), list(9), list(1, 'thr_0')].map(isWorthSearching)).toEqual([false, false, true, true]);
  });

  it('goes back until there are 20 hits, a page is missing or 20 pages were read, and further when it is told to', () => {
    const reach = new SearchLimit();
    const more = list(50, 'thr_49');
    expect(reach.wantsMore(list(50), 0)).toBe(false);
    expect(reach.wantsMore({...more, hasFailed: true}, 0)).toBe(false);
    expect([0, 19, 20].map(hits => reach.wantsMore(more, hits))).toEqual([true, true, false]);
    reach.extend(20);
    expect([20, 39, 40].map(hits => reach.wantsMore(more, hits))).toEqual([true, true, false]);
    const read = (): number => {
      let pages = 0;
      for (; pages < 100 && reach.wantsMore(more, 0); pages += 1) reach.countPage();
      return pages;
    };
    expect(read()).toBe(20);
    reach.extend(0);
    expect(read()).toBe(20);
  });
});
