/** Completes the word after `@` or `/`: opens its list, handles keys, and replaces the word. No DOM. */
import {type DraftText, type EditResult, findTrigger, insertTag, replaceRange} from '../composer/draft-text.js';
import type {LazyPart} from '../lazy-parts.js';
import {toError} from '../to-error.js';
import type {Suggestion, SuggestionSearch, SuggestionState} from './composer-suggestions.js';
import {charactersOf, type SuggestionsPart, suggestionsPart} from './lazy-suggestions.js';
import type {SuggestionSettings} from './suggestion-sources.js';

/** The text field that the word is in. */
export interface CompletedField {
  /** Returns the current draft and settings; `caret` is the end of the selection if there is one. */
  readonly look: () => {
    readonly draft: DraftText;
    readonly settings: SuggestionSettings | undefined;
    readonly caret: number;
  };
  readonly commit: (edited: EditResult) => void;
  /** Called when the list has changed. */
  readonly changed: () => void;
  readonly failed: (error: Error, isShown: boolean) => void;
}

export class Completion {
  readonly #field: CompletedField;
  readonly #part: LazyPart<SuggestionsPart>;
  /** Created with the first word after the lazy part was loaded. */
  #search: SuggestionSearch | undefined;
  /** The status while the lazy part is loading (`searching`), or could not be loaded (`failed`). */
  #waiting: 'searching' | 'failed' | undefined;
  /** The start of the word, and the character there. */
  #wordStart = 0;
  #character = '';
  /** The start of the word whose list the user has closed; it stays closed until the next word. */
  #dismissedStart: number | undefined;
  #isChoosing = false;

  constructor(field: CompletedField, part = suggestionsPart) {
    this.#field = field;
    this.#part = part;
  }

  /** The list, while there is one. */
  get state(): SuggestionState | undefined {
    return this.#search?.state;
  }

  /** The status of the list, also while its part is loading; `undefined` when it is closed. */
  get status(): SuggestionState['status'] | undefined {
    return this.#waiting ?? this.state?.status;
  }

  close(): void {
    this.#search?.close();
    if (this.#waiting) this.#setWaiting(undefined);
  }

  /** Marks the suggestion under the pointer. */
  point(index: number): void {
    this.#search?.point(index);
  }

  /** Closes the list when the caret has left its word. */
  follow(caret: number): void {
    if (!this.status) return;
    const {draft} = this.#field.look();
    if (findTrigger(draft, caret, [this.#character])?.start !== this.#wordStart) this.close();
  }

  /** Opens the list even if the user has closed it for this word. */
  reopen(): void {
    this.#dismissedStart = undefined;
    this.suggest();
  }

  /** Whether a list is open that has handled the key. */
  onKey({key, shiftKey}: KeyboardEvent): boolean {
    const {status} = this;
    if (!status) return false;
    switch (key) {
      case 'ArrowDown':
      case 'ArrowUp':
        this.#search?.move(key === 'ArrowDown' ? 1 : -1);
        return true;
      case 'Escape':
        this.#dismiss();
        return true;
      case 'Enter':
      case 'Tab':
        if (shiftKey) return false;
        // Fast typists press Enter before the results arrive, and do not mean to send.
        if (status === 'searching') return key === 'Enter';
        if (!this.#search?.active) {
          this.#dismiss();
          return false;
        }
        void this.#choose(this.#search.active);
        return true;
      default:
        return false;
    }
  }

  /** Chooses the suggestion with this index. */
  choose(index: number): void {
    const suggestion = this.state?.suggestions[index];
    if (suggestion) void this.#choose(suggestion);
  }

  async #choose(suggestion: Suggestion): Promise<void> {
    if (this.#isChoosing) return;
    this.#isChoosing = true;
    const start = this.#wordStart;
    const {draft, caret: end} = this.#field.look();
    const character = this.#character;
    try {
      const outcome = await suggestion.choose();
      // The user has typed on in the meantime: the word to replace no longer exists.
      if (this.#field.look().draft !== draft) return;
      if (outcome.type === 'list') {
        this.#field.commit(replaceRange(draft, start, end, [{type: 'input_text', text: character}]));
        this.#search?.descend(outcome.suggestions);
        return;
      }
      this.close();
      this.#field.commit(
        outcome.type === 'insert' ? insertTag(draft, start, end, outcome.tag) : replaceRange(draft, start, end, []),
      );
    } catch (error) {
      this.#dismiss();
      this.#field.failed(toError(error), true);
    } finally {
      this.#isChoosing = false;
    }
  }

  /** Opens, updates or closes the list, depending on the word before the caret. */
  suggest(): void {
    const {draft, settings, caret} = this.#field.look();
    const trigger = findTrigger(draft, caret, charactersOf(settings));
    if (!settings || !trigger) {
      this.#dismissedStart = undefined;
      this.close();
      return;
    }
    if (trigger.start === this.#dismissedStart) return;
    this.#dismissedStart = undefined;
    this.#wordStart = trigger.start;
    this.#character = trigger.character;
    const part = this.#part.value;
    if (!part) {
      if (this.#waiting !== 'searching') void this.#loadPart();
      return;
    }
    const {changed, failed} = this.#field;
    this.#search ??= new part.SuggestionSearch({changed, failed: error => failed(error, false)});
    const source = part.buildSources(settings).find(({character}) => character === trigger.character);
    if (source) this.#search.ask(source, trigger.query);
  }

  /** Loads the lazy part, then suggests for the current word unless its list was closed. */
  async #loadPart(): Promise<void> {
    this.#setWaiting('searching');
    const part = await this.#part.load();
    if (!this.#waiting) return;
    this.#setWaiting(part ? undefined : 'failed');
    if (part) this.suggest();
  }

  #setWaiting(waiting: 'searching' | 'failed' | undefined): void {
    this.#waiting = waiting;
    this.#field.changed();
  }

  #dismiss(): void {
    this.#dismissedStart = this.#wordStart;
    this.close();
  }
}
