/** `<parlor-notices>`: notices of the running turn, or an alert about a failure outside of it. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {dispatch, type Intent, relayTo} from '../intents.js';
import type {NoticeLevel} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {Notice} from '../thread/thread-state.js';
import {exportedParts} from './exported-parts.js';
import {baseStyles, buttonStyles} from './styles.js';

const GLYPHS: Readonly<Record<NoticeLevel, string>> = {info: 'info', warning: 'warning', danger: 'error'};

export class NoticesView extends LitElement {
  static override properties = {
    notices: {attribute: false},
    imageDomains: {attribute: false},
    alertText: {attribute: false},
    canRetryAlert: {attribute: false},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        display: grid;
        gap: 8px;
      }
      .notice {
        display: flex;
        align-items: flex-start;
        gap: 10px;
        padding: 10px 8px 10px 14px;
        border-radius: var(--chatkit-radius-xl);
        font-size: var(--chatkit-text-sm-size);
        line-height: var(--chatkit-text-sm-line);
        color: var(--chatkit-text-primary);
        border: 1px solid transparent;
      }
      .info {
        background: var(--chatkit-info-soft);
      }
      .warning {
        background: var(--chatkit-warning-soft);
      }
      .danger {
        background: var(--chatkit-danger-soft);
      }
      .info > svg {
        color: var(--chatkit-text-info);
      }
      .warning > svg {
        color: var(--chatkit-text-warning);
      }
      .danger > svg {
        color: var(--chatkit-text-danger);
      }
      .notice > svg {
        margin-block-start: 1px;
      }
      .text {
        flex: 1;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      .lines {
        white-space: pre-line;
      }
      .title {
        margin: 0;
        font-weight: 600;
      }
      .icon-button {
        inline-size: 24px;
        block-size: 24px;
        border-radius: var(--chatkit-radius-sm);
      }
    `,
  ];

  declare notices: readonly Notice[];
  declare imageDomains: readonly string[] | undefined;
  declare alertText: string | undefined;
  /** Whether to offer signing in again. */
  declare canRetryAlert: boolean;

  constructor() {
    super();
    this.notices = [];
    this.imageDomains = undefined;
    this.alertText = undefined;
    this.canRetryAlert = false;
  }

  override render() {
    return html`<div role="alert">
        ${this.alertText === undefined ? nothing : this.#box('danger', undefined, this.#alert(this.alertText), {type: 'dismiss-alert'})}
      </div>
      <div role="status">
        ${this.notices.map(({key, level, title, message}) =>
          this.#box(
            level,
            title,
            html`<parlor-markdown exportparts=${exportedParts} .text=${message} .imageDomains=${this.imageDomains} @parlor-intent=${relayTo(this)}></parlor-markdown>`,
            {type: 'dismiss-notice', key},
          ),
        )}
      </div>`;
  }

  #alert(text: string) {
    const lines = html`<span class="lines">${text}</span>`;
    if (!this.canRetryAlert) return lines;
    return html`${lines}
      <button type="button" class="text-button" @click=${() => dispatch(this, {type: 'sign-in-again'})}>
        ${icon('reload', '16')}${strings.tryAgain}
      </button>`;
  }

  #box(level: NoticeLevel, title: string | undefined, body: unknown, dismiss: Intent) {
    return html`<div class="notice ${level}" part="notice">
      ${icon(GLYPHS[level], '18')}
      <span class="visually-hidden">${strings[level]}</span>
      <div class="text" dir="auto">${title ? html`<p class="title">${title}</p>` : nothing}${body}</div>
      <button type="button" class="icon-button" aria-label=${strings.dismiss} @click=${() => dispatch(this, dismiss)}>
        ${icon('close', '16')}
      </button>
    </div>`;
  }
}
