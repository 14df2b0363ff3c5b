/** The axes of a chart: numbers beside it, and as many labels below it as fit. */
import {html} from 'lit';
import {fitLabels, fitNumbers} from './chart-labels.js';
import type {Plot} from './chart-plot.js';
import type {Rendered} from './scope.js';
import {styled} from './styled.js';

/** More labels fit into no chat. */
const MAX_LABELS = 200;

export function yAxis({data, y, tickLabels}: Plot): Rendered {
  return html`<div class="chart-y" aria-hidden="true" ${fitNumbers()}>
    <span class="sizer">${tickLabels.map(label => html`<span>${label}</span>`)}</span>
    ${data.ticks.map(
      (tick, index) => html`<span class="y-label" ${styled({top: `${y(tick)}%`})}>${tickLabels[index]}</span>`,
    )}
  </div>`;
}

export function xAxis({data, x}: Plot): Rendered {
  const {categories} = data;
  const step = Math.ceil(categories.length / MAX_LABELS);
  const shown = categories.flatMap((label, index) =>
    index % step === 0 || index === categories.length - 1 ? [{label, place: x(index)}] : [],
  );
  return html`<div class="chart-x" aria-hidden="true" ${fitLabels(shown.map(({place}) => place))}>
    <span class="sizer">0</span>
    ${shown.map(({label}) => html`<span class="x-label" dir="auto">${label}</span>`)}
  </div>`;
}
