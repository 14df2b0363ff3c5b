/** `<parlor-history>`: the panel with the user's threads, to find, open, rename and delete them. */
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import {live} from 'lit/directives/live.js';
import {repeat} from 'lit/directives/repeat.js';
import {icon} from '../icons/icons.js';
import {dispatch} from '../intents.js';
import type {Thread} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {ThreadListState} from '../thread/thread-list.js';
import {groupByDay} from './history-days.js';
import {
  findThreads,
  type Hit,
  isWorthSearching,
  MAX_QUERY_LENGTH,
  parseQuery,
  SearchLimit,
  titleOf,
} from './history-search.js';
import {historyStyles} from './history-style.js';
import {barStyles, baseStyles, buttonStyles} from './styles.js';

export class HistoryView extends LitElement {
  static override properties = {
    list: {attribute: false},
    currentId: {attribute: false},
    showDelete: {attribute: false},
    showRename: {attribute: false},
    docked: {type: Boolean},
    editingId: {state: true},
    deletingId: {state: true},
    query: {state: true},
  };
  static override styles = [baseStyles, buttonStyles, barStyles, historyStyles];

  declare list: ThreadListState;
  declare currentId: string | undefined;
  declare showDelete: boolean;
  declare showRename: boolean;
  /** Shows a column beside the chat instead of a panel over it. */
  declare docked: boolean;
  declare editingId: string | undefined;
  declare deletingId: string | undefined;
  declare query: string;
  #words: readonly string[] = [];
  #hits: readonly Hit[] = [];
  #limit = new SearchLimit();
  /** A renamed thread stays in the list even if it no longer matches. */
  #renamedId: string | undefined;
  #hadFocus = false;

  constructor() {
    super();
    this.list = {threads: [], after: undefined, isLoading: false, hasFailed: false};
    this.currentId = undefined;
    this.showDelete = true;
    this.showRename = true;
    this.docked = false;
    this.editingId = undefined;
    this.deletingId = undefined;
    this.query = '';
  }

  protected override firstUpdated(): void {
    if (!this.docked) this.#focus('.panel');
  }

  protected override willUpdate(): void {
    this.#hadFocus = this.shadowRoot?.activeElement != null;
    this.#hits = findThreads(this.list.threads, this.#words, this.#renamedId);
  }

