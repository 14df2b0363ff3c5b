/** Styles that several views share. */
import {css, unsafeCSS} from 'lit';
import {printStyles} from './print-style.js';

/** An empty field has the direction of the page, so that its placeholder is where the text will start. */
export const placeholderStyles = css`
  :is(input, textarea):placeholder-shown {
    direction: inherit;
  }
  ::placeholder {
    unicode-bidi: plaintext;
    text-align: left;
  }
  :host(:dir(rtl)) ::placeholder {
    text-align: right;
  }
`;

const ICON_PX = [14, 16, 18, 20, 28, 32];

/** Sizes of icons, which scale with the page's text; in a style sheet, since SVG attributes cannot use `calc()`. */
export const iconSizes = unsafeCSS(
  ICON_PX.map(px => `svg.i${px}{inline-size:max(${px}px,${px / 16}rem);block-size:max(${px}px,${px / 16}rem)}`).join(
    '',
  ),
);

export const baseStyles = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  svg.icon {
    display: block;
    flex: none;
  }
  /* Titles and labels align with the page, next to their icons; their direction only orders their words. */
  :where(span, [part='title'], dt, dd, button, .name, .detail, .text)[dir='auto'] {
    text-align: -webkit-match-parent;
    text-align: match-parent;
  }
  ${iconSizes}
  ${placeholderStyles}
  ${printStyles}
  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  :focus-visible {
    outline: 2px solid var(--chatkit-focus);
    outline-offset: 2px;
  }
  /* Forced colours remove backgrounds and shadows, so elements get an outline instead. */
  @media (forced-colors: active) {
    [part~='attachment'],
    [part~='bubble'],
    [part~='entity-preview'],
    [part~='generated-image'],
    [part~='notice'],
    [part~='structured-input'] {
      border: 1px solid CanvasText;
    }
    .thinking {
      border: 6px solid CanvasText;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 0.01ms !important;
      animation-iteration-count: 1 !important;
      /* None, not a short one: an inherited colour would start another at each level and lag by a frame each. */
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`;

export const buttonStyles = css`
  button {
    font: inherit;
    letter-spacing: inherit;
    color: inherit;
    background: none;
    border: 0;
    margin: 0;
    padding: 0;
    cursor: pointer;
    text-align: start;
    -webkit-tap-highlight-color: transparent;
  }
  button:disabled {
    cursor: default;
  }
  .icon-button {
    display: inline-grid;
    place-items: center;
    flex: none;
    inline-size: var(--chatkit-control-lg);
    block-size: var(--chatkit-control-lg);
    border-radius: var(--chatkit-radius-control);
    color: var(--chatkit-text-secondary);
    transition:
      background var(--chatkit-duration),
      color var(--chatkit-duration);
  }
  .icon-button.small {
    inline-size: var(--chatkit-control-md);
    block-size: var(--chatkit-control-md);
    border-radius: var(--chatkit-radius-control);
  }
  .icon-button:hover:not(:disabled) {
    background: var(--chatkit-hover);
    color: var(--chatkit-text-primary);
  }
  .icon-button:active:not(:disabled) {
    background: var(--chatkit-active);
  }
  .icon-button[aria-pressed='true'] {
    color: var(--chatkit-text-primary);
    background: var(--chatkit-active);
  }
  .text-button {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-block-size: 32px;
    padding-inline: var(--chatkit-gutter-md);
    border-radius: var(--chatkit-radius-full);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    font-weight: 500;
    box-shadow: inset 0 0 0 1px var(--chatkit-border-strong);
    transition: background var(--chatkit-duration);
  }
  .text-button:hover:not(:disabled) {
    background: var(--chatkit-hover);
  }
  .text-button.danger {
    background: var(--chatkit-red-500);
    color: #fff;
    box-shadow: none;
  }
  .text-button.danger:hover {
    background: var(--chatkit-red-600);
  }
  @media (forced-colors: active) {
    .icon-button,
    .text-button {
      border: 1px solid ButtonText;
    }
  }
`;

/** Room and message of elements that are fetched when they are needed. */
export const lazyStyles = css`
  .lazy-room {
    min-block-size: 96px;
    border-radius: var(--chatkit-radius-card);
    background: var(--chatkit-alpha-04);
  }
  .lazy-room.line {
    min-block-size: 28px;
    background: none;
  }
  .lazy-missing {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
    padding: 8px 12px;
    border-radius: var(--chatkit-radius-card);
    background: var(--chatkit-danger-soft);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-primary);
  }
  .lazy-missing span {
    flex: 1;
  }
`;

/** A moving shimmer on text that shows progress. */
export const shimmerStyles = css`
  .shimmer {
    color: transparent;
    background: linear-gradient(
        90deg,
        var(--chatkit-text-secondary) 0%,
        var(--chatkit-text-secondary) 40%,
        var(--chatkit-alpha-25) 50%,
        var(--chatkit-text-secondary) 60%,
        var(--chatkit-text-secondary) 100%
      )
      0 0 / 300% 100%;
    -webkit-background-clip: text;
    background-clip: text;
    animation: shimmer 2.2s linear infinite;
  }
  @keyframes shimmer {
    from {
      background-position: 100% 0;
    }
    to {
      background-position: 0% 0;
    }
  }
  @media (prefers-reduced-motion: reduce), (forced-colors: active) {
    .shimmer {
      color: var(--chatkit-text-secondary);
      background: none;
      animation: none;
    }
  }
`;

/** The bar at the top of the chat and of its panels: a title between buttons. */
export const barStyles = css`
  @container (height < 340px) {
    .bar.bar {
      min-block-size: 0;
      padding-block: 2px;
    }
  }
  .bar {
    display: flex;
    align-items: center;
    gap: 4px;
    min-block-size: calc(var(--chatkit-space) * 13);
    padding: calc(var(--chatkit-space) * 2) calc(var(--chatkit-space) * 3);
  }
  h2 {
    flex: 1;
    min-inline-size: 0;
    margin: 0;
    padding-inline: 4px;
    font-size: var(--chatkit-text-md-size);
    line-height: var(--chatkit-text-md-line);
    font-weight: 600;
    letter-spacing: -0.01em;
    color: var(--chatkit-text-primary);
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
`;
