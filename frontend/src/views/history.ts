/** `<parlor-history>`: the panel with a person's threads; opens, renames, deletes. */
import {css, html, LitElement, nothing, type PropertyValues} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {icon} from '../icons.js';
import type {Thread} from '../protocol.js';
import {strings} from '../strings.js';
import type {ThreadListState} from '../thread-list.js';
import {express} from './intents.js';
import {baseStyles, buttonStyles} from './styles.js';

export class HistoryView extends LitElement {
  static override properties = {
    list: {attribute: false},
    currentId: {attribute: false},
    showDelete: {attribute: false},
    showRename: {attribute: false},
    editingId: {state: true},
    deletingId: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        position: absolute;
        inset: 0;
        z-index: 3;
        display: block;
      }
      .scrim {
        position: absolute;
        inset: 0;
        background: var(--chatkit-scrim);
        animation: appear var(--chatkit-duration);
      }
      .panel {
        position: absolute;
        inset-block: 0;
        inset-inline-start: 0;
        inline-size: min(340px, 100%);
        display: flex;
        flex-direction: column;
        background: var(--chatkit-surface);
        box-shadow: var(--chatkit-shadow-4);
        animation: slide 180ms ease-out;
        outline: none;
      }
      @keyframes appear {
        from {
          opacity: 0;
        }
      }
      @keyframes slide {
        from {
          translate: -16px 0;
          opacity: 0;
        }
      }
      .bar {
        display: flex;
        align-items: center;
        gap: 4px;
        min-block-size: calc(var(--chatkit-space) * 13);
        padding: calc(var(--chatkit-space) * 2) calc(var(--chatkit-space) * 3);
      }
      h2 {
        flex: 1;
        margin: 0;
        padding-inline: 4px;
        font-size: var(--chatkit-text-md-size);
        line-height: var(--chatkit-text-md-line);
        font-weight: 600;
      }
      .list {
        flex: 1;
        min-block-size: 0;
        overflow-y: auto;
        scrollbar-width: thin;
        scrollbar-color: var(--chatkit-alpha-20) transparent;
        padding: 0 8px 16px;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        gap: 2px;
        padding-inline-end: 4px;
        border-radius: var(--chatkit-radius-lg);
        transition: background var(--chatkit-duration);
      }
      li:hover,
      li:focus-within {
        background: var(--chatkit-hover);
      }
      li.current {
        background: var(--chatkit-active);
      }
      .open {
        flex: 1;
        min-inline-size: 0;
        min-block-size: 40px;
        padding: 8px 10px;
        border-radius: inherit;
        font-size: var(--chatkit-text-sm-size);
        line-height: var(--chatkit-text-sm-line);
        color: var(--chatkit-text-primary);
        white-space: nowrap;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .open:focus-visible {
        outline-offset: -2px;
      }
      li .icon-button {
        opacity: 0;
      }
      li:hover .icon-button,
      li:focus-within .icon-button,
      li.current .icon-button {
        opacity: 1;
      }
      @media (hover: none) {
        li .icon-button {
          opacity: 1;
        }
      }
      input {
        flex: 1;
        min-inline-size: 0;
        min-block-size: 34px;
        margin: 3px;
        padding: 4px 8px;
        border: 1px solid var(--chatkit-border-strong);
        border-radius: var(--chatkit-radius-md);
        background: var(--chatkit-surface);
        font: inherit;
        font-size: max(16px, var(--chatkit-text-sm-size));
        color: var(--chatkit-text-primary);
      }
      .question {
        flex: 1;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px;
        padding: 8px 6px 8px 10px;
        font-size: var(--chatkit-text-sm-size);
        line-height: var(--chatkit-text-sm-line);
      }
      .question span {
        flex: 1 1 100%;
      }
      .empty {
        display: grid;
        justify-items: start;
        gap: 12px;
        padding: 12px 10px;
        font-size: var(--chatkit-text-sm-size);
        line-height: var(--chatkit-text-sm-line);
        color: var(--chatkit-text-secondary);
      }
      .more {
        margin: 8px 10px;
      }
      @media (forced-colors: active) {
        .panel {
          border-inline-end: 1px solid CanvasText;
        }
        li.current {
          outline: 2px solid Highlight;
          outline-offset: -2px;
        }
      }
    `,
  ];

  declare list: ThreadListState;
  declare currentId: string | undefined;
  declare showDelete: boolean;
  declare showRename: boolean;
  declare editingId: string | undefined;
  declare deletingId: string | undefined;

  constructor() {
    super();
    this.list = {threads: [], after: undefined, isLoading: false, hasFailed: false};
    this.currentId = undefined;
    this.showDelete = true;
    this.showRename = true;
    this.editingId = undefined;
    this.deletingId = undefined;
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector<HTMLElement>('.panel')?.focus({preventScroll: true});
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('editingId') && this.editingId !== undefined) this.renderRoot.querySelector('input')?.select();
    if (changed.has('deletingId') && this.deletingId !== undefined) this.#focus('.question .cancel');
  }

  override render() {
    const {threads, after, isLoading, hasFailed} = this.list;
    return html`<div class="scrim" @click=${this.#close}></div>
      <div class="panel" part="history" role="dialog" aria-modal="true" aria-label=${strings.openHistory} tabindex="-1" @keydown=${this.#onKey}>
        <div class="bar">
          <h2>${strings.historyTitle}</h2>
          <button type="button" class="icon-button" aria-label=${strings.newChat} title=${strings.newChat} @click=${() => express(this, {type: 'new-chat'})}>
            ${icon('compose', '20')}
          </button>
          <button type="button" class="icon-button" aria-label=${strings.closeHistory} title=${strings.closeHistory} @click=${this.#close}>
            ${icon('close', '20')}
          </button>
        </div>
        <div class="list" aria-busy=${String(isLoading)}>
          <ul>
            ${repeat(
              threads,
              ({id}) => id,
              thread => this.#row(thread),
            )}
          </ul>
          ${
            hasFailed
              ? html`<div class="empty" role="alert">
                ${strings.historyFailed}
                <button type="button" class="text-button" @click=${() => express(this, {type: 'open-history'})}>${strings.tryAgain}</button>
              </div>`
              : nothing
          }
          ${threads.length === 0 && !hasFailed ? html`<div class="empty" role="status">${isLoading ? strings.loading : strings.historyEmpty}</div>` : nothing}
          ${
            after !== undefined
              ? html`<button type="button" class="text-button more" ?disabled=${isLoading} @click=${() => express(this, {type: 'more-threads'})}>
                ${isLoading ? strings.loading : strings.loadMore}
              </button>`
              : nothing
          }
        </div>
      </div>`;
  }

  #row(thread: Thread) {
    const title = thread.title ?? strings.untitled;
    const isCurrent = thread.id === this.currentId;
    return html`<li class=${isCurrent ? 'current' : ''}>
      ${
        this.editingId === thread.id
          ? this.#editor(thread)
          : this.deletingId === thread.id
            ? this.#question(thread)
            : html`<button
                type="button"
                class="open"
                dir="auto"
                data-thread=${thread.id}
                aria-current=${isCurrent ? 'true' : nothing}
                @click=${() => express(this, {type: 'open-thread', threadId: thread.id})}
              >${title}</button>
              ${this.showRename ? this.#button('write', strings.rename(title), () => this.#edit(thread.id)) : nothing}
              ${this.showDelete ? this.#button('trash', strings.delete(title), () => this.#ask(thread.id)) : nothing}`
      }
    </li>`;
  }

  #button(glyph: string, label: string, onClick: () => void) {
    return html`<button type="button" class="icon-button small" aria-label=${label} title=${label} @click=${onClick}>${icon(glyph, '16')}</button>`;
  }

  #editor(thread: Thread) {
    return html`<input
      type="text"
      dir="auto"
      maxlength="200"
      aria-label=${strings.renameField}
      .value=${thread.title ?? ''}
      @keydown=${(event: KeyboardEvent) => this.#onEditorKey(event, thread)}
      @blur=${(event: FocusEvent) => this.#save(thread, (event.target as HTMLInputElement).value)}
    />`;
  }

  #question(thread: Thread) {
    const back = (): void => {
      this.deletingId = undefined;
      void this.updateComplete.then(() => this.#focusRow(thread.id));
    };
    return html`<div class="question" role="group" aria-label=${strings.deleteQuestion}>
      <span>${strings.deleteQuestion}</span>
      <button type="button" class="text-button danger" @click=${() => this.#delete(thread.id)}>${strings.deleteConfirm}</button>
      <button type="button" class="text-button cancel" @click=${back}>${strings.cancel}</button>
    </div>`;
  }

  #edit(id: string): void {
    this.deletingId = undefined;
    this.editingId = id;
  }

  #ask(id: string): void {
    this.editingId = undefined;
    this.deletingId = id;
  }

  #delete(threadId: string): void {
    this.deletingId = undefined;
    express(this, {type: 'delete-thread', threadId});
    this.#focus('.panel');
  }

  #onEditorKey(event: KeyboardEvent, thread: Thread): void {
    if (event.isComposing) return;
    if (event.key === 'Enter') this.#save(thread, (event.target as HTMLInputElement).value);
    if (event.key === 'Escape') this.editingId = undefined;
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.stopPropagation();
    // The row gets the focus before the key is up, and Enter would open it.
    event.preventDefault();
    void this.updateComplete.then(() => this.#focusRow(thread.id));
  }

  #save(thread: Thread, value: string): void {
    // Removing the field blurs it, which asks once more.
    if (this.editingId !== thread.id) return;
    this.editingId = undefined;
    const title = value.trim();
    if (title !== '' && title !== thread.title) express(this, {type: 'rename-thread', threadId: thread.id, title});
  }

  #close = (): void => express(this, {type: 'close-history'});

  #onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Tab') this.#keepFocus(event);
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    if (this.deletingId !== undefined) this.deletingId = undefined;
    else this.#close();
  };

  /** The panel is modal: Tab goes round in it. */
  #keepFocus(event: KeyboardEvent): void {
    const stops = [...this.renderRoot.querySelectorAll<HTMLElement>('button:not(:disabled), input')];
    const [first, last] = [stops[0], stops.at(-1)];
    const focused = (this.renderRoot as ShadowRoot).activeElement;
    const leaves = event.shiftKey ? focused === first || !stops.includes(focused as HTMLElement) : focused === last;
    if (!leaves) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }

  #focusRow(id: string): void {
    this.#focus(`[data-thread="${CSS.escape(id)}"]`);
  }

  #focus(selector: string): void {
    this.renderRoot.querySelector<HTMLElement>(selector)?.focus();
  }
}