  protected override updated(changed: PropertyValues<this>): void {
    // The button that was pressed may be gone, but keys must still reach the panel: Escape closes it.
    if (this.#hadFocus && !this.shadowRoot?.activeElement) this.#focus('.panel');
    if (changed.has('editingId') && this.editingId !== undefined) {
      this.#focus('.rename');
      this.renderRoot.querySelector<HTMLInputElement>('.rename')?.select();
    }
    if (changed.has('deletingId') && this.deletingId !== undefined) this.#focus('.question .cancel');
    if (!this.list.isLoading && this.#needsOlderThreads) {
      this.#limit.countPage();
      dispatch(this, {type: 'more-threads'});
    }
  }

  override render() {
    const {threads, after, isLoading, hasFailed} = this.list;
    const isSearch = this.#words.length > 0;
    return html`${this.docked ? nothing : html`<div class="scrim" @click=${this.#close}></div>`}
      <div class="panel" part="history" role=${this.docked ? 'navigation' : 'dialog'} aria-modal=${this.docked ? nothing : 'true'} aria-label=${strings.openHistory} tabindex="-1" @keydown=${this.#onKey}>
        <div class="bar">
          <h2>${strings.historyTitle}</h2>
          <button type="button" class="icon-button" aria-label=${strings.newChat} title=${strings.newChat} @click=${() => dispatch(this, {type: 'new-chat'})}>
            ${icon('compose', '20')}
          </button>
          ${
            this.docked
              ? nothing
              : html`<button type="button" class="icon-button" aria-label=${strings.closeHistory} title=${strings.closeHistory} @click=${this.#close}>
                ${icon('close', '20')}
              </button>`
          }
        </div>
        ${isSearch || this.query !== '' || this.docked || isWorthSearching(this.list) ? this.#search() : nothing}
        <div class="list" aria-busy=${String(isLoading)}>
          ${
            isSearch
              ? this.#rows(this.#hits)
              : groupByDay(this.#hits, new Date()).map(
                  ({title, hits}) => html`<h3 class="day">${title}</h3>${this.#rows(hits)}`,
                )
          }
          ${
            hasFailed
              ? html`<div class="empty" role="alert">
                ${strings.historyFailed}
                <button type="button" class="text-button" @click=${this.#tryAgain}>${strings.tryAgain}</button>
              </div>`
              : nothing
          }
          ${threads.length === 0 && !hasFailed ? html`<div class="empty" role="status">${isLoading ? strings.loading : strings.historyEmpty}</div>` : nothing}
          ${
            after !== undefined
              ? html`<button type="button" class="text-button more" ?disabled=${isLoading} @click=${this.#showMore}>
                ${isLoading ? strings.loading : isSearch ? strings.searchOlder : strings.loadMore}
              </button>`
              : nothing
          }
        </div>
      </div>`;
  }

  #rows(hits: readonly Hit[]) {
    return html`<ul>
      ${repeat(
        hits,
        ({thread}) => thread.id,
        hit => this.#row(hit),
      )}
    </ul>`;
  }

  #search() {
    return html`<div class="search" role="search">
        ${icon('search', '16')}
        <input
          class="query"
          type="search"
          dir="auto"
          maxlength=${MAX_QUERY_LENGTH}
          autocomplete="off"
          spellcheck="false"
          enterkeyhint="search"
          aria-label=${strings.searchChats}
          placeholder=${strings.searchChats}
          .value=${live(this.query)}
          @input=${this.#onQuery}
        />
        ${
          this.query === ''
            ? nothing
            : html`<button type="button" class="icon-button small clear" aria-label=${strings.clearSearch} title=${strings.clearSearch} @click=${this.#clearQuery}>
              ${icon('close', '16')}
            </button>`
        }
      </div>
      <div class="found" role="status">${this.#result}</div>`;
  }

  /** The result of the search as a status message. */
  get #result(): string {
    if (this.#words.length === 0) return '';
    if (this.list.isLoading || this.#needsOlderThreads) return strings.searching;
    return strings.chatsFound(this.#hits.length, this.list.after === undefined);
  }

  #row({thread, matches}: Hit) {
    const title = titleOf(thread);
    const isCurrent = thread.id === this.currentId;
    return html`<li class=${isCurrent ? 'current' : ''}>
      ${
        this.editingId === thread.id
          ? this.#renameField(thread)
          : this.deletingId === thread.id
            ? this.#deleteQuestion(thread)
            : html`<button
                type="button"
                class="open"
                dir="auto"
                data-thread=${thread.id}
                aria-current=${isCurrent ? 'true' : nothing}
                @click=${() => dispatch(this, {type: 'open-thread', threadId: thread.id})}
              >${markMatches(title, matches)}</button>
              ${this.showRename ? this.#button('write', strings.rename(title), () => this.#edit(thread.id)) : nothing}
              ${this.showDelete ? this.#button('trash', strings.delete(title), () => this.#askToDelete(thread.id)) : nothing}`
      }
    </li>`;
  }

  #button(glyph: string, label: string, onClick: () => void) {
    return html`<button type="button" class="icon-button small" aria-label=${label} title=${label} @click=${onClick}>${icon(glyph, '16')}</button>`;
  }

  #renameField(thread: Thread) {
    return html`<input
      class="rename"
      type="text"
      dir="auto"
      maxlength="200"
      aria-label=${strings.renameField}
      .value=${thread.title ?? ''}
      @keydown=${(event: KeyboardEvent) => this.#onEditorKey(event, thread)}
      @blur=${(event: FocusEvent) => this.#save(thread, (event.target as HTMLInputElement).value)}
    />`;
  }

  #deleteQuestion(thread: Thread) {
    return html`<div class="question" role="group" aria-label=${strings.deleteQuestion}>
      <span>${strings.deleteQuestion}</span>
      <button type="button" class="text-button danger" @click=${() => this.#delete(thread.id)}>${strings.deleteConfirm}</button>
      <button type="button" class="text-button cancel" @click=${() => this.#cancelDelete(thread.id)}>${strings.cancel}</button>
    </div>`;
  }

  #edit(id: string): void {
    this.deletingId = undefined;
    this.editingId = id;
    this.#renamedId = id;
  }

  #askToDelete(id: string): void {
    this.editingId = undefined;
    this.deletingId = id;
  }

  #delete(threadId: string): void {
    this.deletingId = undefined;
    dispatch(this, {type: 'delete-thread', threadId});
    this.#focus('.panel');
  }

  /** Removes the question, and moves the focus from its buttons to the thread. */
  #cancelDelete(id: string): void {
    this.deletingId = undefined;
    void this.updateComplete.then(() => this.#focusRow(id));
  }

  #onEditorKey(event: KeyboardEvent, thread: Thread): void {
    // Input methods confirm their choice with Enter; Safari shows it only by the key code.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter') this.#save(thread, (event.target as HTMLInputElement).value);
    if (event.key === 'Escape') this.editingId = undefined;
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.stopPropagation();
    // The row gets the focus before the key is released, and Enter would open it.
    event.preventDefault();
    void this.updateComplete.then(() => this.#focusRow(thread.id));
  }

  #save(thread: Thread, value: string): void {
    // Removing the field blurs it, which calls this again.
    if (this.editingId !== thread.id) return;
    this.editingId = undefined;
    const title = value.trim();
    if (title !== '' && title !== thread.title) dispatch(this, {type: 'rename-thread', threadId: thread.id, title});
  }

  get #needsOlderThreads(): boolean {
    return this.#words.length > 0 && this.#limit.wantsMore(this.list, this.#hits.length);
  }

  #onQuery = (event: Event): void => this.#setQuery((event.target as HTMLInputElement).value);

  #clearQuery = (): void => {
    this.#setQuery('');
    this.#focus('.query');
  };

  #setQuery(query: string): void {
    if (query === this.query) return;
    this.query = query;
    this.#words = parseQuery(query);
    if (this.#words.length === 0) this.#limit = new SearchLimit();
    this.deletingId = undefined;
    this.#renamedId = undefined;
    // Show the first matches, not those at the current scroll position.
    this.renderRoot.querySelector('.list')?.scrollTo({top: 0});
  }

  #showMore = (): void => {
    if (this.#words.length === 0) dispatch(this, {type: 'more-threads'});
    else this.#limit.extend(this.#hits.length);
    this.requestUpdate();
  };

  #tryAgain = (): void => dispatch(this, {type: this.list.after === undefined ? 'open-history' : 'more-threads'});

  #close = (): void => dispatch(this, {type: 'close-history'});

  #onKey = (event: KeyboardEvent): void => {
    // Input methods use Escape and arrow keys themselves.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Tab' && !this.docked) this.#keepFocus(event);
    if (isMoveKey(event)) this.#moveFocus(event);
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    // Otherwise a dialog around the chat would close too.
    event.preventDefault();
    if (this.deletingId !== undefined) this.#cancelDelete(this.deletingId);
    else if (this.query !== '') this.#clearQuery();
    else if (!this.docked) this.#close();
  };

  /** Makes Tab cycle inside the panel, which is modal. */
  #keepFocus(event: KeyboardEvent): void {
    const stops = [...this.renderRoot.querySelectorAll<HTMLElement>('button:not(:disabled), input')];
    const [first, last] = [stops[0], stops.at(-1)];
    const focused = (this.renderRoot as ShadowRoot).activeElement;
    const leaves = event.shiftKey ? focused === first || !stops.includes(focused as HTMLElement) : focused === last;
    if (!leaves) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }

  /** Moves the focus with arrow keys from the search field into the list, through it, and back. */
  #moveFocus(event: KeyboardEvent): void {
    const focused = (this.renderRoot as ShadowRoot).activeElement;
    const field = this.renderRoot.querySelector<HTMLElement>('.query');
    const isAbove = focused !== null && (focused === field || focused.matches('.panel'));
    const isUp = event.key === 'ArrowUp';
    if (isAbove ? isUp : event.key === 'Enter') return;
    const rows = [...this.renderRoot.querySelectorAll<HTMLElement>('.open, .more:not(:disabled)')];
    const row = focused?.closest('li')?.querySelector<HTMLElement>('.open') ?? focused;
    const at = rows.indexOf(row as HTMLElement);
    if (at < 0 && !isAbove) return;
    event.preventDefault();
    (isUp && at === 0 ? field : rows[at + (isUp ? -1 : 1)])?.focus();
  }

  #focusRow(id: string): void {
    this.#focus(`[data-thread="${CSS.escape(id)}"]`);
  }

  #focus(selector: string): void {
    this.renderRoot.querySelector<HTMLElement>(selector)?.focus();
  }
}

/** Renders the title with its matches highlighted; all of it stays plain text. */
function markMatches(title: string, matches: Hit['matches']) {
  let at = 0;
  const pieces = matches.map(({start, end}) => {
    const before = title.slice(at, start);
    at = end;
    return html`${before}<mark>${title.slice(start, end)}</mark>`;
  });
  return html`${pieces}${title.slice(at)}`;
}

function isMoveKey({key, altKey, ctrlKey, metaKey, shiftKey}: KeyboardEvent): boolean {
  return ['ArrowDown', 'ArrowUp', 'Enter'].includes(key) && !altKey && !ctrlKey && !metaKey && !shiftKey;
}
