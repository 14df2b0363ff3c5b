import {expect, test, vi} from 'vitest';
import {chartPart} from './lazy-chart.js';
import {WidgetView} from './widget-view.js';

customElements.define('parlor-widget', WidgetView);

const chart = (series: unknown) => ({type: 'Chart', data: [{d: 'Mon', t: 3}], series, xAxis: 'd'});

test('a chart has room and a name until what draws charts is there, and is drawn then', async () => {
  expect(chartPart.value).toBeUndefined();
  const view = new WidgetView();
  view.widget = {type: 'Card', children: [chart([null, {type: 'bar', dataKey: 't', label: 'Low'}]), chart(null)]};
  document.body.append(view);
  await view.updateComplete;
  const texts = (selector: string) =>
    [...view.renderRoot.querySelectorAll(selector)].map(({textContent}) => textContent?.replace(/\s+/g, ' ').trim());
  expect(texts('.chart-room')).toEqual(['Chart', 'Chart']);
  await vi.waitFor(() => expect(texts('tbody tr')).toEqual(['Mon 3']));
  expect(texts('.chart-room')).toEqual([]);
});
