/** Styles of the panel with the user's threads. */
import {css} from 'lit';

export const historyStyles = css`
  :host {
    position: absolute;
    inset: 0;
    z-index: 3;
    display: block;
  }
  .scrim {
    position: absolute;
    inset: 0;
    background: var(--chatkit-scrim);
    animation: appear var(--chatkit-duration);
  }
  .panel {
    position: absolute;
    inset-block: 0;
    inset-inline-start: 0;
    inline-size: min(340px, 100%);
    display: flex;
    flex-direction: column;
    background: var(--chatkit-surface);
    box-shadow: var(--chatkit-shadow-4);
    animation: slide 180ms ease-out;
    outline: none;
  }
  @keyframes appear {
    from {
      opacity: 0;
    }
  }
  @keyframes slide {
    from {
      translate: -16px 0;
      opacity: 0;
    }
  }
  :host([docked]) {
    position: static;
    block-size: 100%;
  }
  :host([docked]) .panel {
    position: static;
    inline-size: 100%;
    block-size: 100%;
    background: none;
    box-shadow: none;
    animation: none;
  }
  .day {
    margin: 0;
    padding: 14px 10px 4px;
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    font-weight: 500;
    color: var(--chatkit-text-secondary);
  }
  .day:first-child {
    padding-block-start: 6px;
  }
  .search {
    position: relative;
    flex: none;
    display: flex;
    align-items: center;
    margin: 0 calc(var(--chatkit-space) * 3) 6px;
    color: var(--chatkit-text-secondary);
  }
  .search > svg {
    position: absolute;
    inset-inline-start: 10px;
    pointer-events: none;
  }
  .query {
    flex: 1;
    min-inline-size: 0;
    min-block-size: 36px;
    margin: 0;
    padding-block: 4px;
    padding-inline: max(34px, 2.125rem) max(36px, 2.25rem);
    border: 1px solid var(--chatkit-border-field);
    border-radius: var(--chatkit-radius-control);
    appearance: none;
    background: var(--chatkit-surface);
    font: inherit;
    font-size: max(16px, var(--chatkit-text-sm-size));
    color: var(--chatkit-text-primary);
  }
  .query::placeholder {
    color: var(--chatkit-text-tertiary);
    opacity: 1;
  }
  .query::-webkit-search-cancel-button {
    display: none;
  }
  .query:focus-visible {
    outline-offset: -1px;
  }
  .clear {
    position: absolute;
    inset-inline-end: 2px;
  }
  .found {
    flex: none;
    padding: 0 calc(var(--chatkit-space) * 3 + 6px) 6px;
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    color: var(--chatkit-text-secondary);
  }
  .found:empty {
    padding: 0;
  }
  mark {
    border-radius: 3px;
    background: var(--chatkit-accent-soft);
    color: inherit;
    font-weight: 600;
  }
  .list {
    flex: 1;
    min-block-size: 0;
    overflow-y: auto;
    scrollbar-width: thin;
    scrollbar-color: var(--chatkit-alpha-20) transparent;
    padding: 0 8px 16px;
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: flex;
    align-items: center;
    gap: 2px;
    padding-inline-end: 4px;
    border-radius: var(--chatkit-radius-lg);
    transition: background var(--chatkit-duration);
  }
  li:hover,
  li:focus-within {
    background: var(--chatkit-hover);
  }
  li.current {
    background: var(--chatkit-active);
  }
  .open {
    flex: 1;
    min-inline-size: 0;
    min-block-size: 40px;
    padding: 8px 10px;
    border-radius: inherit;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-primary);
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .open:focus-visible {
    outline-offset: -2px;
  }
  li .icon-button {
    opacity: 0;
  }
  li:hover .icon-button,
  li:focus-within .icon-button,
  li.current .icon-button {
    opacity: 1;
  }
  @media (hover: none) {
    li .icon-button {
      opacity: 1;
    }
  }
  .rename {
    flex: 1;
    min-inline-size: 0;
    min-block-size: 34px;
    margin: 3px;
    padding: 4px 8px;
    border: 1px solid var(--chatkit-border-control);
    border-radius: var(--chatkit-radius-md);
    background: var(--chatkit-surface);
    font: inherit;
    font-size: max(16px, var(--chatkit-text-sm-size));
    color: var(--chatkit-text-primary);
  }
  .question {
    flex: 1;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px;
    padding: 8px 6px 8px 10px;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
  }
  .question span {
    flex: 1 1 100%;
  }
  .empty {
    display: grid;
    justify-items: start;
    gap: 12px;
    padding: 12px 10px;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-secondary);
  }
  .more {
    margin: 8px 10px;
  }
  @media (forced-colors: active) {
    .panel {
      border-inline-end: 1px solid CanvasText;
    }
    li.current {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`;
