/** Styles of `<openai-chatkit>` itself: a column that fills its container, isolated from the page’s text styles. */
import {css} from 'lit';

export const elementStyles = css`
  @media print {
    :host {
      display: block !important;
      contain: none !important;
      block-size: auto !important;
      max-block-size: none !important;
      overflow: visible !important;
    }
    .root {
      print-color-adjust: exact;
      -webkit-print-color-adjust: exact;
    }
  }
  :host {
    display: block;
    position: relative;
    min-inline-size: 0;
    min-block-size: 0;
    /* For pages that give no size, or a share of none: any size of theirs wins. */
    contain: size;
    contain-intrinsic-size: 320px 600px;
  }
  .root {
    /* What a page sets around the chat ends here; what says whether the chat is there at all does not. */
    all: initial;
    visibility: inherit;
    pointer-events: inherit;
    color-scheme: inherit;
    forced-color-adjust: inherit;
    direction: inherit;
    box-sizing: border-box;
    position: absolute;
    inset: 0;
    display: flex;
    flex-direction: column;
    min-inline-size: 0;
    overflow: clip;
    font-family: var(--chatkit-font);
    font-size: var(--chatkit-base-size);
    line-height: var(--chatkit-text-md-line);
    text-align: start;
    background: var(--chatkit-surface);
    color: var(--chatkit-text-primary);
    -webkit-font-smoothing: antialiased;
    -webkit-text-size-adjust: 100%;
  }
  @media screen {
    .root {
      container-type: size;
    }
  }
  .chat {
    flex: 1;
    display: flex;
    flex-direction: column;
    min-block-size: 0;
  }
  .side {
    flex: none;
    inline-size: 272px;
    border-inline-end: 1px solid var(--chatkit-border-subtle);
    background: var(--chatkit-surface-secondary);
  }
  .root:has(> .side) {
    flex-direction: row;
  }
  .root:has(> .side) > .chat {
    min-inline-size: 0;
  }
  .main {
    flex: 1;
    min-block-size: 0;
  }
  .footer {
    display: grid;
    gap: 8px;
    inline-size: 100%;
    max-inline-size: calc(var(--chatkit-column) + 8px);
    margin-inline: auto;
    padding: 0 calc(var(--chatkit-space) * 4) calc(var(--chatkit-space) * 4);
  }
  /* Enlarged to 400 %, the room is for the words. */
  @container (height < 340px) {
    .footer {
      gap: 4px;
      padding: 0 8px 6px;
    }
    .disclaimer {
      display: none;
    }
  }
  .disclaimer {
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    text-align: center;
  }
  .disclaimer parlor-markdown {
    color: var(--chatkit-text-tertiary);
  }
  .disclaimer.strong parlor-markdown {
    color: var(--chatkit-text-primary);
  }
`;
