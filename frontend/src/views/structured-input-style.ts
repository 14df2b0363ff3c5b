/** Styles of the questions that take the composer's place. */
import {css} from 'lit';

export const structuredInputStyles = css`
  :host {
    display: block;
  }
  .box {
    display: grid;
    grid-template: minmax(0, 1fr) auto / minmax(0, 1fr);
    gap: 4px;
    max-block-size: min(480px, 60vh);
    padding: 8px 8px 12px;
    border: 1px solid var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-composer);
    background: var(--chatkit-surface-elevated);
    box-shadow: var(--chatkit-shadow-2);
  }
  .scroll {
    overflow-y: auto;
    padding: 8px;
    scrollbar-width: thin;
  }
  fieldset {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
    min-inline-size: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    display: grid;
    gap: 2px;
    margin-block-end: 8px;
    padding: 0;
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  .count {
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    font-weight: 400;
    color: var(--chatkit-text-secondary);
  }
  .description {
    margin: -8px 0 0;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-secondary);
    overflow-wrap: anywhere;
  }
  .options {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 6px;
  }
  .option {
    position: relative;
    display: flex;
    align-items: center;
    gap: 10px;
    min-block-size: 40px;
    padding: 8px var(--chatkit-gutter-md);
    border: 1px solid var(--chatkit-border-field);
    border-radius: var(--chatkit-radius-control);
    cursor: pointer;
    transition:
      background var(--chatkit-duration),
      border-color var(--chatkit-duration);
  }
  .option > span {
    flex: 1;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .option:hover {
    background: var(--chatkit-hover);
  }
  .option:has(> input:checked),
  .own:has(input:checked) {
    border-color: var(--chatkit-text-primary);
  }
  .option:has(> input:focus-visible) {
    outline: 2px solid var(--chatkit-focus);
    outline-offset: 2px;
  }
  .option input[type='radio'],
  .option input[type='checkbox'] {
    flex: none;
    inline-size: 18px;
    block-size: 18px;
    margin: 0;
    accent-color: var(--chatkit-accent);
    cursor: pointer;
  }
  .option > input:focus-visible {
    outline: none;
  }
  .own {
    padding-block: 0;
    cursor: default;
  }
  .own label {
    display: grid;
    place-items: center;
    min-inline-size: 24px;
    min-block-size: 24px;
    margin-inline: -3px;
  }
  .own input[type='text'] {
    flex: 1;
    min-inline-size: 0;
    min-block-size: 38px;
    padding: 0;
    border: 0;
    background: none;
    font: inherit;
    font-size: max(16px, var(--chatkit-base-size));
    color: var(--chatkit-text-primary);
    outline: none;
  }
  .own:has(input[type='text']:focus-visible) {
    outline: 2px solid var(--chatkit-focus);
    outline-offset: 2px;
  }
  textarea {
    display: block;
    inline-size: 100%;
    max-block-size: 200px;
    margin: 0;
    padding: 8px var(--chatkit-gutter-md);
    border: 1px solid var(--chatkit-border-field);
    border-radius: var(--chatkit-radius-control);
    background: none;
    font: inherit;
    font-size: max(16px, var(--chatkit-base-size));
    color: var(--chatkit-text-primary);
    resize: vertical;
    field-sizing: content;
  }
  ::placeholder {
    color: var(--chatkit-text-tertiary);
    opacity: 1;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    padding-inline: 8px;
  }
  .gap {
    flex: 1;
  }
  .text-button.quiet {
    box-shadow: none;
    color: var(--chatkit-text-secondary);
  }
  .text-button.primary {
    /* Wrapped to a line of its own in a narrow chat, it is aligned to the end. */
    margin-inline-start: auto;
    background: var(--chatkit-accent);
    color: var(--chatkit-on-accent);
    box-shadow: none;
  }
  .text-button.primary:hover:not(:disabled) {
    background: var(--chatkit-accent-hover);
  }
  .text-button.primary:disabled {
    background: var(--chatkit-alpha-10);
    color: var(--chatkit-text-tertiary);
  }
  fieldset:disabled {
    opacity: 0.6;
  }
`;
