/** `<parlor-drop-zone>`: accepts files dropped anywhere on the chat or on the page, and shows that they can be. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {dispatch} from '../intents.js';
import {strings} from '../strings.js';
import {baseStyles} from './styles.js';

export class DropZone extends LitElement {
  static override properties = {
    disabled: {attribute: false},
    onPage: {attribute: false},
    isDragging: {state: true},
  };
  static override styles = [
    baseStyles,
    css`
      .target.page {
        position: fixed;
      }
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
        /* The chat below shines through, but not so much that its text could be read. */
        background: color-mix(in srgb, var(--chatkit-surface) 96%, transparent);
        color: var(--chatkit-text-primary);
        font-weight: 500;
        text-align: center;
        /* The elements below must keep getting the events that tell when the pointer leaves. */
        pointer-events: none;
      }
    `,
  ];

  declare disabled: boolean;
  /** Accepts drops on the whole page, so that no file dropped beside the chat navigates away. Read when connected. */
  declare onPage: boolean;
  declare isDragging: boolean;

  #host: EventTarget | undefined;

  constructor() {
    super();
    this.disabled = false;
    this.onPage = false;
    this.isDragging = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const root = this.getRootNode();
    this.#host = this.onPage ? document : root instanceof ShadowRoot ? root.host : root;
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
    if (!this.isDragging || this.#isPassive) return nothing;
    return html`<div class="target ${this.onPage ? 'page' : ''}" part="drop-target">
      ${icon(this.disabled ? 'warning' : 'paperclip', '28')}<span>${this.disabled ? strings.attachmentsOff : strings.dropFiles}</span>
    </div>`;
  }

  #onOver = (event: Event): void => {
    const {dataTransfer} = event as DragEvent;
    if (this.#isPassive || !dataTransfer?.types.includes('Files')) return;
    // Otherwise the browser would open the file instead of dropping it.
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
    const {dataTransfer} = event as DragEvent;
    const dropped = [...(dataTransfer?.files ?? [])];
    if (this.#isPassive || dropped.length === 0) return;
    event.preventDefault();
    if (this.disabled) {
      this.#refuse(strings.attachmentsOff);
      return;
    }
    // A folder looks like a file that cannot be read.
    const entries = [...(dataTransfer?.items ?? [])].filter(({kind}) => kind === 'file');
    const files = dropped.filter((_, at) => entries[at]?.webkitGetAsEntry?.()?.isDirectory !== true);
    if (files.length > 0) dispatch(this, {type: 'add-files', files});
    if (files.length < dropped.length) this.#refuse(strings.foldersRefused);
  };

  #refuse(problem: string): void {
    dispatch(this, {type: 'report', error: new Error(problem), isShown: true});
  }

  /** Whether drops are left to the page. */
  get #isPassive(): boolean {
    return this.disabled && !this.onPage;
  }
}
