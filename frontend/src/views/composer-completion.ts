/** The word that is being completed after `@` or `/`: its list, the keys for it, and what takes its place. No DOM. */
import {type DraftText, type Edited, findTrigger, insertTag, replace} from '../composer/draft-text.js';
import type {LazyPart} from '../lazy-parts.js';
import {toError} from '../to-error.js';
import type {Suggestion, SuggestionSearch, SuggestionState} from './composer-suggestions.js';
import {charactersOf, type SuggestionsPart, suggestionsPart} from './lazy-suggestions.js';
import type {SuggestionSettings} from './suggestion-sources.js';

/** The field around the word. */
export interface CompletedField {
  /** Returns what is there now; `caret` is also the end of a selection. */
  readonly look: () => {
    readonly draft: DraftText;
    readonly settings: SuggestionSettings | undefined;
    readonly caret: number;
  };
  readonly commit: (edited: Edited) => void;
  /** The list looks different. */
  readonly changed: () => void;
  readonly failed: (error: Error, isShown: boolean) => void;
}

export class Completion {
  readonly #field: CompletedField;
  readonly #part: LazyPart<SuggestionsPart>;
  /** There with the first word after the part has come. */
  #search: SuggestionSearch | undefined;
  /** The list as long as the part is on its way (`searching`), or cannot be had (`failed`). */
  #waiting: 'searching' | 'failed' | undefined;
  /** Beginning of the word, and the character there. */
  #wordStart = 0;
  #character = '';
  /** The word for which the list was closed by hand; it stays closed until the next word. */
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

  /** The list in one word, also while there is nothing but the wait for it; `undefined` when it is closed. */
  get status(): SuggestionState['status'] | undefined {
    return this.#waiting ?? this.state?.status;
  }

  close(): void {
    this.#search?.close();
    if (this.#waiting) this.#wait(undefined);
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

  /** Opens the list even for a word for which it was closed. */
  reopen(): void {
    this.#dismissedStart = undefined;
    this.suggest();
  }

  /** Whether there is a list, and it took the key. */
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
        // Whoever types fast presses Enter before the answer is there, and does not mean to send.
        if (status === 'searching') return key === 'Enter';
        if (!this.#search?.active) {
          this.#dismiss();
          return false;
        }
        void this.#run(this.#search.active);
        return true;
      default:
        return false;
    }
  }

  /** Takes the suggestion at this place of the list. */
  choose(index: number): void {
    const suggestion = this.state?.suggestions[index];
    if (suggestion) void this.#run(suggestion);
  }

  async #run(suggestion: Suggestion): Promise<void> {
    if (this.#isChoosing) return;
    this.#isChoosing = true;
    const start = this.#wordStart;
    const {draft, caret: end} = this.#field.look();
    const character = this.#character;
    try {
      const outcome = await suggestion.choose();
      // Typed on while the page was thinking: there is no longer a word to replace.
      if (this.#field.look().draft !== draft) return;
      if (outcome.type === 'list') {
        this.#field.commit(replace(draft, start, end, [{type: 'input_text', text: character}]));
        this.#search?.descend(outcome.suggestions);
        return;
      }
      this.close();
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
      if (this.#waiting !== 'searching') void this.#fetch();
      return;
    }
    const {changed, failed} = this.#field;
    this.#search ??= new part.SuggestionSearch({changed, failed: error => failed(error, false)});
    const source = part.buildSources(settings).find(({character}) => character === trigger.character);
    if (source) this.#search.ask(source, trigger.query);
  }

  /** Goes on with the word as it is once the part is there, unless its list was closed. */
  async #fetch(): Promise<void> {
    this.#wait('searching');
    const part = await this.#part.load();
    if (!this.#waiting) return;
    this.#wait(part ? undefined : 'failed');
    if (part) this.suggest();
  }

  #wait(waiting: 'searching' | 'failed' | undefined): void {
    this.#waiting = waiting;
    this.#field.changed();
  }

  #dismiss(): void {
    this.#dismissedStart = this.#wordStart;
    this.close();
  }
}
