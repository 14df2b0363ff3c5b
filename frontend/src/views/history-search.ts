/** The search in the history, by title: matches, their places, and how far back to look. No DOM, no request. */
import type {Thread} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {ThreadListState} from '../thread/thread-list.js';

/** Nobody looks for more; it keeps what is compared at every key small. */
export const MAX_QUERY_LENGTH = 100;
const MAX_TITLE_CHARS = 300;
/** So few threads are found by looking. */
const MOST_WITHOUT_SEARCH = 8;
/** The most hits that are shown; they fill a tall panel. */
const ENOUGH_HITS = 20;
/** A search reads so many pages by itself, with 50 threads each; then the person says whether to go on. */
const MAX_PAGES = 20;

/** Place of a word of the query in a title; `end` is exclusive. */
export interface Match {
  readonly start: number;
  readonly end: number;
}
export interface Hit {
  readonly thread: Thread;
  /** The matches in order, not overlapping. */
  readonly matches: readonly Match[];
}

export function titleOf(thread: Thread): string {
  return thread.title ?? strings.untitled;
}

/** Whether there is enough to search in. */
export function isWorthSearching({threads, after}: ThreadListState): boolean {
  return threads.length > MOST_WITHOUT_SEARCH || after !== undefined;
}

/** The words to look for; none when there is nothing to find. */
export function parseQuery(query: string): readonly string[] {
  const {text} = fold(query.slice(0, MAX_QUERY_LENGTH));
  return [...new Set(text.split(' '))].filter(word => word !== '');
}

/** The threads whose titles have all the words, whatever their order, case and accents; and the one to keep. */
export function findThreads(threads: readonly Thread[], words: readonly string[], keptId?: string): readonly Hit[] {
  return threads.flatMap(thread => {
    const matches = matchTitle(thread, words) ?? (thread.id === keptId ? [] : undefined);
    return matches ? [{thread, matches}] : [];
  });
}

/** The limit up to which a search reads older pages by itself. */
export class SearchReach {
  #hits = ENOUGH_HITS;
  #pages = MAX_PAGES;

  /** Whether older threads are to be read for this many hits. */
  wantsMore({after, hasFailed}: ThreadListState, hits: number): boolean {
    return after !== undefined && !hasFailed && hits < this.#hits && this.#pages > 0;
  }

  countPage(): void {
    this.#pages -= 1;
  }

  /** The person wants older ones as well. */
  extend(hits: number): void {
    this.#hits = hits + ENOUGH_HITS;
    this.#pages = MAX_PAGES;
  }
}

interface Folded {
  readonly text: string;
  /** For each character of `text`, and for its end, where it comes from. */
  readonly origins: readonly number[];
}

const foldedTitles = new WeakMap<Thread, Folded>();

/** `undefined` when a word is missing. */
function matchTitle(thread: Thread, words: readonly string[]): readonly Match[] | undefined {
  const title = titleOf(thread).slice(0, MAX_TITLE_CHARS);
  const folded = foldedTitles.get(thread) ?? fold(title);
  foldedTitles.set(thread, folded);
  const found: Match[] = [];
  for (const word of words) {
    let at = folded.text.indexOf(word);
    if (at < 0) return undefined;
    for (; at >= 0; at = folded.text.indexOf(word, at + word.length)) {
      found.push(unfold(folded, title, at, at + word.length));
    }
  }
  return merge(found);
}

function unfold({origins}: Folded, title: string, from: number, to: number): Match {
  const last = origins[to - 1] ?? 0;
  // One character may have become two, as ß does, and accents became none.
  const end = origins.slice(to).find(origin => origin > last) ?? title.length;
  const joined = /[\p{M}\u200d]*/uy;
  joined.lastIndex = end;
  return {start: origins[from] ?? 0, end: end + (joined.exec(title)?.[0].length ?? 0)};
}

function merge(matches: readonly Match[]): readonly Match[] {
  const merged: Match[] = [];
  for (const match of matches.toSorted((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last && match.start <= last.end)
      merged[merged.length - 1] = {start: last.start, end: Math.max(last.end, match.end)};
    else merged.push(match);
  }
  return merged;
}

/** Marks of Latin, Greek, Cyrillic and Arabic. In other scripts a mark may be a vowel, which tells words apart. */
const ACCENTS = /[\u0300-\u036f\u064b-\u065f]/g;
/** Letters with a stroke or joined ones, which Unicode does not take apart. */
const LETTERS: Readonly<Record<string, string>> = {ł: 'l', ø: 'o', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe'};

function fold(title: string): Folded {
  let text = '';
  const origins: number[] = [];
  let at = 0;
  for (const character of title) {
    const folded = foldCharacter(character);
    for (let each = 0; each < folded.length; each += 1) origins.push(at);
    text += folded;
    at += character.length;
  }
  origins.push(at);
  return {text, origins};
}

/** A character to compare by, made by way of capitals: ß is two letters then, and the two forms of σ are one. */
function foldCharacter(character: string): string {
  if (character > ' ' && character <= '~') return character.toLowerCase();
  const plain = character.normalize('NFKD').replace(ACCENTS, '').toUpperCase().toLowerCase();
  return plain.replace(/\s/g, ' ').replace(/[łøđðþæœ]/g, letter => LETTERS[letter] ?? letter);
}
