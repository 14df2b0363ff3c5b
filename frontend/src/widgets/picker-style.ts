/** Styles of the faces of Select and DatePicker, and of their popovers. */
import {css} from 'lit';

export const pickerStyles = css`
  /* Sized by the native control below, so that the layout never shifts. */
  .has-face > .control:not(.face) {
    visibility: hidden;
  }
  .has-face > .date:not(.face) {
    padding-inline-end: calc(var(--gutter) + 44px);
  }
  .face.face {
    position: relative;
    text-align: start;
  }
  .face.picker {
    display: flex;
    align-items: center;
    overflow: hidden;
  }
  .face-text {
    flex: 1 1 auto;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .has-face:not([data-filled]) > .face > .face-text {
    color: var(--chatkit-text-tertiary);
  }
  .face[aria-disabled='true'] {
    opacity: 0.55;
    cursor: not-allowed;
  }
  .face[aria-busy='true'] {
    cursor: progress;
  }
  .face.date {
    padding-inline-end: calc(var(--gutter) + 20px);
  }
  .has-face:has(> .face-clear)[data-filled] > .face {
    padding-inline-end: calc(var(--gutter) + 44px);
  }
  .has-face > .picker-arrow {
    z-index: 1;
  }
  .face-clear,
  .face-open {
    position: relative;
    z-index: 1;
    grid-area: 1 / 1;
    display: grid;
    place-self: center end;
    place-items: center;
    width: 24px;
    height: 24px;
    max-height: 100%;
    margin: 0;
    padding: 0;
    background: transparent;
    border: 0;
    border-radius: var(--chatkit-radius-sm);
    color: var(--chatkit-text-secondary);
    cursor: pointer;
  }
  .face-open {
    margin-inline-end: calc(var(--chatkit-gutter-sm) - 4px);
  }
  .face-clear {
    margin-inline-end: calc(var(--chatkit-gutter-sm) + 20px);
  }
  .has-face:not([data-filled]) > .face-clear {
    display: none;
  }
  :is(.face-clear, .face-open, .calendar-turn, .day):hover {
    background: var(--chatkit-hover);
    color: var(--chatkit-text-primary);
  }
  .face-open:disabled {
    opacity: 0.55;
    cursor: not-allowed;
  }

  .face-popover {
    position: fixed;
    inset: auto;
    z-index: 10;
    display: flex;
    flex-direction: column;
    max-width: calc(100vw - 16px);
    margin: 0;
    padding: 0;
    overflow: hidden;
    border: 1px solid var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-popover);
    background: var(--chatkit-surface-elevated);
    box-shadow: var(--chatkit-shadow-4);
    color: var(--chatkit-text-primary);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
  }
  .face-search.face-search {
    flex: none;
    width: calc(100% - 12px);
    margin: 6px 6px 0;
  }
  .options {
    position: relative;
    max-width: 360px;
    max-height: 320px;
    padding: 6px;
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .option {
    display: flex;
    align-items: center;
    gap: 10px;
    min-block-size: 36px;
    padding: 6px 10px;
    border-radius: var(--chatkit-radius-md);
    cursor: pointer;
  }
  .option.is-active {
    background: var(--chatkit-hover);
  }
  .option[aria-disabled='true'] {
    opacity: 0.5;
    cursor: not-allowed;
  }
  .option-words {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .option-description {
    display: block;
    color: var(--chatkit-text-secondary);
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
  }
  .option-mark {
    visibility: hidden;
    display: flex;
  }
  .option[aria-selected='true'] > .option-mark {
    visibility: visible;
  }
  .option-none {
    padding: 6px 16px 14px;
    color: var(--chatkit-text-secondary);
  }

  .calendar-body {
    padding: 10px;
    overflow: auto;
    overscroll-behavior: contain;
  }
  .calendar-head {
    display: flex;
    align-items: center;
    gap: 4px;
  }
  .calendar-month {
    flex: 1;
    font-weight: 600;
    text-align: center;
  }
  .calendar-turn,
  .day {
    display: grid;
    place-items: center;
    width: 36px;
    height: 36px;
    margin: 0;
    padding: 0;
    background: transparent;
    border: 0;
    border-radius: var(--chatkit-radius-md);
    color: inherit;
    font: inherit;
    cursor: pointer;
  }
  :is(.calendar-turn, .day)[aria-disabled='true'] {
    opacity: 0.4;
    cursor: not-allowed;
  }
  .days {
    margin: 4px auto 0;
    border-collapse: collapse;
  }
  .days th {
    height: 28px;
    padding: 0;
    color: var(--chatkit-text-secondary);
    font-size: var(--chatkit-text-xs-size);
    font-weight: 400;
    text-align: center;
  }
  .days td {
    padding: 0;
  }
  .day[aria-current='date'] {
    font-weight: 700;
    box-shadow: inset 0 0 0 1px var(--chatkit-border-strong);
  }
  td[aria-selected='true'] > .day {
    background: var(--chatkit-accent);
    color: var(--chatkit-on-accent);
  }
  @media (forced-colors: active) {
    .option.is-active,
    td[aria-selected='true'] > .day {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`;
