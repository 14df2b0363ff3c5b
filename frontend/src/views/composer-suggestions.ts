/** Searches for suggestions while a word is typed: debounced, and only the newest search counts. No DOM. */
import type {InputTag} from '../composer/draft-text.js';
import {toError} from '../to-error.js';

export interface Suggestion {
  readonly key: string;
  readonly label: string;
  readonly description: string | undefined;
  /** A built-in name, or the URL of an image. */
  readonly icon: string | undefined;
  readonly group: string | undefined;
  /** Carries out the choice. Rejects if that failed; the word then stays as it was typed. */
  readonly choose: () => Promise<Outcome>;
}

/** The effect of a choice on the word that was typed. */
export type Outcome =
  | {readonly type: 'clear'}
  | {readonly type: 'insert'; readonly tag: InputTag}
  /** A nested list, which further typing filters. */
  | {readonly type: 'list'; readonly suggestions: readonly Suggestion[]};

export interface SuggestionSource {
  /** The character that opens it, at the start of a word. */
  readonly character: string;
  readonly label: string;
  readonly emptyText: string;
  /** Milliseconds that the user must pause before `search` is called. */
  readonly delayMs: number;
  readonly search: (query: string) => Promise<readonly Suggestion[]>;
}

export interface SuggestionState {
  readonly source: SuggestionSource;
  /** Results of the last finished search; they stay while a newer one runs. */
  readonly suggestions: readonly Suggestion[];
  readonly status: 'searching' | 'ready' | 'failed';
  /** Index of the suggestion that Enter chooses; −1 for none. */
  readonly active: number;
}

export interface SuggestionHost {
  readonly changed: () => void;
  readonly failed: (error: Error) => void;
}

/** A search that takes longer counts as failed. */
const SEARCH_TIMEOUT_MS = 15_000;
/** More than a user would scroll through. */
const MAX_SUGGESTIONS = 200;

export class SuggestionSearch {
  readonly #host: SuggestionHost;
  #state: SuggestionState | undefined;
  /** The nested list that is open; the page does not search it. */
  #level: readonly Suggestion[] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Incremented by each search; results of an earlier generation are stale. */
  #generation = 0;

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

  /** Searches for `query`, after the pause that the source asks for. */
  ask(source: SuggestionSource, query: string): void {
    this.#cancel();
    const isOpen = this.#state?.source.character === source.character;
    if (!isOpen) this.#level = undefined;
    if (this.#level) {
      this.#setState({source, suggestions: filterSuggestions(this.#level, query), status: 'ready', active: 0});
      return;
    }
    const previous = isOpen ? this.#state : undefined;
    this.#setState({
      source,
      suggestions: previous?.suggestions ?? [],
      status: 'searching',
      active: previous?.active ?? 0,
    });
    const generation = this.#generation;
    // The first list comes at once: only typing needs the pause.
    this.#timer = setTimeout(() => void this.#search(source, query, generation), query === '' ? 0 : source.delayMs);
  }

  /** Shows a nested list; the page is not asked again until the menu closes. */
  descend(suggestions: readonly Suggestion[]): void {
    if (!this.#state) return;
    this.#cancel();
    this.#level = suggestions;
    this.#setState({...this.#state, suggestions, status: 'ready', active: 0});
  }

  /** Moves to the next (1) or previous (−1) suggestion, wrapping around at the ends. */
  move(step: 1 | -1): void {
    const state = this.#state;
    if (!state || state.suggestions.length === 0) return;
    const count = state.suggestions.length;
    this.#setState({...state, active: (state.active + step + count) % count});
  }

  point(active: number): void {
    if (this.#state && this.#state.active !== active) this.#setState({...this.#state, active});
  }

  close(): void {
    this.#cancel();
    this.#level = undefined;
    if (!this.#state) return;
    this.#state = undefined;
    this.#host.changed();
  }

  async #search(source: SuggestionSource, query: string, generation: number): Promise<void> {
    try {
      const results = await withTimeout(source.search(query), SEARCH_TIMEOUT_MS);
      if (generation !== this.#generation) return;
      const suggestions = groupSuggestions(results.slice(0, MAX_SUGGESTIONS));
      this.#setState({source, suggestions, status: 'ready', active: suggestions.length > 0 ? 0 : -1});
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#setState({source, suggestions: [], status: 'failed', active: -1});
      this.#host.failed(toError(error));
    }
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#generation += 1;
  }

  #setState(state: SuggestionState): void {
    this.#state = state;
    this.#host.changed();
  }
}

/** Returns the suggestions whose label or description contains `query`. */
export function filterSuggestions(suggestions: readonly Suggestion[], query: string): readonly Suggestion[] {
  const wanted = query.toLowerCase();
  return suggestions.filter(({label, description}) => `${label} ${description ?? ''}`.toLowerCase().includes(wanted));
}

/** Sorts suggestions so that members of a group are adjacent, in the order in which the groups first appear. */
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
