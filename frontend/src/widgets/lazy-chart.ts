/** The renderer of Chart in the core: fetches the part that draws charts with the first one. */
import {type CSSResult, html} from 'lit';
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {adoptStyles} from './adopted-styles.js';
import {isRecord, textOf, type WidgetNode} from './nodes.js';
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
  // Its room, so that nothing jumps, and its name, should the part not come.
  return html`<figure class="chart-room">${host.messages.chart(namesOf(node))}</figure>`;
};

function namesOf({series}: WidgetNode<'Chart'>): string {
  const list: readonly unknown[] = Array.isArray(series) ? series : [];
  return list
    .filter(isRecord)
    .map(({label, dataKey}) => textOf(label ?? dataKey))
    .join(', ');
}
