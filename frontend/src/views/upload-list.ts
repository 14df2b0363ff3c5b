/** `<parlor-uploads>`: the files of the message being written, with their upload progress. */
import {css, html, LitElement, nothing} from 'lit';
import type {Upload} from '../composer/uploads.js';
import {icon} from '../icons/icons.js';
import {dispatch, relayTo} from '../intents.js';
import {isShowable} from '../links.js';
import {strings} from '../strings.js';
import {attachmentStyles, describeFile} from './attachments.js';
import {exportedParts} from './exported-parts.js';
import {renderLazy} from './lazy-view.js';
import {baseStyles, buttonStyles, lazyStyles} from './styles.js';

export class UploadList extends LitElement {
  static override properties = {
    uploads: {attribute: false},
    shownKey: {state: true},
    brokenUrls: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    lazyStyles,
    attachmentStyles,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }
    `,
  ];

  declare uploads: readonly Upload[];
  /** Key of the picture that the lightbox shows. */
  declare shownKey: string | undefined;
  /** URLs that could not be loaded as pictures. */
  declare brokenUrls: ReadonlySet<string>;

  constructor() {
    super();
    this.uploads = [];
    this.shownKey = undefined;
    this.brokenUrls = new Set();
  }

  override render() {
    const {uploads} = this;
    if (uploads.length === 0) return nothing;
    return html`<ul class="attachments uploads" role="list" aria-label=${strings.attachedFiles}>
      ${uploads.map(upload => {
        const {name, status, previewUrl, problem} = upload;
        const isShown = this.#isShown(previewUrl);
        const retryButton = html`<button
          type="button"
          class="round-button retry"
          aria-label=${strings.retryUpload(name)}
          title=${problem ?? strings.uploadFailedShort}
          @click=${() => dispatch(this, {type: 'retry-upload', key: upload.key})}
        >${icon('reload', '14')}</button>`;
        const progress = renderProgress(upload);
        return html`<li class="attachment ${isShown ? 'image' : 'file'} ${status}" part="attachment">
          ${
            isShown
              ? html`<button
                  type="button"
                  class="picture"
                  aria-label=${strings.openPicture(name)}
                  aria-haspopup="dialog"
                  @click=${() => {
                    this.shownKey = upload.key;
                  }}
                ><img src=${previewUrl} alt=${name} @error=${() => this.#onBroken(previewUrl)} /></button>
                ${status === 'done' ? nothing : html`<div class="veil">${status === 'failed' ? retryButton : progress}</div>`}`
              : html`<div class="glyph">${status === 'uploading' ? progress : icon(status === 'failed' ? 'warning' : 'document', '18')}</div>
                <div class="words">
                  <span class="name" dir="auto">${name}</span>
                  <span class="detail">${describeStatus(upload)}</span>
                </div>
                ${status === 'failed' ? retryButton : nothing}`
          }
          <button type="button" class="round-button remove" aria-label=${strings.removeAttachment(name)} @click=${() => this.#remove(upload)}>
            ${icon('close', '14')}
          </button>
        </li>`;
      })}
      </ul>
      ${this.#lightbox()}`;
  }

  #lightbox() {
    const pictures = this.uploads.flatMap(({key, name, previewUrl, attachment}) =>
      this.#isShown(previewUrl) ? [{key, id: attachment?.id, name, url: previewUrl}] : [],
    );
    if (!pictures.some(({key}) => key === this.shownKey)) return nothing;
    return renderLazy(
      'parlor-lightbox',
      this,
      () => html`<parlor-lightbox exportparts=${exportedParts}
        .pictures=${pictures}
        .shownKey=${this.shownKey}
        @parlor-intent=${relayTo(this)}
        @lightbox-close=${this.#onLightboxClose}
      ></parlor-lightbox>`,
      'line',
    );
  }

  #isShown(url: string | undefined): url is string {
    return isShowable(url) && !this.brokenUrls.has(url);
  }

  #onBroken(url: string): void {
    this.brokenUrls = new Set([...this.brokenUrls, url]);
  }

  #remove({key}: Upload): void {
    dispatch(this, {type: 'remove-upload', key});
    // The button that had the focus is gone.
    dispatch(this, {type: 'focus-composer'});
  }

  #onLightboxClose = (): void => {
    this.shownKey = undefined;
  };
}

function renderProgress({name, progress}: Upload) {
  const percent = Math.round((progress ?? 0) * 100);
  // After the last byte was sent, the server still has to check the file.
  const isKnown = progress !== undefined && progress < 1;
  return html`<div
    class="progress"
    role="progressbar"
    aria-label=${strings.uploading(name)}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${isKnown ? percent : nothing}
  >${
    isKnown
      ? html`<svg class="ring" viewBox="0 0 22 22" aria-hidden="true">
          <circle cx="11" cy="11" r="9" />
          <circle class="done" cx="11" cy="11" r="9" pathLength="100" stroke-dasharray="${percent} 100" />
        </svg>`
      : html`<div class="spinner"></div>`
  }</div>`;
}

function describeStatus({status, name, mimeType, size, progress}: Upload): string {
  if (status === 'failed') return strings.uploadFailedShort;
  if (status === 'uploading' && progress !== undefined && progress < 1) return `${Math.round(progress * 100)} %`;
  return describeFile(name, mimeType, size);
}
