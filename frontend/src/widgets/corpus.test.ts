/** The corpus of widgets that the Python side is tested with: all of it is drawn, whatever is wrong with it. */
import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {WidgetView} from './widget-view.js';

customElements.define('parlor-widget', WidgetView);

interface Case {
  readonly name: string;
  readonly widget: unknown;
}

const CASES = ['valid', 'invalid'].flatMap(
  file => JSON.parse(readFileSync(`../tests/widgets/${file}.json`, 'utf8')) as Case[],
);

test.each(CASES)('$name', async ({widget}) => {
  const view = new WidgetView();
  view.widget = widget;
  document.body.append(view);
  await view.updateComplete;
  expect(view.shadowRoot?.querySelector('.root')).not.toBeNull();
  view.remove();
});
