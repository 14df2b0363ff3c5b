/** Styles of the gallery; the widgets have their own. */
import {css} from 'lit';

export const galleryStyles = css`
  :host {
    display: block;
    box-sizing: border-box;
    min-block-size: 100vh;
    margin: -8px;
    padding: 16px;
    background: var(--chatkit-surface);
    color: var(--chatkit-text-primary);
    font-family: var(--chatkit-font);
    font-size: var(--chatkit-base-size);
    line-height: 1.5;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 8px 24px;
  }
  h1,
  h2,
  h3 {
    margin: 0;
    font-weight: 600;
    line-height: 1.25;
  }
  h1 {
    font-size: 1.5em;
  }
  h2 {
    margin-block: 32px 0;
    font-size: 1.25em;
  }
  h3 {
    margin-block: 24px 8px;
    font-size: 1em;
  }
  select,
  textarea {
    font: inherit;
    color: inherit;
    background: var(--chatkit-surface);
    border: 1px solid var(--chatkit-border-strong);
    border-radius: 6px;
  }
  textarea {
    box-sizing: border-box;
    inline-size: 100%;
    padding: 8px;
    font-family: var(--chatkit-font-mono);
    font-size: 0.8em;
  }
  .stage {
    max-inline-size: 720px;
  }
  .stage[class*=' w'] {
    max-inline-size: none;
  }
  .w320 {
    inline-size: 320px;
  }
  .w360 {
    inline-size: 360px;
  }
  .w640 {
    inline-size: 640px;
  }
  .w1000 {
    inline-size: 1000px;
  }
  .note,
  summary,
  .action {
    color: var(--chatkit-text-secondary);
    font-size: 0.9em;
  }
  code {
    font-family: var(--chatkit-font-mono);
    overflow-wrap: anywhere;
  }
  .findings {
    margin-block: 8px;
    padding: 0;
    list-style: none;
  }
  .findings li {
    padding: 2px 8px;
    border-inline-start: 3px solid var(--chatkit-red-500);
  }
  .findings .warning {
    border-color: var(--chatkit-yellow-500);
  }
`;
