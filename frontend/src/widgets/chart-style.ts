/** Styles of charts. */
import {css} from 'lit';

export const chartStyles = css`
  .chart {
    position: relative;
    display: flex;
    flex-direction: column;
    gap: calc(var(--chatkit-space) * 2);
    container-type: inline-size;
    width: 100%;
    min-width: 0;
    max-width: 100%;
    /* Otherwise a legend of many lines would overlap the content below. */
    min-height: min-content;
    margin: 0;
    /* Time runs from left to right in every language. */
    direction: ltr;
  }
  .chart.auto-height {
    height: 200px;
  }
  .chart-main {
    display: grid;
    flex: 1 1 0;
    grid-template: minmax(0, 1fr) auto / auto minmax(0, 1fr);
    min-height: 60px;
  }
  .plot {
    position: relative;
    grid-area: 1 / 2;
    min-height: 0;
    /* Half the height of the first and last number of the axis. */
    margin-block: calc(var(--chatkit-text-xs-line) / 2);
    border-radius: var(--chatkit-radius-2xs);
    touch-action: pan-y;
  }
  .grid-line {
    position: absolute;
    inset-inline: 0;
    border-top: 1px solid var(--chatkit-border-subtle);
  }
  .grid-line.zero {
    border-top-color: var(--chatkit-border-strong);
  }
  .band {
    position: absolute;
    inset-block: 0;
    display: flex;
    justify-content: center;
    transition: opacity var(--chatkit-duration) ease;
  }
  .band.is-dimmed {
    opacity: 0.55;
  }
  .slot {
    position: relative;
    flex: 1 1 0;
    min-width: 1px;
    max-width: 56px;
  }
  .bar {
    position: absolute;
    inset-inline: 0;
    min-height: 1px;
  }
  .bar.end-up {
    border-radius: 4px 4px 0 0;
  }
  .bar.end-down {
    border-radius: 0 0 4px 4px;
  }
  .curves {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    overflow: visible;
    pointer-events: none;
  }
  .curve {
    fill: none;
    stroke-width: 2px;
    stroke-linecap: round;
    stroke-linejoin: round;
    vector-effect: non-scaling-stroke;
  }
  .curve-fill {
    opacity: 0.16;
  }
  .dot {
    position: absolute;
    width: 9px;
    height: 9px;
    margin: -4.5px;
    border-radius: 50%;
    box-shadow: 0 0 0 2px var(--chatkit-surface-elevated);
    pointer-events: none;
  }
  .cursor {
    position: absolute;
    inset-block: 0;
    border-inline-start: 1px solid var(--chatkit-border-strong);
    pointer-events: none;
  }
  .tooltip {
    position: absolute;
    z-index: 1;
    top: 4px;
    display: flex;
    flex-direction: column;
    gap: 2px;
    min-width: 96px;
    max-width: 70%;
    padding: 6px 10px;
    background: var(--chatkit-surface-elevated);
    border: 1px solid var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-md);
    box-shadow: var(--chatkit-shadow-3);
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    pointer-events: none;
  }
  .tooltip-title {
    color: var(--chatkit-text-secondary);
  }
  .tooltip-row {
    display: flex;
    align-items: center;
    gap: 6px;
  }
  .tooltip-row > b {
    margin-inline-start: auto;
    padding-inline-start: 8px;
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }
  .swatch {
    flex: none;
    width: 8px;
    height: 8px;
    border-radius: 2px;
  }
  .chart-y {
    position: relative;
    grid-area: 1 / 1;
    margin-block: calc(var(--chatkit-text-xs-line) / 2);
    padding-inline-end: 8px;
  }
  .y-label {
    position: absolute;
    inset-inline-end: 8px;
    transform: translateY(-50%);
  }
  .chart-x {
    position: relative;
    grid-area: 2 / 2;
    padding-top: 4px;
  }
  .chart-x,
  .chart-y,
  .legend {
    color: var(--chatkit-text-secondary);
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    font-variant-numeric: tabular-nums;
  }
  .sizer {
    visibility: hidden;
  }
  .chart-y > .sizer {
    display: grid;
    height: 0;
  }
  .chart-x {
    min-height: var(--w-labels, auto);
  }
  .x-label {
    position: absolute;
    top: 4px;
    width: max-content;
    max-width: 100%;
    overflow-wrap: anywhere;
    text-align: center;
    visibility: hidden;
  }
  .chart.empty {
    justify-content: center;
    border: 1px dashed var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-md);
  }
  .chart-note {
    margin: 0;
    color: var(--chatkit-text-secondary);
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    text-align: center;
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 2px 14px;
  }
  .legend-item {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    max-width: 100%;
    overflow-wrap: anywhere;
  }
  @media (forced-colors: active) {
    .bar,
    .dot,
    .swatch,
    .curves {
      forced-color-adjust: none;
    }
  }
`;
