/** `<parlor-composer-field>`: the text field of the composer, with its tags and the suggestions after `@` and `/`. */
import {html, LitElement, nothing} from 'lit';
import {live} from 'lit/directives/live.js';
import {type DraftText, type Edited, EMPTY_DRAFT, edit, replace, slice, snap} from '../composer/draft-text.js';
import {express} from '../intents.js';
import {strings} from '../strings.js';
import {Completion} from './composer-completion.js';
import {fieldStyles} from './composer-field-style.js';
import {measureRoom} from './composer-menu.js';
import type {SuggestionHandlers} from './composer-suggestion-list.js';
import {isLongText, readTags, writeTags, writeText} from './composer-text.js';
import {isTouch} from './field-keys.js';
import {charactersOf, suggestionsPart} from './lazy-suggestions.js';
import {popoverStyles} from './popover-style.js';
import {baseStyles} from './styles.js';
import type {SuggestionSettings} from './suggestion-sources.js';

/** Texts whose tags an undo brings back. */
const MAX_REMEMBERED = 100;
/** More than the field shows at its largest, however wide it is. */
const MAX_MIRRORED_CHARS = 8_000;

/**
 * A plain text area, because only that works with every input method, screen reader and spelling checker; tags are ranges
 * of its text, and a mirror behind it draws what marks them.
 *
 * @event draft-change - The text or a tag changed; read `draft`.
 * @event draft-submit - Enter was pressed.
 * @event draft-files - `CustomEvent<readonly File[]>`; files were pasted.
 */
export class ComposerField extends LitElement {
  static override properties = {
    draft: {attribute: false},
    placeholder: {attribute: false},
    disabled: {attribute: false},
    suggesting: {attribute: false},
  };
  static override styles = [baseStyles, popoverStyles, fieldStyles];

  declare draft: DraftText;
  declare placeholder: string;
  /** Nothing can be typed, and the text gives way to the placeholder. */
  declare disabled: boolean;
  /** `undefined` suggests nothing. */
  declare suggesting: SuggestionSettings | undefined;

