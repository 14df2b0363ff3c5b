/** `<parlor-menu-button>`: a button with a menu of actions and choices; the composer has several. */
import {css, html, LitElement, nothing, type TemplateResult} from 'lit';
import {icon} from '../icons/icons.js';
import {popoverStyles} from './popover-style.js';
import {baseStyles, buttonStyles} from './styles.js';

export interface MenuItem {
  readonly key: string;
  readonly label: string;
  readonly description?: string | undefined;
  readonly icon?: string | undefined;
  /** `undefined` for an action; otherwise whether this choice is the current one. */
  readonly isChecked?: boolean | undefined;
  readonly isDisabled?: boolean;
  readonly choose: () => void;
}

/** The gap between the menu and the upper edge of the chat. */
const MARGIN_PX = 16;

export class MenuButton extends LitElement {
  static override properties = {
    label: {attribute: false},
    items: {attribute: false},
    disabled: {attribute: false},
    face: {attribute: false},
    isOpen: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    popoverStyles,
    css`
      :host {
        display: inline-flex;
        min-inline-size: 0;
      }
      .icon-button {
        border-radius: max(var(--chatkit-radius-full), 6px);
      }
      .icon-button[aria-expanded='true'] {
        background: var(--chatkit-active);
      }
      .text {
        display: inline-flex;
        align-items: center;
        gap: 4px;
        min-inline-size: 0;
        min-block-size: 32px;
        padding-inline: 10px 6px;
        border-radius: max(var(--chatkit-radius-full), 6px);
        font-size: var(--chatkit-text-sm-size);
        color: var(--chatkit-text-secondary);
        transition: background var(--chatkit-duration);
      }
      .text:hover:not(:disabled),
      .text[aria-expanded='true'] {
        background: var(--chatkit-hover);
        color: var(--chatkit-text-primary);
      }
      .text > span {
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      [role='menu'] {
        inset-inline-start: 0;
        min-inline-size: min(220px, 100%);
        max-inline-size: min(340px, 100%);
        max-block-size: min(360px, var(--composer-room, 50vh));
      }
      :host([align='end']) [role='menu'] {
        inset-inline: auto 0;
      }
      [role^='menuitem'] {
        inline-size: 100%;
      }
      [role^='menuitem']:hover,
      [role^='menuitem']:focus {
        background: var(--chatkit-hover);
      }
      [role^='menuitem']:focus-visible {
        outline-offset: -2px;
      }
      [role^='menuitem'][aria-disabled='true'] {
        color: var(--chatkit-text-tertiary);
        cursor: default;
      }
      [role='separator'] {
        block-size: 1px;
        margin: 6px 10px;
        background: var(--chatkit-border-default);
      }
      @media (forced-colors: active) {
        [role^='menuitem']:focus {
          outline: 2px solid Highlight;
        }
      }
    `,
  ];

  /** The name of the button and of its menu. */
  declare label: string;
  declare items: readonly MenuItem[];
  declare disabled: boolean;
  /** Text on the button; `undefined` shows a plus sign. */
  declare face: string | undefined;
  declare isOpen: boolean;

  constructor() {
    super();
    this.label = '';
    this.items = [];
    this.disabled = false;
    this.face = undefined;
    this.isOpen = false;
  }

  override render() {
    return html`<button
        type="button"
        class="opener ${this.face === undefined ? 'icon-button' : 'text'}"
        aria-label=${this.label}
        title=${this.face === undefined ? this.label : nothing}
        aria-haspopup="menu"
        aria-expanded=${String(this.isOpen)}
        ?disabled=${this.disabled}
        @click=${() => this.#toggle()}
        @keydown=${this.#onOpenerKey}
      >${this.face === undefined ? icon('plus', '20') : html`<span dir="auto">${this.face}</span>${icon('chevron-down', '14')}`}</button>
      ${
        this.isOpen
          ? html`<div role="menu" aria-label=${this.label} @keydown=${this.#onKey} @focusout=${this.#onFocusOut}>
            ${this.items.map((item, at) => this.#item(item, this.items[at - 1]))}
          </div>`
          : nothing
      }`;
  }

  #item(item: MenuItem, before: MenuItem | undefined): TemplateResult {
    const {label, description, isChecked, isDisabled = false, choose} = item;
    const isNewKind = before !== undefined && (before.isChecked === undefined) !== (isChecked === undefined);
    return html`${isNewKind ? html`<div role="separator"></div>` : nothing}
      <button
        type="button"
        role=${isChecked === undefined ? 'menuitem' : 'menuitemradio'}
        tabindex="-1"
        aria-checked=${isChecked === undefined ? nothing : String(isChecked)}
        aria-disabled=${isDisabled ? 'true' : nothing}
        @click=${() => {
          if (isDisabled) return;
          this.#close();
          choose();
        }}
      >
        ${item.icon === undefined ? nothing : icon(item.icon, '18')}
        <span class="words" dir="auto">${label}${description ? html`<span class="description">${description}</span>` : nothing}</span>
        ${isChecked === true ? icon('check', '16') : nothing}
      </button>`;
  }

  #toggle(at: 'current' | 'last' = 'current'): void {
    this.isOpen = !this.isOpen;
    if (!this.isOpen) return;
    measureRoom(this);
    void this.updateComplete.then(() => {
      const options = this.#options;
      const current = options.find(option => option.getAttribute('aria-checked') === 'true');
      (at === 'last' ? options.at(-1) : (current ?? options[0]))?.focus();
    });
  }

  #close(): void {
    this.isOpen = false;
    this.renderRoot.querySelector<HTMLElement>('.opener')?.focus();
  }

  #onOpenerKey = (event: KeyboardEvent): void => {
    if (this.isOpen || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
    event.preventDefault();
    this.#toggle(event.key === 'ArrowUp' ? 'last' : 'current');
  };

  #onKey = (event: KeyboardEvent): void => {
    const options = this.#options;
    const at = options.indexOf(this.shadowRoot?.activeElement as HTMLElement);
    const moves: Readonly<Record<string, number>> = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1};
    if (event.key === 'Escape') {
      event.stopPropagation();
      // Otherwise a dialog around the chat would close too.
      event.preventDefault();
      this.#close();
    } else if (event.key === 'Tab') {
      // Tab then moves on from the opener: Chromium would cycle inside the shadow root.
      this.#close();
    } else if (Object.hasOwn(moves, event.key)) {
      event.preventDefault();
      options.at((moves[event.key] ?? 0) % options.length)?.focus();
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && event.key !== ' ') {
      const wanted = event.key.toLocaleLowerCase();
      const ordered = [...options.slice(at + 1), ...options.slice(0, at + 1)];
      ordered.find(option => option.textContent?.trim().toLocaleLowerCase().startsWith(wanted))?.focus();
    }
  };

  #onFocusOut = (event: FocusEvent): void => {
    if (!(event.relatedTarget instanceof Node) || !this.shadowRoot?.contains(event.relatedTarget)) this.isOpen = false;
  };

  get #options(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('[role^=menuitem]')];
  }
}

/** Sets `--composer-room` on `view`: how tall a popover above it may be, up to the upper edge of the chat. */
export function measureRoom(view: HTMLElement): void {
  let chat: Element = view;
  for (let root = chat.getRootNode(); root instanceof ShadowRoot; root = chat.getRootNode()) chat = root.host;
  const composer = (view.getRootNode() as Partial<ShadowRoot>).host ?? view;
  const room = composer.getBoundingClientRect().top - chat.getBoundingClientRect().top - MARGIN_PX;
  view.style.setProperty('--composer-room', `${Math.max(120, Math.round(room))}px`);
}
