/** `<parlor-drop-zone>`: shows that files can be dropped anywhere on the chat, and takes them. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {express} from '../intents.js';
import {strings} from '../strings.js';
import {baseStyles} from './styles.js';

export class DropZone extends LitElement {
  static override properties = {
    disabled: {attribute: false},
    isDragging: {state: true},
  };
  static override styles = [
    baseStyles,
    css`
      .target {
        position: absolute;
        inset: 8px;
        z-index: 10;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 12px;
        padding: 16px;
        border: 2px dashed var(--chatkit-focus);
        border-radius: var(--chatkit-radius-composer);
        background: color-mix(in srgb, var(--chatkit-surface) 88%, transparent);
        color: var(--chatkit-text-primary);
        font-weight: 500;
        text-align: center;
        /* What is below keeps getting the events that tell when the pointer leaves. */
        pointer-events: none;
      }
    `,
  ];

  declare disabled: boolean;
  declare isDragging: boolean;

  #host: EventTarget | undefined;

  constructor() {
    super();
    this.disabled = false;
    this.isDragging = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const root = this.getRootNode();
    this.#host = root instanceof ShadowRoot ? root.host : root;
    this.#host.addEventListener('dragenter', this.#onOver);
    this.#host.addEventListener('dragover', this.#onOver);
    this.#host.addEventListener('dragleave', this.#onLeave);
    this.#host.addEventListener('drop', this.#onDrop);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#host?.removeEventListener('dragenter', this.#onOver);
    this.#host?.removeEventListener('dragover', this.#onOver);
    this.#host?.removeEventListener('dragleave', this.#onLeave);
    this.#host?.removeEventListener('drop', this.#onDrop);
    this.isDragging = false;
  }

  override render() {
    return this.isDragging && !this.disabled
      ? html`<div class="target" part="drop-target">${icon('paperclip', '28')}<span>${strings.dropFiles}</span></div>`
      : nothing;
  }

  #onOver = (event: Event): void => {
    const {dataTransfer} = event as DragEvent;
    if (this.disabled || !dataTransfer?.types.includes('Files')) return;
    // Without this the browser would open the file instead of dropping it.
    event.preventDefault();
    dataTransfer.dropEffect = 'copy';
    this.isDragging = true;
  };

  #onLeave = (event: Event): void => {
    const {relatedTarget} = event as DragEvent;
    const isInside = relatedTarget instanceof Node && this.#host instanceof Node && this.#host.contains(relatedTarget);
    if (!isInside) this.isDragging = false;
  };

  #onDrop = (event: Event): void => {
    this.isDragging = false;
    const files = [...((event as DragEvent).dataTransfer?.files ?? [])];
    if (this.disabled || files.length === 0) return;
    event.preventDefault();
    express(this, {type: 'add-files', files});
  };
}
