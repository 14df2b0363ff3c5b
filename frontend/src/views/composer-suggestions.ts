/** The search for suggestions while a word is typed: debounced, and the newest wins. No DOM. */
import type {InputTag} from '../composer/draft-text.js';
import {toError} from '../to-error.js';

export interface Suggestion {
  readonly key: string;
  readonly label: string;
  readonly description: string | undefined;
  /** A built-in name, or the address of an image. */
  readonly icon: string | undefined;
  readonly group: string | undefined;
  /** Runs the choice. Rejects when it failed; the words typed so far then stay. */
  readonly choose: () => Promise<Outcome>;
}

/** The effect of a choice on the word that was typed. */
export type Outcome =
  | {readonly type: 'clear'}
  | {readonly type: 'insert'; readonly tag: InputTag}
  /** The next level: what is typed from now on filters it. */
  | {readonly type: 'list'; readonly suggestions: readonly Suggestion[]};

export interface SuggestionSource {
  /** The character that opens it, at the start of a word. */
  readonly character: string;
  readonly label: string;
  readonly emptyText: string;
  /** Milliseconds that the person must pause before `search` is called. */
  readonly delayMs: number;
  readonly search: (query: string) => Promise<readonly Suggestion[]>;
}

export interface SuggestionState {
  readonly source: SuggestionSource;
  /** Suggestions of the last search that ended; they stay while a newer search runs. */
  readonly suggestions: readonly Suggestion[];
  readonly status: 'searching' | 'ready' | 'failed';
  /** Index of the one that Enter takes; −1 for none. */
  readonly active: number;
}

export interface SuggestionHost {
  readonly changed: () => void;
  readonly failed: (error: Error) => void;
}

/** A search that takes longer has failed. */
const SEARCH_TIMEOUT_MS = 15_000;
/** More than anybody reads. */
const MAX_SUGGESTIONS = 200;

export class SuggestionSearch {
  readonly #host: SuggestionHost;
  #state: SuggestionState | undefined;
  /** A nested level, which the page does not search. */
  #level: readonly Suggestion[] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Grows with each search; an answer with an older number is stale. */
  #turn = 0;

  constructor(host: SuggestionHost) {
    this.#host = host;
  }

  /** `undefined` while closed. */
  get state(): SuggestionState | undefined {
    return this.#state;
  }

  get active(): Suggestion | undefined {
    return this.#state?.suggestions[this.#state.active];
  }

  /** Searches for `query`, after a pause when the source wants one. */
  ask(source: SuggestionSource, query: string): void {
    this.#stop();
    const isOpen = this.#state?.source.character === source.character;
    if (!isOpen) this.#level = undefined;
    if (this.#level) {
      this.#show({source, suggestions: filterSuggestions(this.#level, query), status: 'ready', active: 0});
      return;
    }
    const known = isOpen ? this.#state : undefined;
    this.#show({source, suggestions: known?.suggestions ?? [], status: 'searching', active: known?.active ?? 0});
    const turn = this.#turn;
    // The first list comes at once: only typing is worth waiting for.
    this.#timer = setTimeout(() => void this.#run(source, query, turn), query === '' ? 0 : source.delayMs);
  }

  /** Shows the next level; the page is not asked again until the menu closes. */
  descend(suggestions: readonly Suggestion[]): void {
    if (!this.#state) return;
    this.#stop();
    this.#level = suggestions;
    this.#show({...this.#state, suggestions, status: 'ready', active: 0});
  }

  /** Moves to the next (1) or previous (−1) one, round at the ends. */
  move(step: 1 | -1): void {
    const state = this.#state;
    if (!state || state.suggestions.length === 0) return;
    const count = state.suggestions.length;
    this.#show({...state, active: (state.active + step + count) % count});
  }

  point(active: number): void {
    if (this.#state && this.#state.active !== active) this.#show({...this.#state, active});
  }

  close(): void {
    this.#stop();
    this.#level = undefined;
    if (!this.#state) return;
    this.#state = undefined;
    this.#host.changed();
  }

  async #run(source: SuggestionSource, query: string, turn: number): Promise<void> {
    try {
      const found = await withTimeout(source.search(query), SEARCH_TIMEOUT_MS);
      if (turn !== this.#turn) return;
      const suggestions = groupSuggestions(found.slice(0, MAX_SUGGESTIONS));
      this.#show({source, suggestions, status: 'ready', active: suggestions.length > 0 ? 0 : -1});
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#show({source, suggestions: [], status: 'failed', active: -1});
      this.#host.failed(toError(error));
    }
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#turn += 1;
  }

  #show(state: SuggestionState): void {
    this.#state = state;
    this.#host.changed();
  }
}

/** Returns the suggestions whose label or description has `query` in it. */
export function filterSuggestions(suggestions: readonly Suggestion[], query: string): readonly Suggestion[] {
  const wanted = query.toLowerCase();
  return suggestions.filter(({label, description}) => `${label} ${description ?? ''}`.toLowerCase().includes(wanted));
}

/** Members of a group one after the other, groups in the order of their first member. */
export function groupSuggestions(suggestions: readonly Suggestion[]): readonly Suggestion[] {
  const groups = new Map<string | undefined, Suggestion[]>();
  for (const suggestion of suggestions) {
    const members = groups.get(suggestion.group);
    if (members) members.push(suggestion);
    else groups.set(suggestion.group, [suggestion]);
  }
  return [...groups.values()].flat();
}

function withTimeout<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DOMException('The search took too long.', 'TimeoutError')), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
