/** `<parlor-generated-image>`: a picture that becomes clearer while it is generated, then opens in full size. */
import {css, html, LitElement, nothing, type PropertyValues} from 'lit';
import {icon} from '../icons/icons.js';
import {isSafeImage} from '../links.js';
import {strings} from '../strings.js';
import {baseStyles, buttonStyles} from './styles.js';

export class GeneratedImageView extends LitElement {
  static override properties = {
    url: {attribute: false},
    progress: {attribute: false},
    streaming: {attribute: false},
    hasFailed: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        display: block;
      }
      .frame {
        position: relative;
        display: block;
        inline-size: min(100%, 420px);
        border-radius: var(--chatkit-radius-card);
        background: var(--chatkit-surface-tertiary);
        color: var(--chatkit-text-secondary);
        overflow: hidden;
      }
      .frame.empty {
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 12px;
        aspect-ratio: 1;
      }
      .frame.coming::before {
        content: '';
        position: absolute;
        inset: 0;
        background: linear-gradient(110deg, transparent 40%, var(--chatkit-alpha-06) 50%, transparent 60%) 0 0 / 250%
          100%;
        animation: sweep 2.4s linear infinite;
      }
      @keyframes sweep {
        from {
          background-position: 150% 0;
        }
        to {
          background-position: -100% 0;
        }
      }
      .frame img {
        display: block;
        inline-size: 100%;
        block-size: auto;
        transition: filter 0.4s;
      }
      .coming img {
        filter: blur(6px);
      }
      button.frame {
        cursor: zoom-in;
      }
      progress {
        inline-size: 140px;
        block-size: 4px;
        appearance: none;
        border: 0;
        border-radius: 2px;
        overflow: hidden;
        background: var(--chatkit-alpha-15);
      }
      progress::-webkit-progress-bar {
        background: transparent;
      }
      progress::-webkit-progress-value {
        background: var(--chatkit-text-primary);
        transition: inline-size 0.3s;
      }
      progress::-moz-progress-bar {
        background: var(--chatkit-text-primary);
      }
      .coming img + progress {
        position: absolute;
        inset-block-end: 12px;
        inset-inline-start: calc(50% - 70px);
        background: rgb(255 255 255 / 60%);
      }
      dialog {
        max-inline-size: 100vw;
        max-block-size: 100vh;
        inline-size: 100vw;
        block-size: 100vh;
        margin: 0;
        padding: 48px 16px 16px;
        border: 0;
        background: rgb(0 0 0 / 85%);
        color: #fff;
      }
      dialog[open] {
        display: grid;
        place-items: center;
      }
      dialog::backdrop {
        background: transparent;
      }
      dialog img {
        max-inline-size: 100%;
        max-block-size: 100%;
        min-block-size: 0;
        object-fit: contain;
      }
      .close {
        position: absolute;
        inset-block-start: 8px;
        inset-inline-end: 8px;
        color: #fff;
      }
      .close:hover:not(:disabled) {
        background: rgb(255 255 255 / 18%);
        color: #fff;
      }
    `,
  ];

  declare url: string | undefined;
  /** 0 to 1; `undefined` when the server does not say. */
  declare progress: number | undefined;
  declare streaming: boolean;
  declare hasFailed: boolean;

  constructor() {
    super();
    this.url = undefined;
    this.progress = undefined;
    this.streaming = false;
    this.hasFailed = false;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('url')) this.hasFailed = false;
  }

  override render() {
    const {url} = this;
    const isShown = url !== undefined && isSafeImage(url, undefined, document.baseURI) && !this.hasFailed;
    if (!isShown) return this.#placeholder();
    const picture = html`<img
      src=${url}
      alt=${strings.generatedImage}
      referrerpolicy="no-referrer"
      @error=${() => {
        this.hasFailed = true;
      }}
    />`;
    if (this.streaming) {
      return html`<div class="frame coming" part="generated-image">${picture}${this.#progressBar()}</div>`;
    }
    return html`<button
        type="button"
        class="frame"
        part="generated-image"
        aria-label=${`${strings.generatedImage}. ${strings.openImage}`}
        aria-haspopup="dialog"
        @click=${() => this.#dialog?.showModal()}
      >
        ${picture}
      </button>
      <dialog aria-label=${strings.generatedImage} @click=${this.#onDialogClick}>
        <button type="button" class="icon-button close" aria-label=${strings.closeImage} @click=${() => this.#dialog?.close()}>
          ${icon('close', '20')}
        </button>
        <img src=${url} alt=${strings.generatedImage} referrerpolicy="no-referrer" />
      </dialog>`;
  }

  #placeholder() {
    if (!this.streaming) {
      return html`<div class="frame empty" part="generated-image">
        ${icon('square-image', '32')}<span>${strings.imageMissing}</span>
      </div>`;
    }
    return html`<div class="frame empty coming" part="generated-image">
      ${icon('square-image', '32')}${this.#progressBar() ?? nothing}
      <span class="visually-hidden" role="status">${strings.imageComing}</span>
    </div>`;
  }

  #progressBar() {
    if (this.progress === undefined) return nothing;
    const share = Math.min(1, Math.max(0, this.progress));
    return html`<progress max="1" .value=${share} aria-label=${strings.imageComing}></progress>`;
  }

  #onDialogClick = (event: Event): void => {
    // The dark area around the picture.
    if (event.target === this.#dialog) this.#dialog?.close();
  };

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}
