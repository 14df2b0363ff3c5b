/** Styles of attachments in composer and messages: pictures as thumbnails, files as chips with type and size. */
import {css} from 'lit';
import {formatBytes, kindOf} from '../composer/upload-rules.js';

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
    /* A name in the other writing direction starts at the chip's start, too. */
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

/** Returns the type and size of a file, for its chip. */
export function describeFile(name: string, mimeType: string, size: number | undefined): string {
  return [kindOf(name, mimeType), size === undefined ? '' : formatBytes(size)].filter(part => part !== '').join(' · ');
}
