/** Attachments of a message: images as thumbnails, files as chips. */
import {css, html, nothing} from 'lit';
import {icon} from '../icons.js';
import {isSafeImage} from '../links.js';
import type {Attachment} from '../protocol.js';
import {strings} from '../strings.js';

export const attachmentStyles = css`
  .attachments {
    display: flex;
    flex-wrap: wrap;
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
  .attachment .remove {
    display: grid;
    place-items: center;
    inline-size: 24px;
    block-size: 24px;
    border-radius: var(--chatkit-radius-full);
    background: var(--chatkit-surface-tertiary);
  }
  .attachment.image .remove {
    position: absolute;
    inset-block-start: 4px;
    inset-inline-end: 4px;
  }
`;

/** `onRemove` puts a button on each that takes it away. */
export function renderAttachments(attachments: readonly Attachment[], onRemove?: (attachment: Attachment) => void) {
  if (attachments.length === 0) return nothing;
  return html`<div class="attachments">
    ${attachments.map(attachment => {
      const source = attachment.type === 'image' ? attachment.previewUrl : undefined;
      const isShown = source !== undefined && isSafeImage(source, undefined, document.baseURI);
      return html`<div class="attachment ${isShown ? 'image' : ''}" part="attachment">
        ${
          isShown
            ? html`<img src=${source} alt=${attachment.name} loading="lazy" />`
            : html`${icon(attachment.type === 'image' ? 'square-image' : 'document', '18')}<span class="name" dir="auto">${attachment.name}</span>`
        }
        ${
          onRemove
            ? html`<button type="button" class="remove" aria-label=${strings.removeAttachment(attachment.name)} @click=${() => onRemove(attachment)}>
              ${icon('close', '14')}
            </button>`
            : nothing
        }
      </div>`;
    })}
  </div>`;
}
