/** The word that is being completed after `@` or `/`: its list, the keys for it, and what takes its place. No DOM. */
import {type DraftText, type Edited, findTrigger, insertTag, replace} from '../composer/draft-text.js';
import {toError} from '../to-error.js';
import {
  type Suggestion,
  SuggestionSearch,
  type SuggestionSource,
  type SuggestionState,
} from './composer-suggestions.js';

/** The field around the word. */
export interface CompletedField {
  /** Returns what is there now; `caret` is also the end of a selection. */
  readonly look: () => {
    readonly draft: DraftText;
    readonly sources: readonly SuggestionSource[];
    readonly caret: number;
  };
  readonly commit: (edited: Edited) => void;
  /** The list looks different. */
  readonly changed: () => void;
  readonly failed: (error: Error, isShown: boolean) => void;
}

export class Completion {
  readonly #field: CompletedField;
  readonly #search: SuggestionSearch;
  /** Beginning of the word. */
  #wordStart = 0;
  /** The word for which the list was closed by hand; it stays closed until the next word. */
  #dismissedStart: number | undefined;
  #isChoosing = false;

  constructor(field: CompletedField) {
    this.#field = field;
    this.#search = new SuggestionSearch({changed: field.changed, failed: error => field.failed(error, false)});
  }

  /** The list, while there is one. */
  get state(): SuggestionState | undefined {
    return this.#search.state;
  }

  close(): void {
    this.#search.close();
  }

  /** Marks the suggestion under the pointer. */
  point(index: number): void {
    this.#search.point(index);
  }

  /** Closes the list when the caret has left its word. */
  follow(caret: number): void {
    const {state} = this.#search;
    if (state && findTrigger(this.#field.look().draft, caret, [state.source.character])?.start !== this.#wordStart)
      this.close();
  }

  /** Opens the list even for a word for which it was closed. */
  reopen(): void {
    this.#dismissedStart = undefined;
    this.suggest();
  }

  /** Whether there is a list, and it took the key. */
  onKey({key, shiftKey}: KeyboardEvent): boolean {
    const {state, active} = this.#search;
    if (!state) return false;
    switch (key) {
      case 'ArrowDown':
      case 'ArrowUp':
        this.#search.move(key === 'ArrowDown' ? 1 : -1);
        return true;
      case 'Escape':
        this.#dismiss();
        return true;
      case 'Enter':
      case 'Tab':
        if (shiftKey) return false;
        // Whoever types fast presses Enter before the answer is there, and does not mean to send.
        if (state.status === 'searching') return key === 'Enter';
        if (!active) {
          this.#dismiss();
          return false;
        }
        this.choose(state.active);
        return true;
      default:
        return false;
    }
  }

  /** Takes the suggestion at this place of the list. */
  choose(index: number): void {
    const suggestion = this.#search.state?.suggestions[index];
    if (suggestion) void this.#run(suggestion);
  }

  async #run(suggestion: Suggestion): Promise<void> {
    if (this.#isChoosing) return;
    this.#isChoosing = true;
    const start = this.#wordStart;
    const {draft, caret: end} = this.#field.look();
    const character = this.#search.state?.source.character ?? '';
    try {
      const outcome = await suggestion.choose();
      // Typed on while the page was thinking: there is no longer a word to replace.
      if (this.#field.look().draft !== draft) return;
      if (outcome.type === 'list') {
        this.#field.commit(replace(draft, start, end, [{type: 'input_text', text: character}]));
        this.#search.descend(outcome.suggestions);
        return;
      }
      this.#search.close();
      this.#field.commit(
        outcome.type === 'insert' ? insertTag(draft, start, end, outcome.tag) : replace(draft, start, end, []),
      );
    } catch (error) {
      this.#dismiss();
      this.#field.failed(toError(error), true);
    } finally {
      this.#isChoosing = false;
    }
  }

  /** Opens, changes or closes the list, by the word before the caret. */
  suggest(): void {
    const {draft, sources, caret} = this.#field.look();
    const characters = sources.map(({character}) => character);
    const trigger = findTrigger(draft, caret, characters);
    const source = sources.find(({character}) => character === trigger?.character);
    if (!trigger || !source) {
      this.#dismissedStart = undefined;
      this.#search.close();
      return;
    }
    if (trigger.start === this.#dismissedStart) return;
    this.#dismissedStart = undefined;
    this.#wordStart = trigger.start;
    this.#search.ask(source, trigger.query);
  }

  #dismiss(): void {
    this.#dismissedStart = this.#wordStart;
    this.#search.close();
  }
}
