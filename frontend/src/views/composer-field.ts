/** `<parlor-composer-field>`: the text field of the composer, with its tags and the suggestions after `@` and `/`. */
import {html, LitElement, nothing} from 'lit';
import {live} from 'lit/directives/live.js';
import {
  type DraftText,
  type EditResult,
  EMPTY_DRAFT,
  edit,
  replaceRange,
  sliceContent,
  snapSelection,
} from '../composer/draft-text.js';
import {dispatch} from '../intents.js';
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

/** How many texts an undo can restore the tags of. */
const MAX_TAGGED_DRAFTS = 100;
/** More than the field can show at its tallest and widest. */
const MAX_MIRRORED_CHARS = 8_000;

/**
 * A plain text area, because nothing else works with every input method, screen reader and spelling checker. Tags are
 * ranges of its text; a mirror behind it draws their backgrounds.
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
  /** Prevents typing, and shows the placeholder in place of the text. */
  declare disabled: boolean;
  /** `undefined` turns suggestions off. */
  declare suggesting: SuggestionSettings | undefined;

  readonly #completion = new Completion({
    look: () => ({draft: this.draft, settings: this.suggesting, caret: this.#selection.end}),
    commit: edited => this.#commit(edited),
    changed: () => this.requestUpdate(),
    failed: (error, isShown) => dispatch(this, {type: 'report', error, isShown}),
  });
  #caret = 0;
  #hasComposedEnter = false;
  #taggedDrafts = new Map<string, DraftText>();
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
    // Safari dispatches the event at the document only; elsewhere the document gets none for fields in shadow roots.
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

  /** Inserts text at the caret, with spaces between it and the words around it. */
  insertText(text: string): void {
    const {start, end} = this.#selection;
    const before = /\S$/.test(this.draft.text.slice(0, start)) ? ' ' : '';
    const after = /^\S/.test(this.draft.text.slice(end)) ? ' ' : '';
    this.#commit(replaceRange(this.draft, start, end, [{type: 'input_text', text: before + text + after}]));
  }

  /** Opens the suggestions of `character` at the caret, as if it had been typed. */
  openSuggestions(character: string): void {
    this.focus();
    const {start, end} = this.#selection;
    const before = /[^\s([{]$/.test(this.draft.text.slice(0, start)) ? ' ' : '';
    this.#commit(replaceRange(this.draft, start, end, [{type: 'input_text', text: before + character}]));
    this.#completion.reopen();
  }

  override render() {
    const shown = this.disabled ? EMPTY_DRAFT : this.draft;
    const {state, status} = this.#completion;
    const hasSuggestions = charactersOf(this.suggesting).length > 0;
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
          aria-autocomplete=${hasSuggestions ? 'list' : nothing}
          aria-haspopup=${hasSuggestions ? 'listbox' : nothing}
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
    // After the last tag the mirror only sizes the field, whose height is limited: ten thousand lines need no layout.
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
    const restored = inputType?.startsWith('history') ? this.#taggedDrafts.get(field.value) : undefined;
    const edited = restored
      ? {draft: restored, caret: field.selectionEnd}
      : edit(this.draft, field.value, field.selectionEnd);
    this.#rememberTags(this.draft);
    this.#rememberTags(edited.draft);
    if (edited.draft.text === field.value) {
      this.draft = edited.draft;
      this.#caret = edited.caret;
      this.#notifyChange();
    } else {
      this.#commit(edited);
    }
    this.#completion.suggest();
  };

  #onKey = (event: KeyboardEvent): void => {
    // Input methods use Enter and arrow keys themselves; Safari shows it only by the key code.
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
    // On-screen keyboards have no Shift+Enter, so Enter starts a new line; the send button is near.
    if (isTouch() && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.dispatchEvent(new Event('draft-submit', {bubbles: true}));
  };

  /** Some input methods also pass on the Enter that confirmed their choice; it must not start a new line. */
  #onBeforeInput = (event: InputEvent): void => {
    if (this.#hasComposedEnter && event.inputType === 'insertLineBreak') event.preventDefault();
  };

  /** Selects the whole tag before it is deleted, so that one undo restores it. Without key events, `edit` does this. */
  #selectTag(isBackward: boolean): void {
    const {start, end} = this.#selection;
    if (start !== end) return;
    const range = this.draft.tags.find(tag => (isBackward ? tag.end : tag.start) === start);
    if (range) this.#field?.setSelectionRange(range.start, range.end);
  }

  /** Keeps the caret out of tags, and closes the list when the caret leaves its word. */
  #onSelect = (event: Event): void => {
    const field = this.#field;
    if (!field || this.disabled || field.value !== this.draft.text) return;
    if ((event as KeyboardEvent).isComposing || this.shadowRoot?.activeElement !== field) return;
    const {selectionStart, selectionEnd, selectionDirection} = field;
    const [start, end] = snapSelection(this.draft, selectionStart, selectionEnd, this.#caret);
    if (start !== selectionStart || end !== selectionEnd) field.setSelectionRange(start, end, selectionDirection);
    this.#caret = end;
    this.#completion.follow(end);
  };

  /** Fetches the suggestions part before the first character needs it. */
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
    const content = sliceContent(this.draft, start, end);
    if (!event.clipboardData || !content.some(({type}) => type === 'input_tag')) return;
    event.preventDefault();
    writeTags(event.clipboardData, this.draft.text.slice(start, end), content);
  };

  #onCut = (event: ClipboardEvent): void => {
    this.#onCopy(event);
    if (!event.defaultPrevented) return;
    const {start, end} = this.#selection;
    this.#commit(replaceRange(this.draft, start, end, []));
  };

  #onPaste = (event: ClipboardEvent): void => {
    const data = event.clipboardData;
    if (!data) return;
    const files = [...data.files];
    // Office programs add a picture of the text to the text.
    if (files.length > 0 && data.getData('text/plain') === '') {
      event.preventDefault();
      this.dispatchEvent(new CustomEvent('draft-files', {detail: files}));
      return;
    }
    const text = data.getData('text/plain').replace(/\r\n?/g, '\n');
    const pasted = readTags(data);
    // Browsers take minutes to insert ten thousand lines one by one.
    const content = pasted.length === 0 && isLongText(text) ? [{type: 'input_text' as const, text}] : pasted;
    if (content.length === 0) return;
    event.preventDefault();
    const {start, end} = this.#selection;
    this.#commit(replaceRange(this.draft, start, end, content));
  };

  #commit(edited: EditResult): void {
    const field = this.#field;
    this.#rememberTags(this.draft);
    this.#rememberTags(edited.draft);
    this.draft = edited.draft;
    this.#caret = edited.caret;
    if (field && !this.disabled) {
      writeText(field, edited.draft.text, this.shadowRoot?.activeElement === field);
      field.setSelectionRange(edited.caret, edited.caret);
    }
    this.#notifyChange();
  }

  #rememberTags(draft: DraftText): void {
    this.#taggedDrafts.delete(draft.text);
    // Drafts without tags need none of it: a hundred versions of ten thousand lines would take 40 MB.
    if (draft.tags.length === 0) return;
    this.#taggedDrafts.set(draft.text, draft);
    const [oldest] = this.#taggedDrafts.keys();
    if (this.#taggedDrafts.size > MAX_TAGGED_DRAFTS && oldest !== undefined) this.#taggedDrafts.delete(oldest);
  }

  #notifyChange(): void {
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
