/** `<parlor-attached-files>`: the files of a sent message; pictures open in a lightbox, others are downloaded. */
import {css, html, LitElement, nothing, type PropertyValues} from 'lit';
import type {FileDetails} from '../composer/file-details.js';
import {icon} from '../icons/icons.js';
import {dispatch, relayTo} from '../intents.js';
import {isShowable} from '../links.js';
import type {Attachment} from '../protocol/types.js';
import {strings} from '../strings.js';
import {attachmentStyles, describeFile} from './attachments.js';
import {exportedParts} from './exported-parts.js';
import {requestFile, saveFile} from './file-download.js';
import {renderLazy} from './lazy-view.js';
import {baseStyles, buttonStyles, lazyStyles} from './styles.js';

export class AttachedFiles extends LitElement {
  static override properties = {
    files: {attribute: false},
    details: {state: true},
    missing: {state: true},
    shownId: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    lazyStyles,
    attachmentStyles,
    css`
      :host {
        display: block;
        max-inline-size: 100%;
      }
      .attachments {
        justify-content: flex-end;
      }
    `,
  ];

  declare files: readonly Attachment[];
  /** Details that the server has sent, by file id; a file without them shows its name only. */
  declare details: ReadonlyMap<string, FileDetails>;
  /** Ids of pictures whose preview could not be loaded; they are shown like other files. */
  declare missing: ReadonlySet<string>;
  /** Id of the picture that the lightbox shows. */
  declare shownId: string | undefined;

  #requested = new Set<string>();

  constructor() {
    super();
    this.files = [];
    this.details = new Map();
    this.missing = new Set();
    this.shownId = undefined;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('files')) return;
    for (const {id, type} of this.files) if (type === 'file') this.#loadDetails(id);
  }

  #loadDetails(id: string): void {
    if (this.#requested.has(id)) return;
    this.#requested.add(id);
    void requestFile(this, id).then(details => {
      if (details) this.details = new Map(this.details).set(id, details);
    });
  }

  override render() {
    if (this.files.length === 0) return nothing;
    return html`<ul class="attachments" role="list" aria-label=${strings.attachedFiles}>
        ${this.files.map(file => (this.#isPicture(file) ? this.#picture(file) : this.#chip(file)))}
      </ul>
      ${this.shownId === undefined ? nothing : this.#lightbox(this.shownId)}`;
  }

  #picture({id, name, previewUrl}: Attachment) {
    return html`<li class="attachment image" part="attachment">
      <button
        type="button"
        class="picture"
        aria-label=${strings.openPicture(name)}
        aria-haspopup="dialog"
        @click=${() => {
          this.shownId = id;
        }}
      ><img src=${previewUrl ?? ''} alt=${name} loading="lazy" @error=${() => this.#onError(id)} /></button>
    </li>`;
  }

  #chip({id, type, name, mimeType}: Attachment) {
    const details = this.details.get(id);
    const face = html`<span class="glyph">${icon(type === 'image' ? 'square-image' : 'document', '18')}</span>
      <span class="words">
        <span class="name" dir="auto" title=${name}>${name}</span>
        <span class="detail">${describeFile(name, mimeType, details?.size)}</span>
      </span>`;
    return html`<li class="attachment file" part="attachment">
      ${
        details
          ? html`<button
              type="button"
              class="chip"
              aria-label=${`${strings.openFile(name)}, ${describeFile(name, mimeType, details.size)}`}
              @click=${() => void this.#download(id, name)}
            >${face}</button>`
          : face
      }
    </li>`;
  }

  #lightbox(shownId: string) {
    const pictures = this.files
      .filter(file => this.#isPicture(file))
      .map(({id, name, previewUrl}) => ({key: id, id, name, url: previewUrl ?? ''}));
    return renderLazy(
      'parlor-lightbox',
      this,
      () => html`<parlor-lightbox exportparts=${exportedParts}
        .pictures=${pictures}
        .shownKey=${shownId}
        @parlor-intent=${relayTo(this)}
        @lightbox-close=${this.#onClose}
      ></parlor-lightbox>`,
      'line',
    );
  }

  #onClose = (): void => {
    this.shownId = undefined;
  };

  /** Fetches a file by a new URL, since the one in the message has expired. */
  async #download(id: string, name: string): Promise<void> {
    const details = await requestFile(this, id);
    if (!details) {
      dispatch(this, {type: 'report', error: new Error(strings.fileGone(name)), isShown: true});
      return;
    }
    saveFile(details, name);
  }

  #onError(id: string): void {
    this.missing = new Set(this.missing).add(id);
    this.#loadDetails(id);
  }

  #isPicture({id, type, previewUrl}: Attachment): boolean {
    return type === 'image' && isShowable(previewUrl) && !this.missing.has(id);
  }
}
