/** `<parlor-lightbox>`: shows pictures of a message over the whole window, one at a time, with zoom. */
import {css, html, LitElement, nothing, type PropertyValues} from 'lit';
import {type FileDetails, toDownloadUrl} from '../composer/file-details.js';
import {icon} from '../icons/icons.js';
import {strings} from '../strings.js';
import {requestFile} from './file-download.js';
import {baseStyles, buttonStyles} from './styles.js';

/** A multiple of the size that fits the window. */
const MAX_ZOOM = 8;
const ZOOM_STEP = 1.5;
/** How far an arrow key moves a picture that is larger than the window. */
const PAN_PX = 80;

export interface Picture {
  /** Unique among the pictures that are shown together. */
  readonly key: string;
  /** The id of the full picture on the server; `undefined` for one that has not been uploaded. */
  readonly id: string | undefined;
  readonly name: string;
  /** URL of a preview, or of the picture itself. */
  readonly url: string;
}

/** @event lightbox-close - The lightbox was closed; its parent should remove it. */
export class Lightbox extends LitElement {
  static override properties = {
    pictures: {attribute: false},
    shownKey: {attribute: false},
    at: {state: true},
    details: {state: true},
    zoom: {state: true},
    hasFailed: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      dialog {
        inline-size: 100vw;
        block-size: 100vh;
        block-size: 100dvh;
        max-inline-size: none;
        max-block-size: none;
        margin: 0;
        padding: 0;
        border: 0;
        background: rgb(0 0 0 / 94%);
        color: #fff;
        overflow: hidden;
        overscroll-behavior: contain;
      }
      dialog[open] {
        display: grid;
        grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
      }
      dialog::backdrop {
        background: transparent;
      }
      .bar {
        display: flex;
        align-items: center;
        gap: 4px;
        padding: 8px;
      }
      .caption {
        flex: 1;
        min-inline-size: 0;
        padding-inline-start: 8px;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: var(--chatkit-text-sm-size);
      }
      .icon-button {
        display: inline-grid;
        place-items: center;
        flex: none;
        color: #fff;
      }
      .icon-button:hover:not(:disabled) {
        background: rgb(255 255 255 / 18%);
        color: #fff;
      }
      .icon-button:focus-visible,
      .stage:focus-visible {
        outline-color: #fff;
        outline-offset: -2px;
      }
      .room {
        position: relative;
        min-block-size: 0;
      }
      .stage {
        position: absolute;
        inset: 0;
        display: grid;
        overflow: auto;
        /* A finger moves what is larger than the window, and two fingers make it larger. */
        touch-action: pan-x pan-y pinch-zoom;
      }
      .stage img {
        display: block;
        margin: auto;
        max-inline-size: 100%;
        max-block-size: 100%;
        object-fit: contain;
        cursor: zoom-in;
      }
      .stage.zoomed img {
        max-inline-size: none;
        max-block-size: none;
        cursor: zoom-out;
      }
      .missing {
        margin: auto;
        padding: 16px;
        text-align: center;
      }
      .turn {
        position: absolute;
        inset-block-start: calc(50% - 22px);
        inline-size: 44px;
        block-size: 44px;
        border-radius: 50%;
        background: rgb(0 0 0 / 55%);
      }
      .turn.back {
        inset-inline-start: 8px;
      }
      .turn.on {
        inset-inline-end: 8px;
      }
      .turn:dir(rtl) svg {
        scale: -1 1;
      }
      @media (forced-colors: active) {
        dialog {
          background: Canvas;
        }
      }
    `,
  ];

  declare pictures: readonly Picture[];
  /** The one to begin with; any other value begins with the first. */
  declare shownKey: string | undefined;
  declare at: number;
  /** Details of the picture that is shown, once the server has answered. */
  declare details: FileDetails | undefined;
  declare zoom: number;
  declare hasFailed: boolean;

  constructor() {
    super();
    this.pictures = [];
    this.shownKey = undefined;
    this.at = 0;
    this.details = undefined;
    this.zoom = 1;
    this.hasFailed = false;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('shownKey'))
      this.at = Math.max(
        0,
        this.pictures.findIndex(({key}) => key === this.shownKey),
      );
    if (!changed.has('at')) return;
    this.details = undefined;
    this.zoom = 1;
    this.hasFailed = false;
  }

  protected override firstUpdated(): void {
    // Only once: details that arrive after it was closed must not open it again. A removed one cannot be opened at all.
    if (!this.isConnected) return;
    // The browser traps the focus, closes the dialog at Escape, and restores the focus.
    this.dialog?.showModal();
    this.renderRoot.querySelector<HTMLElement>('.stage')?.focus();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('at')) void this.#loadDetails(this.pictures[this.at]);
    if (changed.has('zoom') || changed.has('at')) this.#resize();
  }

  override render() {
    const picture = this.pictures[this.at];
    if (!picture) return nothing;
    const {name} = picture;
    const count = this.pictures.length;
    return html`<dialog aria-label=${name} @close=${this.#onClose} @keydown=${this.#onKey}>
      <div class="bar">
        <div class="caption" role="status" dir="auto">${strings.pictureOf(this.at + 1, count, name)}</div>
        ${this.#button('zoom-out', strings.zoomOut, () => this.#zoomTo(this.zoom / ZOOM_STEP), this.zoom <= 1)}
        ${this.#button('zoom-in', strings.zoomIn, () => this.#zoomTo(this.zoom * ZOOM_STEP), this.zoom >= MAX_ZOOM)}
        ${
          this.details
            ? html`<a class="icon-button" href=${toDownloadUrl(this.details.url)} download=${name} aria-label=${strings.download} title=${strings.download}>${icon('download', '20')}</a>`
            : nothing
        }
        ${this.#button('close', strings.closeImage, () => this.dialog?.close())}
      </div>
      <div class="room">
        <div class="stage ${this.zoom > 1 ? 'zoomed' : ''}" tabindex="0" @click=${this.#onStageClick} @wheel=${this.#onWheel}>
          ${
            this.hasFailed
              ? html`<p class="missing" role="alert">${strings.pictureMissing}</p>`
              : html`<img
                  src=${this.details?.url ?? picture.url}
                  alt=${name}
                  draggable="false"
                  @load=${() => this.#resize()}
                  @error=${this.#onError}
                />`
          }
        </div>
        ${count > 1 ? this.#turnButton(-1, strings.previousPicture) : nothing}
        ${count > 1 ? this.#turnButton(1, strings.nextPicture) : nothing}
      </div>
    </dialog>`;
  }

  #button(glyph: string, label: string, press: () => void, isOff = false) {
    return html`<button type="button" class="icon-button" aria-label=${label} title=${label} aria-disabled=${isOff ? 'true' : nothing} @click=${() => !isOff && press()}>
      ${icon(glyph, '20')}
    </button>`;
  }

  #turnButton(step: -1 | 1, label: string) {
    if (!this.pictures[this.at + step]) return nothing;
    return html`<button type="button" class="icon-button turn ${step < 0 ? 'back' : 'on'}" aria-label=${label} title=${label} @click=${() => this.#showNeighbour(step)}>
      ${icon(step < 0 ? 'chevron-left' : 'chevron-right', '24')}
    </button>`;
  }

  #showNeighbour(step: -1 | 1): void {
    if (!this.pictures[this.at + step]) return;
    this.at += step;
    // At the first and last picture, the button that was pressed is gone.
    this.renderRoot.querySelector<HTMLElement>('.stage')?.focus();
  }

  #zoomTo(zoom: number): void {
    this.zoom = Math.min(MAX_ZOOM, Math.max(1, zoom));
  }

  /** Sizes the picture around its center; by properties, since a strict CSP forbids style attributes. */
  #resize(): void {
    const image = this.renderRoot.querySelector('img');
    const stage = this.renderRoot.querySelector('.stage');
    if (!image || !stage) return;
    const {naturalWidth, naturalHeight} = image;
    if (this.zoom === 1 || naturalWidth === 0) {
      image.style.removeProperty('width');
      return;
    }
    const center = [
      (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth,
      (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight,
    ] as const;
    const fitScale = Math.min(1, stage.clientWidth / naturalWidth, stage.clientHeight / naturalHeight);
    image.style.setProperty('width', `${naturalWidth * fitScale * this.zoom}px`);
    stage.scrollLeft = center[0] * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = center[1] * stage.scrollHeight - stage.clientHeight / 2;
  }

  #onKey = (event: KeyboardEvent): void => {
    const {key} = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === '+' || key === '=') this.#zoomTo(this.zoom * ZOOM_STEP);
    else if (key === '-') this.#zoomTo(this.zoom / ZOOM_STEP);
    else if (key === '0') this.#zoomTo(1);
    else if (!this.#onArrow(key)) return;
    event.preventDefault();
  };

  /** Moves a zoomed picture or shows the next one; returns whether the key is an arrow. */
  #onArrow(key: string): boolean {
    const [x, y] = ARROWS.get(key) ?? [0, 0];
    if (x === 0 && y === 0) return false;
    if (this.zoom > 1) {
      this.renderRoot.querySelector('.stage')?.scrollBy(x * PAN_PX, y * PAN_PX);
    } else if (x !== 0) {
      const isRTL = getComputedStyle(this).direction === 'rtl';
      this.#showNeighbour(x > 0 === isRTL ? -1 : 1);
    }
    return true;
  }

  #onWheel = (event: WheelEvent): void => {
    // Browsers report a pinch on a touchpad as Ctrl+wheel, which would zoom the whole page.
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.#zoomTo(this.zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15));
  };

  #onStageClick = (event: Event): void => {
    if (event.target instanceof HTMLImageElement) this.#zoomTo(this.zoom > 1 ? 1 : ZOOM_STEP ** 2);
    // The dark area around the picture.
    else this.dialog?.close();
  };

  #onError = (): void => {
    if (this.details) this.details = undefined;
    else this.hasFailed = true;
  };

  #onClose = (): void => {
    this.dispatchEvent(new Event('lightbox-close'));
  };

  async #loadDetails(picture: Picture | undefined): Promise<void> {
    const {id} = picture ?? {};
    if (id === undefined) return;
    const details = await requestFile(this, id);
    if (this.pictures[this.at]?.key === picture?.key) this.details = details;
  }

  get dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}

const ARROWS: ReadonlyMap<string, readonly [x: number, y: number]> = new Map([
  ['ArrowLeft', [-1, 0]],
  ['ArrowRight', [1, 0]],
  ['ArrowUp', [0, -1]],
  ['ArrowDown', [0, 1]],
]);
