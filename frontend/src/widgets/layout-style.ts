/** Styles of roots, boxes, lists and tables. */
import {css} from 'lit';
import {darkColors, lightColors} from '../theme/tokens.js';

export const layoutStyles = css`
  .chart-room {
    min-height: 240px;
    margin: 0;
  }
  :host {
    display: block;
    /* Content cannot overflow the widget; only shadows and focus rings may, slightly. */
    overflow: clip;
    overflow-clip-margin: 8px;
    min-width: 0;
    color: var(--chatkit-text-primary);
    font-family: var(--chatkit-font);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    -webkit-font-smoothing: antialiased;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [data-mirrors]:dir(rtl) {
    transform: scaleX(-1);
  }
  .root {
    transition: opacity var(--chatkit-duration) ease;
  }
  /* Immediate responses must not flicker. */
  .root.is-waiting {
    opacity: 0.55;
    transition-delay: 120ms;
  }
  .theme-light {
    ${lightColors}
  }
  .theme-dark {
    ${darkColors}
  }
  .theme {
    color: var(--chatkit-text-primary);
  }

  .box {
    display: flex;
    gap: calc(var(--chatkit-space) * 2);
    max-width: 100%;
    margin: 0;
  }
  /* Boxes do not become narrower than their longest word; content that can be cut off or scrolled may. */
  .box:has(.truncate, .table-scroll, .breakable) {
    min-width: 0;
  }
  .row {
    flex-direction: row;
    align-items: center;
    /* With neighbours, it extends only to the edge of the row. */
    --flush-top: 0px;
    --flush-right: 0px;
    --flush-bottom: 0px;
    --flush-left: 0px;
  }
  .row:has(> .button ~ .button) {
    flex-wrap: wrap;
  }
  /* Its components are wider than the row. */
  .row[data-wraps] {
    flex-wrap: wrap !important;
  }
  .col {
    flex-direction: column;
    align-items: stretch;
  }
  .box.basic {
    gap: calc(var(--chatkit-space) * 3);
  }
  .spacer {
    flex: 1 1 0;
  }
  /* Something would overflow: requested sizes and spaces are limited to the available width. */
  .root[data-tight] {
    overflow: clip;
    overflow-clip-margin: 4px;
  }
  [data-tight] :is(.box, .card-body, .list-content, .field, .chart, .image, .spacer, .text, .title, .caption, .label) {
    flex-shrink: 1 !important;
    max-width: 100% !important;
  }
  [data-tight] :is(.box, .image, .spacer) {
    min-width: auto !important;
  }
  [data-tight] :is(.table-scroll, .chart) {
    min-width: 0 !important;
  }
  [data-tight] .field:not(.check-field) {
    min-width: min(6em, 100%) !important;
  }
  /* The requested width is too small for a field or chart; its neighbours stay readable. */
  [data-tight] :is(.field, .chart) {
    overflow-x: clip;
    overflow-clip-margin: 4px;
  }
  [data-tight] .box.col {
    flex-wrap: nowrap !important;
  }
  [data-tight] :is(.text, .title, .caption, .label, .check-label) {
    overflow-wrap: anywhere;
  }
  [data-tight] [style*='padding'] {
    padding-inline: calc(var(--chatkit-space) * 2) !important;
    --flush-right: calc(var(--chatkit-space) * 2) !important;
    --flush-left: calc(var(--chatkit-space) * 2) !important;
  }
  [data-tight] [style*='margin'] {
    margin-inline: 0 !important;
  }
  [data-tight] [style*='gap'] {
    column-gap: calc(var(--chatkit-space) * 2) !important;
  }
  .transition {
    display: contents;
  }
  .transition > * {
    animation: appear var(--chatkit-duration) ease;
  }
  @keyframes appear {
    from {
      opacity: 0;
    }
  }

  .card {
    --card-padding: calc(var(--chatkit-space) * 4);
    position: relative;
    width: 100%;
    margin: 0;
    overflow: clip;
    background: var(--chatkit-surface-elevated);
    border: 1px solid var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-card);
  }
  .card-sm {
    max-width: 360px;
  }
  .card-md {
    max-width: 440px;
  }
  .card-lg {
    max-width: 560px;
  }
  .card-body {
    display: flex;
    flex-direction: column;
    gap: calc(var(--chatkit-space) * 3);
    padding: var(--card-padding);
    --flush-top: var(--card-padding);
    --flush-right: var(--card-padding);
    --flush-bottom: var(--card-padding);
    --flush-left: var(--card-padding);
  }
  .card-footer {
    display: flex;
    flex-wrap: wrap;
    justify-content: flex-end;
    gap: calc(var(--chatkit-space) * 2);
    padding: calc(var(--chatkit-space) * 3) var(--card-padding);
    border-top: 1px solid var(--chatkit-border-subtle);
  }
  .card-footer > .button {
    height: auto;
    min-height: var(--height);
    text-wrap: wrap;
  }
  .status {
    display: flex;
    align-items: center;
    gap: calc(var(--chatkit-space) * 2);
    padding: calc(var(--chatkit-space) * 2.5) var(--card-padding);
    border-bottom: 1px solid var(--chatkit-border-subtle);
    color: var(--chatkit-text-secondary);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    overflow-wrap: anywhere;
  }
  .status > .icon {
    flex: none;
  }
  .is-collapsed > .status {
    border-bottom: 0;
  }
  .card.is-collapsed {
    background: transparent;
  }
  .favicon {
    flex: none;
    width: 16px;
    height: 16px;
    border-radius: var(--chatkit-radius-2xs);
    object-fit: contain;
  }
  .favicon.framed {
    width: 20px;
    height: 20px;
    padding: 2px;
    background: #ffffff;
    border: 1px solid var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-xs);
  }
  /* A root inside a root is part of it, not a second surface. */
  .card .card {
    max-width: 100%;
    border-radius: var(--chatkit-radius-xl);
  }

  .divider {
    align-self: stretch;
    width: 100%;
    height: 0;
    margin-block: var(--w-space, 0);
    margin-inline: 0;
    border: 0 solid var(--chatkit-border-default);
    border-top-width: min(var(--w-line, 1px), 64px);
  }
  .row > .divider {
    width: 0;
    height: auto;
    margin-block: 0;
    margin-inline: var(--w-space, 0);
    border-width: 0;
    border-inline-start-width: min(var(--w-line, 1px), 64px);
  }
  .divider.flush:not(.row > *) {
    width: calc(100% + var(--flush-left, 0px) + var(--flush-right, 0px));
    margin-right: calc(-1 * var(--flush-right, 0px));
    margin-left: calc(-1 * var(--flush-left, 0px));
  }
  .row > .divider.flush {
    margin-top: calc(-1 * var(--flush-top, 0px));
    margin-bottom: calc(-1 * var(--flush-bottom, 0px));
  }

  .list .rows {
    display: flex;
    flex-direction: column;
    padding: calc(var(--chatkit-space) * 1.5);
  }
  .list-item {
    position: relative;
    border-radius: var(--chatkit-radius-lg);
  }
  .list-content {
    display: flex;
    align-items: center;
    gap: calc(var(--chatkit-space) * 3);
    min-width: 0;
    min-height: 40px;
    padding: calc(var(--chatkit-space) * 2) calc(var(--chatkit-space) * 2.5);
  }
  .hit {
    position: absolute;
    inset: 0;
    width: 100%;
    padding: 0;
    background: transparent;
    border: 0;
    border-radius: inherit;
    cursor: inherit;
    transition: background-color var(--chatkit-duration) ease;
  }
  .is-action {
    cursor: pointer;
  }
  .is-action:hover > .hit {
    background: var(--chatkit-hover);
  }
  .is-action:active > .hit {
    background: var(--chatkit-active);
  }
  .is-action:has(> .hit[aria-disabled='true']) {
    cursor: default;
  }
  .hit[aria-disabled='true'] + .list-content {
    opacity: 0.55;
  }
  .is-action > .list-content {
    position: relative;
  }
  .is-action > .spinner {
    position: absolute;
    inset-inline-end: calc(var(--chatkit-space) * 3);
    top: calc(50% - 8px);
  }
  .more {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 4px;
    width: 100%;
    min-height: 40px;
    padding: 0 var(--card-padding);
    background: transparent;
    border: 0;
    border-top: 1px solid var(--chatkit-border-subtle);
    color: var(--chatkit-text-secondary);
    font: inherit;
    font-weight: 500;
    cursor: pointer;
  }
  .more:hover {
    background: var(--chatkit-hover);
    color: var(--chatkit-text-primary);
  }

  .table-scroll {
    max-width: 100%;
    overflow-x: auto;
  }
  .row > :is(.table-scroll, .chart) {
    min-width: 9em;
  }
  .table {
    width: 100%;
    border-collapse: collapse;
  }
  .cell {
    padding: calc(var(--chatkit-space) * 2) calc(var(--chatkit-space) * 2);
    border-bottom: 1px solid var(--chatkit-border-subtle);
    font-weight: inherit;
    text-align: start;
    vertical-align: middle;
  }
  .cell:first-child {
    padding-inline-start: 0;
  }
  .cell:last-child {
    padding-inline-end: 0;
  }
  tr:last-child > td.cell {
    border-bottom: 0;
  }
  th.cell {
    border-bottom-color: var(--chatkit-border-strong);
    color: var(--chatkit-text-secondary);
    font-weight: 500;
  }
  th.cell .text {
    color: inherit;
    font-weight: 500;
  }
  .cell-content {
    display: flex;
    flex-direction: column;
    gap: var(--chatkit-space);
  }
  .cell.center > .cell-content {
    align-items: center;
  }
  .cell.end > .cell-content {
    align-items: flex-end;
  }
  .col-xs {
    width: 6%;
  }
  .col-sm {
    width: 12%;
  }
  .col-md {
    width: 18%;
  }
  .col-lg {
    width: 26%;
  }
  .col-xl {
    width: 38%;
  }

  :is(button, input, select, textarea, a, [tabindex]):focus-visible {
    outline: 2px solid var(--chatkit-focus);
    outline-offset: 2px;
  }
  :is(.hit, .more, .plot):focus-visible {
    outline-offset: -2px;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    padding: 0;
    overflow: hidden;
    clip-path: inset(50%);
    border: 0;
    white-space: nowrap;
  }
  .spinner {
    flex: none;
    width: 16px;
    height: 16px;
    border: 2px solid currentColor;
    border-inline-end-color: transparent;
    border-radius: 50%;
    animation: turn 700ms linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 1ms !important;
      /* None, not a short one: otherwise each change of a size would be a transition, and come a frame late. */
      transition: none !important;
    }
    .spinner {
      animation-duration: 3s !important;
    }
  }
`;
