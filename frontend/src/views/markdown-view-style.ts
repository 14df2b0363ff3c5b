/** Styles of rendered Markdown. */
import {css} from 'lit';

export const markdownStyles = css`
  :host {
    display: block;
    color: var(--chatkit-text-prose);
    overflow-wrap: anywhere;
    min-inline-size: 0;
  }
  /* No rule here may depend on siblings: every new word would restyle all of a long answer. */
  :is(.body, .section) > * {
    margin-block: calc(var(--chatkit-space) * 3) 0;
  }
  :is(.body, .section) > :is(p, h2, h3, h4, h5, h6):not(.neutral) {
    unicode-bidi: plaintext;
  }
  .body > :first-child,
  .body > .section {
    margin-block-start: 0;
  }
  /* A long answer is laid out by sections; those off screen are laid out when they are scrolled to. */
  .section {
    display: flow-root;
    contain-intrinsic-block-size: auto 80em;
  }
  .section.finished {
    content-visibility: auto;
    overflow-clip-margin: 4px;
  }
  @media print {
    .section.finished {
      content-visibility: visible;
    }
    pre {
      white-space: pre-wrap;
    }
    pre,
    .table {
      overflow: visible;
    }
    details::details-content {
      content-visibility: visible;
      block-size: auto;
    }
  }
  h4,
  h5,
  h6 {
    font-weight: 600;
    color: var(--chatkit-text-emphasis);
    text-wrap: balance;
  }
  :is(.body, .section) > :is(h4, h5, h6) {
    margin-block: calc(var(--chatkit-space) * 6) calc(var(--chatkit-space) * -1);
  }
  .body > :is(h4, h5, h6):first-child {
    margin-block-start: 0;
  }
  .h1 {
    font-size: var(--chatkit-heading-lg-size);
    line-height: 1.25;
    letter-spacing: -0.015em;
  }
  .h2 {
    font-size: var(--chatkit-heading-md-size);
    line-height: 1.3;
    letter-spacing: -0.01em;
  }
  .h3 {
    font-size: var(--chatkit-heading-sm-size);
    line-height: 1.4;
  }
  .h4,
  .h5,
  .h6 {
    font-size: 1em;
  }
  strong {
    font-weight: 600;
  }
  a {
    color: var(--chatkit-link);
    text-decoration: underline;
    text-decoration-thickness: 1px;
    text-underline-offset: 2px;
    border-radius: 2px;
  }
  a:hover {
    text-decoration-thickness: 2px;
  }
  ul,
  ol {
    padding-inline-start: 1.6em;
  }
  li::marker {
    color: var(--chatkit-text-secondary);
  }
  li {
    margin-block-start: var(--chatkit-space);
  }
  li > :is(ul, ol) {
    margin-block: 0;
  }
  li > p {
    margin-block: 0 calc(var(--chatkit-space) * 2);
  }
  li > p:last-child {
    margin-block-end: 0;
  }
  li.task {
    list-style: none;
    margin-inline-start: -1.5em;
  }
  li.task input {
    inline-size: 1em;
    block-size: 1em;
    margin: 0 0.5em 0 0;
    vertical-align: -0.1em;
    accent-color: var(--chatkit-accent);
  }
  details > * + * {
    margin-block: calc(var(--chatkit-space) * 2) 0;
  }
  summary {
    inline-size: fit-content;
    max-inline-size: 100%;
    font-weight: 500;
    cursor: pointer;
    border-radius: var(--chatkit-radius-sm);
  }
  blockquote {
    margin-inline: 0;
    padding-inline-start: calc(var(--chatkit-space) * 4);
    border-inline-start: 3px solid var(--chatkit-border-strong);
    color: var(--chatkit-text-secondary);
  }
  blockquote > p {
    margin-block: 0 calc(var(--chatkit-space) * 2);
  }
  blockquote > p:last-child {
    margin-block-end: 0;
  }
  hr {
    border: 0;
    border-block-start: 1px solid var(--chatkit-border-default);
    margin-block: calc(var(--chatkit-space) * 5) 0 !important;
    padding-block-end: calc(var(--chatkit-space) * 2);
  }
  code {
    font-family: var(--chatkit-font-mono);
    font-size: 0.875em;
    direction: ltr;
    unicode-bidi: isolate;
  }
  :not(pre) > code {
    padding: 0.15em 0.4em;
    border-radius: var(--chatkit-radius-sm);
    background: var(--chatkit-alpha-06);
    overflow-wrap: anywhere;
  }
  .code {
    border-radius: var(--chatkit-radius-xl);
    background: var(--chatkit-surface-secondary);
    border: 1px solid var(--chatkit-border-subtle);
    overflow: hidden;
    direction: ltr;
  }
  .code-bar {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-block-size: 36px;
    padding-inline: 16px 8px;
    font-size: var(--chatkit-text-xs-size);
    color: var(--chatkit-text-secondary);
  }
  .copy-code {
    font: inherit;
    color: inherit;
    border: 0;
    background: none;
    cursor: pointer;
    padding: 4px 8px;
    border-radius: var(--chatkit-radius-sm);
  }
  .copy-code:hover {
    background: var(--chatkit-hover);
    color: var(--chatkit-text-primary);
  }
  pre {
    margin: 0;
    padding: 4px 16px 14px;
    overflow-x: auto;
    line-height: 1.55;
    tab-size: 4;
  }
  pre:focus-visible,
  .table:focus-visible {
    outline-offset: -2px;
  }
  .table {
    overflow-x: auto;
    border: 1px solid var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-lg);
  }
  table {
    /* Each cell has its own borders: collapsed ones make the layout of a long table twice as slow. */
    border-collapse: separate;
    border-spacing: 0;
    inline-size: 100%;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
  }
  th,
  td {
    padding: 8px 14px;
    text-align: start;
    min-inline-size: 6em;
    overflow-wrap: break-word;
    vertical-align: top;
  }
  th {
    font-weight: 600;
    background: var(--chatkit-surface-secondary);
  }
  td {
    border-block-start: 1px solid var(--chatkit-border-subtle);
  }
  .align-right {
    text-align: end;
  }
  .align-center {
    text-align: center;
  }
  .blocked-image {
    display: inline-flex;
    flex-wrap: wrap;
    gap: 0 calc(var(--chatkit-space) * 2);
    max-inline-size: 100%;
    padding: 6px 12px;
    border: 1px solid var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-lg);
    background: var(--chatkit-surface-secondary);
    color: var(--chatkit-text-primary);
    font: inherit;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    text-align: start;
    text-decoration: none;
    overflow-wrap: anywhere;
  }
  button.blocked-image {
    cursor: pointer;
  }
  .blocked-image:hover {
    background: var(--chatkit-hover);
  }
  .blocked-deed {
    color: var(--chatkit-text-secondary);
    text-decoration: underline;
    text-underline-offset: 2px;
  }
  iframe {
    display: block;
    inline-size: min(100%, 420px);
    max-inline-size: 100%;
    aspect-ratio: 3 / 2;
    border: 0;
    border-radius: var(--chatkit-radius-lg);
    background: var(--chatkit-surface-secondary);
  }
  img:focus {
    outline: none;
  }
  img:focus-visible {
    outline: 2px solid var(--chatkit-focus);
    outline-offset: 2px;
  }
  img {
    max-inline-size: 100%;
    block-size: auto;
    border-radius: var(--chatkit-radius-lg);
  }
`;
