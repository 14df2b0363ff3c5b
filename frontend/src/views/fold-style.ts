/** Styles of collapsible lists in or below an answer: sources and steps. */
import {css} from 'lit';

export const foldStyles = css`
  :host {
    display: block;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-secondary);
  }
  .chevron {
    display: inline-flex;
    transition: rotate var(--chatkit-duration);
  }
  [aria-expanded='true'] .chevron {
    rotate: 90deg;
  }
  ol {
    margin: 6px 0 0;
    padding: 0;
    list-style: none;
  }
`;
