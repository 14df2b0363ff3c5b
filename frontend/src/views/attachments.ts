/** The files of the message that is being written, with how far each is: pictures as thumbnails, files as chips. */
import {css, html, nothing} from 'lit';
import {formatBytes, kindOf} from '../composer/upload-rules.js';
import type {Upload} from '../composer/uploads.js';
import {icon} from '../icons/icons.js';
import {isOwnBlob, isSafeImage} from '../links.js';
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
    /* A name that is written the other way begins where the chip does. */
    justify-self: start;
    max-inline-size: 100%;
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
  .attachment button.picture {
    display: block;
    padding: 0;
    border-radius: inherit;
    cursor: zoom-in;
  }
  .attachment button.picture:focus-visible,
  .attachment button.chip:focus-visible {
    outline-offset: -2px;
  }
  .attachment button.chip {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    min-inline-size: 0;
    margin: -6px -12px;
    padding: 6px 12px;
    min-block-size: 48px;
    border-radius: inherit;
    text-align: start;
    cursor: pointer;
  }
  .attachment button.chip:hover {
    background: var(--chatkit-alpha-06);
  }
  .progress {
    display: grid;
    place-items: center;
    inline-size: 18px;
    block-size: 18px;
  }
  .ring {
    inline-size: 22px;
    block-size: 22px;
    fill: none;
    stroke: var(--chatkit-alpha-15, var(--chatkit-border-strong));
    stroke-width: 3;
    rotate: -90deg;
  }
  .ring .done {
    stroke: var(--chatkit-text-primary);
    transition: stroke-dasharray 0.3s;
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

export interface UploadHandlers {
  readonly retry: (upload: Upload) => void;
  readonly remove: (upload: Upload) => void;
  readonly open: (upload: Upload) => void;
}

/** The files of the message that is being written. */
export function renderUploads(uploads: readonly Upload[], {retry, remove, open}: UploadHandlers) {
  if (uploads.length === 0) return nothing;
  return html`<ul class="attachments uploads" role="list" aria-label=${strings.attachedFiles}>
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
      const progress = renderProgress(upload);
      return html`<li class="attachment ${isShown ? 'image' : 'file'} ${status}" part="attachment">
        ${
          isShown
            ? html`<button
                type="button"
                class="picture"
                aria-label=${strings.openPicture(name)}
                aria-haspopup="dialog"
                @click=${() => open(upload)}
              ><img src=${previewUrl} alt=${name} /></button>
              ${status === 'done' ? nothing : html`<div class="veil">${status === 'failed' ? retryButton : progress}</div>`}`
            : html`<div class="glyph">${status === 'uploading' ? progress : icon(status === 'failed' ? 'warning' : 'document', '18')}</div>
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

function renderProgress({name, progress}: Upload) {
  const percent = Math.round((progress ?? 0) * 100);
  // All bytes on their way are not yet a file that the server has looked at.
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

function detailOf({status, name, mimeType, size, progress}: Upload): string {
  if (status === 'failed') return strings.uploadFailedShort;
  if (status === 'uploading' && progress !== undefined && progress < 1) return `${Math.round(progress * 100)} %`;
  return describeFile(name, mimeType, size);
}

/** Kind and size, for a chip. */
export function describeFile(name: string, mimeType: string, size: number | undefined): string {
  return [kindOf(name, mimeType), size === undefined ? '' : formatBytes(size)].filter(part => part !== '').join(' · ');
}

/** Whether an address may be shown as a picture: this document's own, or one that is allowed. */
export function isShowable(url: string | undefined): url is string {
  return url !== undefined && (isOwnBlob(url) || isSafeImage(url, undefined, document.baseURI));
}
