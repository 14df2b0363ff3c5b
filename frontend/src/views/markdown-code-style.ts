/** Styles of formulas, and the colours of code. */
import {css} from 'lit';

export const codeStyles = css`
  .hljs-comment,
  .hljs-quote,
  .hljs-meta {
    color: var(--chatkit-text-secondary);
  }
  .hljs-comment {
    font-style: italic;
  }
  .hljs-keyword,
  .hljs-selector-tag,
  .hljs-type,
  .hljs-doctag,
  .hljs-section {
    color: var(--chatkit-text-discovery);
  }
  .hljs-string,
  .hljs-regexp,
  .hljs-addition,
  .hljs-char,
  .hljs-link {
    color: var(--chatkit-text-success);
  }
  .hljs-number,
  .hljs-literal,
  .hljs-symbol,
  .hljs-bullet,
  .hljs-attr,
  .hljs-attribute,
  .hljs-variable,
  .hljs-template-variable {
    color: var(--chatkit-text-warning);
  }
  .hljs-title,
  .hljs-built_in,
  .hljs-selector-id,
  .hljs-selector-class,
  .hljs-property {
    color: var(--chatkit-text-info);
  }
  .hljs-name,
  .hljs-tag,
  .hljs-deletion {
    color: var(--chatkit-text-danger);
  }
  .hljs-strong {
    font-weight: 600;
  }
  .hljs-emphasis {
    font-style: italic;
  }
  .math:not(.typeset) {
    font-family: var(--chatkit-font-mono);
    font-size: 0.9em;
    white-space: pre-wrap;
  }
  .math {
    direction: ltr;
    unicode-bidi: isolate;
    overflow-wrap: normal;
  }
  .math.display {
    display: block;
    overflow-x: auto;
    overflow-y: hidden;
    padding-block: 4px;
    text-align: center;
  }
  .math .katex-display {
    margin: 0;
  }
`;
