/** Looks of the composer. */
import {css} from 'lit';

export const composerStyles = css`
  :host {
    display: block;
  }
  .box {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    grid-template-areas: 'extras extras extras' 'start field end';
    align-items: end;
    padding: 8px;
    border-radius: var(--chatkit-radius-composer);
    background: var(--chatkit-surface-elevated);
    border: 1px solid var(--chatkit-border-default);
    box-shadow: var(--chatkit-shadow-2);
    transition:
      border-color var(--chatkit-duration),
      box-shadow var(--chatkit-duration);
    cursor: text;
  }
  .box.tall {
    grid-template-areas: 'extras extras extras' 'field field field' 'start . end';
  }
  .box:focus-within {
    border-color: var(--chatkit-border-strong);
    box-shadow: var(--chatkit-shadow-3);
  }
  textarea:focus-visible {
    outline: none;
  }
  .box:has(textarea:focus-visible) {
    outline: 2px solid var(--chatkit-focus);
    outline-offset: -1px;
  }
  .box.locked {
    background: var(--chatkit-surface-secondary);
    box-shadow: none;
    cursor: default;
  }
  textarea {
    grid-area: field;
    display: block;
    inline-size: 100%;
    block-size: 36px;
    min-block-size: 36px;
    max-block-size: min(220px, 40vh);
    margin: 0;
    padding: 6px 8px;
    border: 0;
    outline: none;
    resize: none;
    overflow-y: auto;
    background: none;
    font: inherit;
    font-size: max(16px, var(--chatkit-base-size));
    line-height: 24px;
    color: var(--chatkit-text-primary);
    scrollbar-width: thin;
  }
  .tall textarea {
    min-block-size: 44px;
    padding: 8px 10px 10px;
  }
  textarea::placeholder {
    color: var(--chatkit-text-tertiary);
    opacity: 1;
  }
  .start {
    grid-area: start;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px;
    min-inline-size: 0;
  }
  .end {
    grid-area: end;
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .extras {
    grid-area: extras;
    display: grid;
    gap: 8px;
    padding: 4px 4px 8px;
  }
  .quote {
    display: flex;
    align-items: flex-start;
    gap: 8px;
    padding: 6px 6px 6px 12px;
    border-radius: var(--chatkit-radius-lg);
    background: var(--chatkit-alpha-05);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-secondary);
  }
  .quote span {
    flex: 1;
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    overflow: hidden;
    overflow-wrap: anywhere;
  }
  .quote button {
    padding: 2px;
  }
  .round {
    display: grid;
    place-items: center;
    inline-size: 36px;
    block-size: 36px;
    border-radius: max(var(--chatkit-radius-full), 6px);
    background: var(--chatkit-accent);
    color: var(--chatkit-on-accent);
    transition:
      background var(--chatkit-duration),
      opacity var(--chatkit-duration);
  }
  .round:hover:not(:disabled) {
    background: var(--chatkit-accent-hover);
  }
  .round:disabled {
    background: var(--chatkit-alpha-10);
    color: var(--chatkit-text-tertiary);
  }
  .tool {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-block-size: 32px;
    padding-inline: 10px;
    border-radius: var(--chatkit-radius-full);
    font-size: var(--chatkit-text-sm-size);
    color: var(--chatkit-text-secondary);
  }
  .tool:hover:not(:disabled) {
    background: var(--chatkit-hover);
  }
  .tool[aria-pressed='true'] {
    color: var(--chatkit-text-info);
    background: var(--chatkit-info-soft);
  }
  .model {
    position: relative;
    display: flex;
    align-items: center;
    color: var(--chatkit-text-secondary);
  }
  .model svg {
    position: absolute;
    inset-inline-end: 8px;
    pointer-events: none;
  }
  select {
    appearance: none;
    max-inline-size: 11em;
    min-block-size: 32px;
    padding: 4px 26px 4px 10px;
    border: 0;
    border-radius: var(--chatkit-radius-full);
    background: transparent;
    font: inherit;
    font-size: var(--chatkit-text-sm-size);
    color: var(--chatkit-text-secondary);
    text-overflow: ellipsis;
    cursor: pointer;
  }
  select:hover {
    background: var(--chatkit-hover);
  }
  option {
    background: var(--chatkit-surface-elevated);
    color: var(--chatkit-text-primary);
  }
  .closed {
    padding: 14px 20px;
    border-radius: var(--chatkit-radius-composer);
    background: var(--chatkit-surface-secondary);
    color: var(--chatkit-text-secondary);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    text-align: center;
    overflow-wrap: anywhere;
  }
  @media (forced-colors: active) {
    .round {
      border: 1px solid ButtonText;
    }
  }
`;
