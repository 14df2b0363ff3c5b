/** The search in the history by title: matches, their positions, and how far back to read. No DOM, no requests. */
import type {Thread} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {ThreadListState} from '../thread/thread-list.js';

/** Longer queries are cut off, which keeps the comparison at every key press cheap. */
export const MAX_QUERY_LENGTH = 100;
const MAX_TITLE_CHARS = 300;
/** Up to this number of threads, no search field is needed. */
const MAX_WITHOUT_SEARCH = 8;
/** Older pages are read until there are this many hits, which fill a tall panel. */
const ENOUGH_HITS = 20;
/** A search reads this many pages of 50 threads by itself; the user decides whether to read more. */
const MAX_PAGES = 20;

/** The range of a query word in a title; `end` is exclusive. */
export interface Match {
  readonly start: number;
  readonly end: number;
}
export interface Hit {
  readonly thread: Thread;
  /** The matches, sorted and without overlaps. */
  readonly matches: readonly Match[];
}

export function titleOf(thread: Thread): string {
  return thread.title ?? strings.untitled;
}

/** Whether there are enough threads for a search field. */
export function isWorthSearching({threads, after}: ThreadListState): boolean {
  return threads.length > MAX_WITHOUT_SEARCH || after !== undefined;
}

/** Returns the words to search for, without duplicates; empty when the query is blank. */
export function parseQuery(query: string): readonly string[] {
  const {text} = foldTitle(query.slice(0, MAX_QUERY_LENGTH));
  return [...new Set(text.split(' '))].filter(word => word !== '');
}

/** Returns the threads whose titles contain all words, in any order, case and accents, and the one with `keptId`. */
export function findThreads(threads: readonly Thread[], words: readonly string[], keptId?: string): readonly Hit[] {
  return threads.flatMap(thread => {
    const matches = matchTitle(thread, words) ?? (thread.id === keptId ? [] : undefined);
    return matches ? [{thread, matches}] : [];
  });
}

/** Limits how many older pages a search reads by itself. */
export class SearchLimit {
  #hits = ENOUGH_HITS;
  #pages = MAX_PAGES;

  /** Whether an older page should be read, given this many hits. */
  wantsMore({after, hasFailed}: ThreadListState, hits: number): boolean {
    return after !== undefined && !hasFailed && hits < this.#hits && this.#pages > 0;
  }

  countPage(): void {
    this.#pages -= 1;
  }

  /** Raises the limit, because the user asked for older threads. */
  extend(hits: number): void {
    this.#hits = hits + ENOUGH_HITS;
    this.#pages = MAX_PAGES;
  }
}

interface FoldedTitle {
  readonly text: string;
  /** For each character of `text`, and for its end, the index in the title that it comes from. */
  readonly origins: readonly number[];
}

const foldedTitles = new WeakMap<Thread, FoldedTitle>();

/** Returns the ranges of all words in the title, `undefined` when a word is missing. */
function matchTitle(thread: Thread, words: readonly string[]): readonly Match[] | undefined {
  const title = titleOf(thread).slice(0, MAX_TITLE_CHARS);
  const folded = foldedTitles.get(thread) ?? foldTitle(title);
  foldedTitles.set(thread, folded);
  const matches: Match[] = [];
  for (const word of words) {
    let at = folded.text.indexOf(word);
    if (at < 0) return undefined;
    for (; at >= 0; at = folded.text.indexOf(word, at + word.length)) {
      matches.push(toMatch(folded, title, at, at + word.length));
    }
  }
  return mergeMatches(matches);
}

/** Translates a range of the folded text into one of the title. */
function toMatch({origins}: FoldedTitle, title: string, from: number, to: number): Match {
  const last = origins[to - 1] ?? 0;
  // One character may have become two, as ß does, and accents became none.
  const end = origins.slice(to).find(origin => origin > last) ?? title.length;
  const joined = /[\p{M}\u200d]*/uy;
  joined.lastIndex = end;
  return {start: origins[from] ?? 0, end: end + (joined.exec(title)?.[0].length ?? 0)};
}

function mergeMatches(matches: readonly Match[]): readonly Match[] {
  const merged: Match[] = [];
  for (const match of matches.toSorted((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last && match.start <= last.end)
      merged[merged.length - 1] = {start: last.start, end: Math.max(last.end, match.end)};
    else merged.push(match);
  }
  return merged;
}

/** Marks of Latin, Greek, Cyrillic and Arabic. In other scripts a mark may be a vowel, which distinguishes words. */
const ACCENTS = /[\u0300-\u036f\u064b-\u065f]/g;
/** Letters with a stroke and ligatures, which Unicode does not decompose. */
const LETTERS: Readonly<Record<string, string>> = {ł: 'l', ø: 'o', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe'};

function foldTitle(title: string): FoldedTitle {
  let text = '';
  const origins: number[] = [];
  let at = 0;
  for (const character of title) {
    const folded = foldCharacter(character);
    for (let count = 0; count < folded.length; count += 1) origins.push(at);
    text += folded;
    at += character.length;
  }
  origins.push(at);
  return {text, origins};
}

/** Folds case and accents, by way of upper case: that makes ß two letters, and both forms of σ the same. */
function foldCharacter(character: string): string {
  if (character > ' ' && character <= '~') return character.toLowerCase();
  const plain = character.normalize('NFKD').replace(ACCENTS, '').toUpperCase().toLowerCase();
  return plain.replace(/\s/g, ' ').replace(/[łøđðþæœ]/g, letter => LETTERS[letter] ?? letter);
}
