/** Styles of text, badges, icons and pictures. */
import {css, unsafeCSS} from 'lit';

const TEXT_SIZES = ['xs', 'sm', 'md', 'lg', 'xl'];
const HEADING_SIZES = ['sm', 'md', 'lg', 'xl', '2xl', '3xl', '4xl', '5xl'];

const sizes = unsafeCSS(
  [
    ...TEXT_SIZES.map(
      size => `.t-${size}{font-size:var(--chatkit-text-${size}-size);line-height:var(--chatkit-text-${size}-line)}`,
    ),
    ...HEADING_SIZES.map(
      size =>
        `.h-${size}{font-size:var(--chatkit-heading-${size}-size);line-height:var(--chatkit-heading-${size}-line)}`,
    ),
  ].join(''),
);

export const textStyles = css`
  .text,
  .caption,
  .title,
  .label {
    max-width: 100%;
    margin: 0;
    overflow-wrap: break-word;
    white-space: pre-line;
  }
  .text {
    color: var(--chatkit-text-primary);
  }
  .title {
    color: var(--chatkit-text-primary);
    font-weight: 600;
    letter-spacing: -0.01em;
  }
  .h-3xl,
  .h-4xl,
  .h-5xl {
    letter-spacing: -0.03em;
    font-variant-numeric: tabular-nums;
  }
  .caption {
    color: var(--chatkit-text-secondary);
  }
  ${sizes}
  .ca-sm {
    font-size: calc(var(--chatkit-text-xs-size) * 0.917);
    line-height: calc(var(--chatkit-text-xs-line) * 0.89);
  }
  .ca-md {
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
  }
  .ca-lg {
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
  }
  .w-normal {
    font-weight: 400;
  }
  .w-medium {
    font-weight: 500;
  }
  .w-semibold {
    font-weight: 600;
  }
  .w-bold {
    font-weight: 700;
  }
  .italic {
    font-style: italic;
  }
  .struck {
    text-decoration: line-through;
    text-decoration-color: color-mix(in srgb, currentColor 70%, transparent);
  }
  .breakable {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .truncate {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .clamp {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
  }
  .streaming::after {
    content: '';
    display: inline-block;
    width: 0.45em;
    height: 1em;
    margin-inline-start: 0.15em;
    background: currentColor;
    border-radius: 2px;
    opacity: 0.5;
    vertical-align: -0.12em;
    animation: blink 1s ease-in-out infinite alternate;
  }
  @keyframes blink {
    to {
      opacity: 0.1;
    }
  }
  .label {
    /* Keeps a distance from its field, whatever the gap is. */
    padding-block-end: 2px;
    /* Aligned with the start of its field, whatever the direction of its text. */
    text-align: left;
    color: var(--chatkit-text-primary);
    font-weight: 500;
  }
  :host(:dir(rtl)) .label {
    text-align: right;
  }

  .markdown {
    min-width: 0;
    max-width: 100%;
  }

  .badge {
    --tone: var(--chatkit-gray-500);
    --tone-text: var(--chatkit-text-secondary);
    --tone-soft: var(--chatkit-alpha-08);
    display: inline-block;
    /* Otherwise a column would stretch it to its full width. */
    inline-size: fit-content;
    max-width: 100%;
    padding: 0 6px;
    overflow: hidden;
    border: 1px solid transparent;
    border-radius: var(--chatkit-radius-sm);
    font-weight: 600;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .badge[data-short] {
    flex-shrink: 0;
  }
  /* Larger if the page's text is. */
  .b-sm {
    font-size: max(12px, 0.75rem);
    line-height: 1.5;
  }
  .b-md {
    padding: 0 8px;
    font-size: max(12px, 0.75rem);
    line-height: calc(22 / 12);
  }
  .b-lg {
    padding: 0 10px;
    font-size: max(14px, 0.875rem);
    line-height: calc(26 / 14);
  }
  .badge.pill {
    padding-inline: calc(1.33 * 6px);
    border-radius: var(--chatkit-radius-full);
  }
  .badge.v-soft {
    background: var(--tone-soft);
    color: var(--tone-text);
  }
  .badge.v-solid {
    background: var(--tone);
    color: #ffffff;
  }
  .badge.v-outline {
    border-color: color-mix(in srgb, var(--tone-text) 40%, transparent);
    color: var(--tone-text);
  }

  .glyph {
    display: inline-flex;
    flex: none;
  }
  .icon {
    display: block;
    flex: none;
  }

  .image {
    position: relative;
    display: block;
    flex: none;
    max-width: 100%;
    overflow: hidden;
    border-radius: var(--chatkit-radius-md);
  }
  .image[data-frame] {
    border: 1px solid var(--chatkit-border-default);
  }
  .image[data-flush] {
    width: calc(100% + var(--flush-left, 0px) + var(--flush-right, 0px));
    max-width: none;
    margin-right: calc(-1 * var(--flush-right, 0px));
    margin-left: calc(-1 * var(--flush-left, 0px));
    border-radius: 0;
  }
  .image[data-flush]:first-child {
    margin-top: calc(-1 * var(--flush-top, 0px));
  }
  .image[data-flush]:last-child {
    margin-bottom: calc(-1 * var(--flush-bottom, 0px));
  }
  .image > img {
    display: block;
    width: 100%;
    height: 100%;
  }
  .image.is-broken,
  .image[data-missing] {
    min-width: 40px;
    min-height: 40px;
    background: var(--chatkit-surface-tertiary);
  }
  .image.is-broken > img {
    display: none;
  }
  .image-alt {
    display: none;
    padding: 8px 10px;
    overflow-wrap: anywhere;
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    color: var(--chatkit-text-secondary);
  }
  .image:is(.is-broken, [data-missing]):has(> .image-alt) {
    display: grid;
    place-items: center;
    overflow: auto;
  }
  .image:is(.is-broken, [data-missing]) > .image-alt {
    display: block;
  }
  @media (forced-colors: active) {
    .badge {
      border-color: CanvasText;
    }
  }
`;
