/** Print styles that all views share. */
import {css} from 'lit';

/** For every view: what can only be clicked is not printed, and what was left out until it is looked at is. */
export const printStyles = css`
  .print-only {
    display: none;
  }
  @media print {
    .print-only {
      display: block;
    }
    .no-print,
    .icon-button,
    .text-button,
    .copy-code {
      display: none !important;
    }
    .print-whole {
      display: block !important;
      position: static !important;
      block-size: auto !important;
      min-block-size: 0 !important;
      overflow: visible !important;
      content-visibility: visible !important;
    }
  }
`;
