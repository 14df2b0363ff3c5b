/** Attachments: of a sent message, and of the one being written with how far each is. Images as thumbnails, files as chips. */
import {css, html, nothing} from 'lit';
import {formatBytes} from '../composer/upload-rules.js';
import type {Upload} from '../composer/uploads.js';
import {icon} from '../icons/icons.js';
import {isOwnBlob, isSafeImage} from '../links.js';
import type {Attachment} from '../protocol/types.js';
import {strings} from '../strings.js';

export const attachmentStyles = css`
  .attachments {
    list-style: none;
    margin: 0;
    padding: 0;
    display: flex;
    flex-wrap: wrap;
    align-items: flex-end;
    gap: 8px;
  }
  .attachment {
    position: relative;
    display: inline-flex;
    align-items: center;
    gap: 8px;
    max-inline-size: 240px;
    min-block-size: 48px;
    padding: 6px 12px;
    border-radius: var(--chatkit-radius-xl);
    background: var(--chatkit-surface-elevated);
    border: 1px solid var(--chatkit-border-default);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-primary);
  }
  .attachment.image {
    padding: 0;
    overflow: hidden;
  }
  .attachment img {
    display: block;
    inline-size: 120px;
    block-size: 120px;
    object-fit: cover;
  }
  .attachment .name {
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .attachment .words {
    display: grid;
    min-inline-size: 0;
  }
  .attachment .detail {
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    color: var(--chatkit-text-secondary);
  }
  .attachment.failed {
    border-color: var(--chatkit-text-danger);
  }
  .attachment.failed .detail {
    color: var(--chatkit-text-danger);
  }
  .attachment .glyph {
    display: grid;
    place-items: center;
    flex: none;
    inline-size: 20px;
    block-size: 20px;
  }
  .attachment .round-button {
    display: grid;
    place-items: center;
    flex: none;
    inline-size: 24px;
    block-size: 24px;
    border-radius: 50%;
    color: var(--chatkit-text-primary);
    background: var(--chatkit-surface-tertiary);
  }
  .attachment .round-button:hover {
    background: var(--chatkit-border-strong);
  }
  .uploads .attachment.file {
    padding-inline-end: 8px;
  }
  .uploads .attachment.image,
  .uploads .attachment img {
    inline-size: 72px;
    block-size: 72px;
  }
  .attachment.image .round-button {
    position: absolute;
    inset-block-start: 4px;
    inset-inline-end: 4px;
    background: var(--chatkit-surface-elevated);
    box-shadow: var(--chatkit-shadow-2);
  }
  .attachment.image .veil {
    position: absolute;
    inset: 0;
    display: grid;
    place-items: center;
    background: color-mix(in srgb, var(--chatkit-surface) 60%, transparent);
  }
  .attachment.image .round-button.retry {
    position: static;
    box-shadow: none;
  }
  .spinner {
    inline-size: 18px;
    block-size: 18px;
    border: 2px solid var(--chatkit-alpha-15, var(--chatkit-border-strong));
    border-block-start-color: var(--chatkit-text-primary);
    border-radius: 50%;
    animation: spin 0.9s linear infinite;
  }
  @keyframes spin {
    to {
      transform: rotate(1turn);
    }
  }
`;

/** The attachments of a message that was sent. */
export function renderAttachments(attachments: readonly Attachment[]) {
  if (attachments.length === 0) return nothing;
  return html`<div class="attachments">
    ${attachments.map(({type, name, previewUrl}) => {
      const isShown =
        type === 'image' && previewUrl !== undefined && isSafeImage(previewUrl, undefined, document.baseURI);
      return html`<div class="attachment ${isShown ? 'image' : 'file'}" part="attachment">
        ${
          isShown
            ? html`<img src=${previewUrl} alt=${name} loading="lazy" />`
            : html`${icon(type === 'image' ? 'square-image' : 'document', '18')}<span class="name" dir="auto">${name}</span>`
        }
      </div>`;
    })}
  </div>`;
}

export interface UploadHandlers {
  readonly retry: (upload: Upload) => void;
  readonly remove: (upload: Upload) => void;
}

/** The files of the message that is being written. */
export function renderUploads(uploads: readonly Upload[], {retry, remove}: UploadHandlers) {
  if (uploads.length === 0) return nothing;
  return html`<ul class="attachments uploads" role="list">
    ${uploads.map(upload => {
      const {name, status, previewUrl, problem} = upload;
      const isShown = isShowable(previewUrl);
      const retryButton = html`<button
        type="button"
        class="round-button retry"
        aria-label=${strings.retryUpload(name)}
        title=${problem ?? strings.uploadFailedShort}
        @click=${() => retry(upload)}
      >${icon('reload', '14')}</button>`;
      const spinner = html`<div class="spinner" role="img" aria-label=${strings.uploading(name)}></div>`;
      return html`<li class="attachment ${isShown ? 'image' : 'file'} ${status}" part="attachment">
        ${
          isShown
            ? html`<img src=${previewUrl} alt=${name} />
              ${status === 'done' ? nothing : html`<div class="veil">${status === 'failed' ? retryButton : spinner}</div>`}`
            : html`<div class="glyph">${status === 'uploading' ? spinner : icon(status === 'failed' ? 'warning' : 'document', '18')}</div>
              <div class="words">
                <span class="name" dir="auto">${name}</span>
                <span class="detail">${detailOf(upload)}</span>
              </div>
              ${status === 'failed' ? retryButton : nothing}`
        }
        <button type="button" class="round-button remove" aria-label=${strings.removeAttachment(name)} @click=${() => remove(upload)}>
          ${icon('close', '14')}
        </button>
      </li>`;
    })}
  </ul>`;
}

function detailOf({status, size}: Upload): string {
  if (status === 'failed') return strings.uploadFailedShort;
  return size === undefined ? '' : formatBytes(size);
}

function isShowable(url: string | undefined): url is string {
  // The addresses of this document's own previews.
  return url !== undefined && (isOwnBlob(url) || isSafeImage(url, undefined, document.baseURI));
}
