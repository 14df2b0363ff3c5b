/** Styles of the transcript. */
import {css} from 'lit';

export const messagesStyles = css`
  :host {
    display: block;
    position: relative;
    block-size: 100%;
    min-block-size: 0;
  }
  .scroller {
    block-size: 100%;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
    scrollbar-color: var(--chatkit-alpha-20) transparent;
  }
  .exchange:focus-visible {
    outline-offset: 4px;
    border-radius: var(--chatkit-radius-md);
  }
  .scroller:focus-visible {
    outline-offset: -2px;
  }
  .column {
    max-inline-size: var(--chatkit-column);
    margin-inline: auto;
    padding: calc(var(--chatkit-space) * 4) calc(var(--chatkit-space) * 5) calc(var(--chatkit-space) * 6);
  }
  .exchange {
    display: flex;
    flex-direction: column;
    gap: calc(var(--chatkit-space) * 5);
    padding-block-end: calc(var(--chatkit-space) * 7);
    contain-intrinsic-block-size: auto 300px;
  }
  .exchange:not(:last-of-type) {
    content-visibility: auto;
  }
  /* Space below lets a new question scroll to the top, and the answer grow without moving it. */
  .exchange.anchored {
    /* Otherwise scroll anchoring would hold content below a new widget, and push the question out of view. */
    overflow-anchor: none;
    min-block-size: calc(var(--parlor-viewport, 0px) - var(--chatkit-space) * 14);
    padding-block-end: 0;
  }
  @media print {
    :host {
      block-size: auto;
    }
    .exchange.exchange {
      display: block;
      min-block-size: 0;
      content-visibility: visible;
    }
    .exchange > * + *,
    .answer > * + * {
      margin-block-start: calc(var(--chatkit-space) * 4);
    }
  }
  .answer {
    display: flex;
    flex-direction: column;
    gap: calc(var(--chatkit-space) * 4);
    min-inline-size: 0;
  }
  parlor-turn-actions {
    margin-block-start: calc(var(--chatkit-space) * -1.5);
  }
  .progress {
    display: flex;
    align-items: center;
    gap: 8px;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-secondary);
    overflow-wrap: anywhere;
  }
  .thinking {
    display: block;
    inline-size: 12px;
    block-size: 12px;
    margin-block: 6px;
    border-radius: 50%;
    background: var(--chatkit-text-primary);
    animation: breathe 1.3s ease-in-out infinite;
  }
  @keyframes breathe {
    50% {
      transform: scale(0.65);
      opacity: 0.5;
    }
  }
  .failure {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
    padding: 10px 14px;
    border-radius: var(--chatkit-radius-xl);
    background: var(--chatkit-danger-soft);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-primary);
  }
  .failure.cut {
    background: var(--chatkit-alpha-05);
    color: var(--chatkit-text-secondary);
  }
  .failure.cut svg {
    color: inherit;
  }
  .failure svg {
    color: var(--chatkit-text-danger);
  }
  .failure .words {
    flex: 1 1 12em;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .older {
    /* Otherwise scroll anchoring would hold this in place, and push the text being read down. */
    overflow-anchor: none;
    display: flex;
    justify-content: center;
    padding-block-end: 16px;
  }
  .end {
    block-size: 1px;
    margin-block-start: -1px;
  }
  .skeleton {
    display: grid;
    gap: 14px;
    padding-block: 8px;
  }
  .skeleton div {
    block-size: 14px;
    border-radius: 7px;
    background: var(--chatkit-alpha-06);
    animation: fade 1.4s ease-in-out infinite;
  }
  .skeleton div:nth-child(1) {
    inline-size: 38%;
    block-size: 40px;
    border-radius: var(--chatkit-radius-bubble);
    justify-self: end;
    margin-block-end: 14px;
  }
  .skeleton div:nth-child(2) {
    inline-size: 92%;
  }
  .skeleton div:nth-child(3) {
    inline-size: 84%;
  }
  .skeleton div:nth-child(4) {
    inline-size: 60%;
  }
  @keyframes fade {
    50% {
      opacity: 0.45;
    }
  }
`;
