/** `<parlor-turn-actions>`: buttons below an answer to copy, rate and retry it. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {dispatch} from '../intents.js';
import type {ThreadItem} from '../protocol/types.js';
import {strings} from '../strings.js';
import {copyText} from './clipboard.js';
import {baseStyles, buttonStyles} from './styles.js';

const COPIED_MS = 1500;
/** Long enough to be read. */
const FAILED_MS = 6000;
type Feedback = 'positive' | 'negative';

export class TurnActions extends LitElement {
  static override properties = {
    items: {attribute: false},
    canRetry: {attribute: false},
    canRate: {attribute: false},
    copying: {state: true},
    stored: {attribute: false},
    rating: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px;
        margin-inline-start: -7px;
      }
      .failed {
        padding-inline-start: 6px;
        font-size: var(--chatkit-text-xs-size);
        line-height: var(--chatkit-text-xs-line);
        color: var(--chatkit-text-secondary);
      }
    `,
  ];

  declare items: readonly ThreadItem[];
  declare canRetry: boolean;
  declare canRate: boolean;
  /** The outcome of the last copy, reset after a moment. */
  declare copying: 'none' | 'copied' | 'failed';
  /** The rating that the server has stored. */
  declare stored: Feedback | undefined;
  declare rating: Feedback | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.items = [];
    this.canRetry = false;
    this.canRate = false;
    this.copying = 'none';
    this.stored = undefined;
    this.rating = undefined;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.copying = 'none';
  }

  override render() {
    const rating = this.rating ?? this.stored;
    const isCopied = this.copying === 'copied';
    return html`
      ${
        textOfTurn(this.items) === ''
          ? nothing
          : this.#button(
              isCopied ? 'check' : 'copy',
              isCopied ? strings.copied : strings.copyAnswer,
              () => void this.#copy(),
            )
      }
      ${
        this.canRate
          ? html`${this.#button('thumbs-up', strings.goodAnswer, () => this.#rate('positive'), rating === 'positive')}
          ${this.#button('thumbs-down', strings.badAnswer, () => this.#rate('negative'), rating === 'negative')}`
          : nothing
      }
      ${this.canRetry ? this.#button('reload', strings.tryAgain, () => dispatch(this, {type: 'retry'})) : nothing}
      <span class=${this.copying === 'failed' ? 'failed' : 'visually-hidden'} role="status"
        >${{none: '', copied: strings.copied, failed: strings.copyFailed}[this.copying]}</span
      >
    `;
  }

  #button(glyph: string, label: string, onClick: () => void, isPressed?: boolean) {
    return html`<button
      type="button"
      class="icon-button small"
      aria-label=${label}
      title=${label}
      aria-pressed=${isPressed === undefined ? nothing : String(isPressed)}
      @click=${onClick}
    >${icon(glyph, '18')}</button>`;
  }

  #rate(kind: Feedback): void {
    const before = this.rating;
    // The protocol cannot withdraw a rating, only change it.
    if ((before ?? this.stored) === kind) return;
    this.rating = kind;
    const itemIds = this.items.filter(({type}) => type !== 'end_of_turn').map(({id}) => id);
    const revert = (): void => {
      if (this.rating === kind) this.rating = before;
    };
    dispatch(this, {type: 'feedback', kind, itemIds, revert});
  }

  async #copy(): Promise<void> {
    const isCopied = await copyText(textOfTurn(this.items), this.renderRoot);
    if (!this.isConnected) return;
    this.copying = isCopied ? 'copied' : 'failed';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.copying = 'none';
      },
      isCopied ? COPIED_MS : FAILED_MS,
    );
  }
}

/** Returns an answer as Markdown, with the copy text of its widgets. */
export function textOfTurn(items: readonly ThreadItem[]): string {
  const texts = items.map(item => {
    if (item.type === 'assistant_message') return item.content.map(part => part.text).join('\n\n');
    return item.type === 'widget' ? (item.copyText ?? '') : '';
  });
  return texts.filter(text => text.trim() !== '').join('\n\n');
}
