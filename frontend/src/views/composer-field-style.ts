/** Styles of the text field and of the list of suggestions. */
import {css} from 'lit';

export const fieldStyles = css`
  :host {
    display: block;
    min-inline-size: 0;
  }
  /* The mirror sizes the field: both grow with the text, without measuring. */
  .grow {
    display: grid;
    grid-template: minmax(0, 1fr) / minmax(0, 1fr);
    max-block-size: min(220px, 40vh);
    font: inherit;
    /* Below 16 px, phones zoom the page in when the field gets the focus. */
    font-size: max(16px, var(--chatkit-base-size));
    line-height: 1.5;
  }
  .mirror,
  textarea {
    grid-area: 1 / 1;
    min-block-size: 0;
    min-inline-size: 0;
    margin: 0;
    padding: var(--field-padding, 6px 8px);
    border: 0;
    font: inherit;
    line-height: inherit;
    letter-spacing: inherit;
    text-align: start;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    scrollbar-width: thin;
    scrollbar-gutter: stable;
  }
  .mirror {
    overflow: hidden;
    color: transparent;
    pointer-events: none;
    user-select: none;
  }
  .mirror .tag {
    border-radius: 4px;
    background: var(--chatkit-info-soft);
    box-shadow: 0 0 0 2px var(--chatkit-info-soft);
    -webkit-box-decoration-break: clone;
    box-decoration-break: clone;
  }
  textarea {
    display: block;
    inline-size: 100%;
    block-size: 100%;
    outline: none;
    resize: none;
    overflow-y: auto;
    background: none;
    color: var(--chatkit-text-primary);
    caret-color: currentColor;
  }
  /* The composer itself shows the focus ring. */
  textarea:focus-visible {
    outline: none;
  }
  textarea::placeholder {
    color: var(--chatkit-text-tertiary);
    opacity: 1;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  /* Chromium uses the ellipsis of the field, not of its placeholder. */
  textarea:enabled:placeholder-shown {
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  /* A focused field has no ellipsis in Chromium, so text that does not fit fades out. */
  :host(:dir(ltr)) textarea:focus:placeholder-shown {
    mask-image: linear-gradient(to left, transparent, #000 20px);
  }
  textarea:disabled::placeholder {
    color: var(--chatkit-text-secondary);
    white-space: normal;
  }
  .suggestions {
    inset-inline: 0;
    max-block-size: min(320px, var(--composer-room, 40vh));
  }
  .group {
    padding: 8px 10px 4px;
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    font-weight: 500;
    color: var(--chatkit-text-tertiary);
  }
  [role='option'][aria-selected='true'] {
    background: var(--chatkit-hover);
  }
  [role='option'] img {
    flex: none;
    inline-size: 18px;
    block-size: 18px;
    border-radius: 4px;
    object-fit: cover;
  }
  .note {
    padding: 8px 10px;
    color: var(--chatkit-text-secondary);
  }
  @media (forced-colors: active) {
    .mirror .tag {
      outline: 1px solid Highlight;
    }
    [role='option'][aria-selected='true'] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`;
