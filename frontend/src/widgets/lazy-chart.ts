/** The renderer of Chart in the core: fetches the part that renders charts when the first one appears. */
import {type CSSResult, html} from 'lit';
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {adoptStyles} from './adopted-styles.js';
import type {Renderer, WidgetHost} from './scope.js';

interface ChartPart {
  readonly renderChart: Renderer<'Chart'>;
  readonly chartStyles: CSSResult;
}

export const chartPart = new LazyPart<ChartPart>(attempt => fetchPart<ChartPart>('chart', attempt));

const waiting = new WeakSet<WidgetHost>();

export const renderLazyChart: Renderer<'Chart'> = (node, scope) => {
  const {host, path} = scope;
  const part = chartPart.value;
  if (part) {
    adoptStyles(host, part.chartStyles);
    return part.renderChart(node, scope);
  }
  if (!waiting.has(host)) {
    waiting.add(host);
    void chartPart.load().then(loaded => {
      waiting.delete(host);
      if (loaded) host.remember(`${path} part`, true);
    });
  }
  // Reserves the space, so that the layout does not shift, and has a text in case the part cannot be loaded.
  return html`<figure class="chart-room">${host.messages.chart('')}</figure>`;
};