  readonly #completion = new Completion({
    look: () => ({draft: this.draft, settings: this.suggesting, caret: this.#selection.end}),
    commit: edited => this.#commit(edited),
    changed: () => this.requestUpdate(),
    failed: (error, isShown) => express(this, {type: 'report', error, isShown}),
  });
  #caret = 0;
  #hasComposedEnter = false;
  #remembered = new Map<string, DraftText>();
  readonly #handlers: SuggestionHandlers = {
    choose: index => this.#completion.choose(index),
    point: index => this.#completion.point(index),
  };

  constructor() {
    super();
    this.draft = EMPTY_DRAFT;
    this.placeholder = '';
    this.disabled = false;
    this.suggesting = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Safari tells only the document; it is not told about texts in shadow roots elsewhere.
    document.addEventListener('selectionchange', this.#onSelect);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('selectionchange', this.#onSelect);
    this.#completion.close();
  }

  override focus(): void {
    if (this.hasUpdated) this.#field?.focus();
    else void this.updateComplete.then(() => this.#field?.focus());
  }

  /** Replaces everything; the caret goes to the end. */
  setDraft(draft: DraftText): void {
    this.#completion.close();
    this.#commit({draft, caret: draft.text.length});
  }

  /** Puts text where the caret is, set apart from the words around it. */
  insertText(text: string): void {
    const {start, end} = this.#selection;
    const before = /\S$/.test(this.draft.text.slice(0, start)) ? ' ' : '';
    const after = /^\S/.test(this.draft.text.slice(end)) ? ' ' : '';
    this.#commit(replace(this.draft, start, end, [{type: 'input_text', text: before + text + after}]));
  }

  /** Opens the suggestions of `character` at the caret, as if it had been typed. */
  openSuggestions(character: string): void {
    this.focus();
    const {start, end} = this.#selection;
    const before = /[^\s([{]$/.test(this.draft.text.slice(0, start)) ? ' ' : '';
    this.#commit(replace(this.draft, start, end, [{type: 'input_text', text: before + character}]));
    this.#completion.reopen();
  }

  override render() {
    const shown = this.disabled ? EMPTY_DRAFT : this.draft;
    const {state, status} = this.#completion;
    const hasLists = charactersOf(this.suggesting).length > 0;
    const part = state && suggestionsPart.value;
    const note = status === 'failed' ? strings.partMissing : strings.searching;
    return html`<div class="grow">
        <div class="mirror" aria-hidden="true" dir="auto">${this.disabled ? this.placeholder : this.#mirror(shown)}&#8203;</div>
        <textarea
          part="input"
          rows="1"
          dir="auto"
          enterkeyhint=${isTouch() ? 'enter' : 'send'}
          autocomplete="off"
          aria-label=${strings.composer}
          aria-autocomplete=${hasLists ? 'list' : nothing}
          aria-haspopup=${hasLists ? 'listbox' : nothing}
          aria-controls=${state ? 'suggestions' : nothing}
          aria-activedescendant=${state && state.active >= 0 && state.suggestions.length > 0 ? `suggestion-${state.active}` : nothing}
          placeholder=${this.placeholder}
          ?disabled=${this.disabled}
          .value=${live(shown.text)}
          @input=${this.#onInput}
          @keydown=${this.#onKey}
          @beforeinput=${this.#onBeforeInput}
          @select=${this.#onSelect}
          @selectionchange=${this.#onSelect}
          @keyup=${this.#onSelect}
          @pointerup=${this.#onSelect}
          @focus=${this.#onFocus}
          @blur=${this.#onBlur}
          @scroll=${this.#onScroll}
          @copy=${this.#onCopy}
          @cut=${this.#onCut}
          @paste=${this.#onPaste}
        ></textarea>
      </div>
      ${part ? part.renderSuggestions(state, this.#handlers) : status ? html`<div class="suggestions" part="suggestions" @mousedown=${keepFocus}><div class="note">${note}</div></div>` : nothing}
      <div class="visually-hidden" role="status">${part ? part.announcementOf(state) : status ? note : ''}</div>`;
  }

  #mirror({text, tags}: DraftText) {
    let at = 0;
    const parts = tags.map(range => {
      const before = text.slice(at, range.start);
      at = range.end;
      return html`${before}<span class="tag">${text.slice(range.start, range.end)}</span>`;
    });
    // Behind the last tag, the mirror only makes room, and that has a limit: ten thousand lines need no layout.
    return html`${parts}${text.slice(at, at + MAX_MIRRORED_CHARS)}`;
  }

  protected override updated(): void {
    if (!this.#completion.status) return;
    measureRoom(this);
    // Not `scrollIntoView`: that would scroll the page around the element as well.
    const list = this.renderRoot.querySelector<HTMLElement>('.suggestions');
    const option = list?.querySelector<HTMLElement>('[aria-selected=true]');
    if (!list || !option) return;
    const box = list.getBoundingClientRect();
    const row = option.getBoundingClientRect();
    if (row.top < box.top) list.scrollTop -= box.top - row.top + 6;
    else if (row.bottom > box.bottom) list.scrollTop += row.bottom - box.bottom + 6;
  }

  #onInput = (event: Event): void => {
    const field = event.target as HTMLTextAreaElement;
    const {inputType} = event as InputEvent;
    const remembered = inputType?.startsWith('history') ? this.#remembered.get(field.value) : undefined;
    const edited = remembered
      ? {draft: remembered, caret: field.selectionEnd}
      : edit(this.draft, field.value, field.selectionEnd);
    this.#remember(this.draft);
    this.#remember(edited.draft);
    if (edited.draft.text === field.value) {
      this.draft = edited.draft;
      this.#caret = edited.caret;
      this.#tell();
    } else {
      this.#commit(edited);
    }
    this.#completion.suggest();
  };

  #onKey = (event: KeyboardEvent): void => {
    // Input methods confirm their choice with Enter and move in it with arrows; Safari says so only by the key code.
    const isComposing = event.isComposing || event.keyCode === 229;
    this.#hasComposedEnter = isComposing && event.key === 'Enter' && !event.shiftKey;
    if (isComposing) return;
    if (this.#completion.onKey(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === 'Backspace' || event.key === 'Delete') this.#selectTag(event.key === 'Backspace');
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    // A keyboard on the screen has no Shift+Enter, and the button is beside it.
    if (isTouch() && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.dispatchEvent(new Event('draft-submit', {bubbles: true}));
  };

  /** Some input methods pass on the Enter that confirmed their choice; it was not meant as a new line. */
  #onBeforeInput = (event: InputEvent): void => {
    if (this.#hasComposedEnter && event.inputType === 'insertLineBreak') event.preventDefault();
  };

  /** Deletes a tag in one step, which an undo then takes back in one. Where there are no keys, `edit` sees to it. */
  #selectTag(isBackward: boolean): void {
    const {start, end} = this.#selection;
    if (start !== end) return;
    const range = this.draft.tags.find(tag => (isBackward ? tag.end : tag.start) === start);
    if (range) this.#field?.setSelectionRange(range.start, range.end);
  }

  /** Keeps the caret out of tags, and the list with the word it belongs to. */
  #onSelect = (event: Event): void => {
    const field = this.#field;
    if (!field || this.disabled || field.value !== this.draft.text) return;
    if ((event as KeyboardEvent).isComposing || this.shadowRoot?.activeElement !== field) return;
    const {selectionStart, selectionEnd, selectionDirection} = field;
    const [start, end] = snap(this.draft, selectionStart, selectionEnd, this.#caret);
    if (start !== selectionStart || end !== selectionEnd) field.setSelectionRange(start, end, selectionDirection);
    this.#caret = end;
    this.#completion.follow(end);
  };

  /** Fetches the lists before the first character calls for one. */
  #onFocus = (): void => {
    if (charactersOf(this.suggesting).length > 0) void suggestionsPart.load();
  };

  #onBlur = (): void => {
    this.#completion.close();
  };

  #onScroll = (): void => {
    const mirror = this.renderRoot.querySelector('.mirror');
    if (mirror && this.#field) mirror.scrollTop = this.#field.scrollTop;
  };

  #onCopy = (event: ClipboardEvent): void => {
    const {start, end} = this.#selection;
    const content = slice(this.draft, start, end);
    if (!event.clipboardData || !content.some(({type}) => type === 'input_tag')) return;
    event.preventDefault();
    writeTags(event.clipboardData, this.draft.text.slice(start, end), content);
  };

  #onCut = (event: ClipboardEvent): void => {
    this.#onCopy(event);
    if (!event.defaultPrevented) return;
    const {start, end} = this.#selection;
    this.#commit(replace(this.draft, start, end, []));
  };

  #onPaste = (event: ClipboardEvent): void => {
    const data = event.clipboardData;
    if (!data) return;
    const files = [...data.files];
    // Office programs put a picture of the text beside the text.
    if (files.length > 0 && data.getData('text/plain') === '') {
      event.preventDefault();
      this.dispatchEvent(new CustomEvent('draft-files', {detail: files}));
      return;
    }
    const text = data.getData('text/plain').replace(/\r\n?/g, '\n');
    const tagged = readTags(data);
    // Browsers take minutes to insert ten thousand lines one by one.
    const content = tagged.length === 0 && isLongText(text) ? [{type: 'input_text' as const, text}] : tagged;
    if (content.length === 0) return;
    event.preventDefault();
    const {start, end} = this.#selection;
    this.#commit(replace(this.draft, start, end, content));
  };

  #commit(edited: Edited): void {
    const field = this.#field;
    this.#remember(this.draft);
    this.#remember(edited.draft);
    this.draft = edited.draft;
    this.#caret = edited.caret;
    if (field && !this.disabled) {
      writeText(field, edited.draft.text, this.shadowRoot?.activeElement === field);
      field.setSelectionRange(edited.caret, edited.caret);
    }
    this.#tell();
  }

  #remember(draft: DraftText): void {
    this.#remembered.delete(draft.text);
    // Others need no memory: a hundred versions of ten thousand lines would be one of 40 MB.
    if (draft.tags.length === 0) return;
    this.#remembered.set(draft.text, draft);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  #tell(): void {
    this.dispatchEvent(new Event('draft-change'));
  }

  get #selection(): {readonly start: number; readonly end: number} {
    const field = this.#field;
    if (!field || field.value !== this.draft.text) return {start: this.#caret, end: this.#caret};
    return {start: field.selectionStart, end: field.selectionEnd};
  }

  get #field(): HTMLTextAreaElement | null {
    return this.renderRoot?.querySelector('textarea') ?? null;
  }
}

function keepFocus(event: Event): void {
  event.preventDefault();
}
