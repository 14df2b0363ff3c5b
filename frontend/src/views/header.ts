/** `<parlor-header>`: title, history, new chat, and up to two buttons of the page. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {dispatch, type Intent} from '../intents.js';
import type {HeaderAction, Settings} from '../options.js';
import {strings} from '../strings.js';
import {barStyles, baseStyles, buttonStyles} from './styles.js';

export class HeaderView extends LitElement {
  static override properties = {
    settings: {attribute: false},
    title_: {attribute: false},
    inThread: {attribute: false},
    historyOpen: {attribute: false},
    docked: {attribute: false},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    barStyles,
    css`
      :host {
        display: block;
      }
      .space {
        flex: 1;
      }
    `,
  ];

  declare settings: Settings;
  /** The current thread's title. */
  declare title_: string;
  declare inThread: boolean;
  declare historyOpen: boolean;
  /** Whether the history is docked beside the chat; it then has the button for a new chat. */
  declare docked: boolean;

  constructor() {
    super();
    this.title_ = '';
    this.inThread = false;
    this.historyOpen = false;
    this.docked = false;
  }

  /** Puts focus back on the button that opened the history. */
  focusHistoryButton(): void {
    this.renderRoot.querySelector<HTMLElement>('.history')?.focus();
  }

  override render() {
    if (!this.settings) return nothing;
    const {header, history} = this.settings;
    const title = header.titleText ?? this.title_;
    return html`<div class="bar" part="header">
      ${this.#action('left', header.left)}
      ${history.enabled && !this.docked ? this.#button('history', 'history', strings.openHistory, {type: 'open-history'}) : nothing}
      ${header.titleEnabled && title ? html`<h2 part="title" dir="auto">${title}</h2>` : html`<span class="space"></span>`}
      ${this.inThread && !this.docked ? this.#button('new-chat', 'compose', strings.newChat, {type: 'new-chat'}) : nothing}
      ${this.#action('right', header.right)}
    </div>`;
  }

  #button(name: string, glyph: string, label: string, intent: Intent) {
    return html`<button
      type="button"
      class="icon-button ${name}"
      aria-label=${label}
      title=${label}
      aria-expanded=${name === 'history' ? String(this.historyOpen) : nothing}
      @click=${() => dispatch(this, intent)}
    >${icon(glyph, '20')}</button>`;
  }

  #action(side: 'left' | 'right', action: HeaderAction | undefined) {
    if (!action) return nothing;
    return this.#button(`custom-${side}`, action.icon, action.label ?? strings.headerAction(action.icon), {
      type: 'header-action',
      side,
    });
  }
}
