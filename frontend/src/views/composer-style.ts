/** Styles of the composer. */
import {css} from 'lit';

export const composerStyles = css`
  :host {
    display: block;
  }
  .box {
    position: relative;
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    grid-template-areas: 'extras extras extras' 'start field end' 'limit limit limit';
    align-items: end;
    padding: 8px;
    border-radius: var(--chatkit-radius-composer);
    background: var(--chatkit-surface-elevated);
    border: 1px solid var(--chatkit-border-field);
    box-shadow: var(--chatkit-shadow-2);
    transition:
      border-color var(--chatkit-duration),
      box-shadow var(--chatkit-duration);
    cursor: text;
  }
  .box.tall {
    grid-template-areas: 'extras extras extras' 'field field field' 'limit limit limit' 'bar bar bar';
  }
  .bar {
    display: contents;
  }
  .tall .bar {
    grid-area: bar;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px;
  }
  .tall .end {
    margin-inline-start: auto;
  }
  .box:focus-within {
    box-shadow: var(--chatkit-shadow-3);
  }
  /* Marks the focus of the text field; every button has its own ring. */
  .box:has(parlor-composer-field:focus-within) {
    border-color: var(--chatkit-focus);
  }
  .locked .bar {
    opacity: 0.5;
  }
  .box.locked {
    border-color: var(--chatkit-border-default);
    background: var(--chatkit-surface-secondary);
    box-shadow: none;
    cursor: default;
  }
  parlor-composer-field {
    grid-area: field;
  }
  .tall parlor-composer-field {
    --field-padding: 8px 10px 10px;
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
    min-inline-size: 0;
    display: flex;
    align-items: center;
    gap: 4px;
  }
  .limit {
    grid-area: limit;
    padding: 4px 10px;
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    color: var(--chatkit-text-secondary);
  }
  .limit.over {
    color: var(--chatkit-text-danger);
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
  .quote svg {
    margin-block-start: 2px;
  }
  .quote button {
    display: grid;
    place-items: center;
    flex: none;
    inline-size: 24px;
    block-size: 24px;
    border-radius: var(--chatkit-radius-sm);
  }
  .quote button:hover {
    background: var(--chatkit-hover);
  }
  .quote button svg {
    margin: 0;
  }
  .round {
    flex: none;
    display: grid;
    place-items: center;
    inline-size: var(--chatkit-control-lg);
    block-size: var(--chatkit-control-lg);
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
    min-inline-size: 0;
    max-inline-size: 100%;
    min-block-size: var(--chatkit-control-md);
    padding-inline: 10px;
    border-radius: max(var(--chatkit-radius-full), 6px);
    font-size: var(--chatkit-text-sm-size);
    color: var(--chatkit-text-secondary);
  }
  .tool:hover:not(:disabled) {
    background: var(--chatkit-hover);
  }
  .tool.on {
    color: var(--chatkit-text-info);
    background: var(--chatkit-info-soft);
  }
  .tool span {
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .start .icon-button {
    border-radius: max(var(--chatkit-radius-full), 6px);
  }
  .model {
    max-inline-size: 11em;
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
    .tool.on {
      outline: 2px solid Highlight;
    }
  }
`;
