import {expect, test} from 'vitest';
import {WidgetView} from './widget-view.js';

customElements.define('parlor-widget', WidgetView);

test('a root of a scheme has it, and what lies in it too, until another one says otherwise', async () => {
  const view = new WidgetView();
  const text = (value: string) => ({type: 'Text', value, color: {light: 'red', dark: 'blue'}});
  view.widget = {
    type: 'Basic',
    theme: 'dark',
    children: [text('outer'), {type: 'Card', theme: 'light', children: [text('inner')]}],
  };
  document.body.append(view);
  await view.updateComplete;
  const schemeOf = (value: string) =>
    [...(view.shadowRoot?.querySelectorAll('p') ?? [])]
      .find(({textContent}) => textContent === value)
      ?.closest('.theme-dark, .theme-light')
      ?.className.match(/theme-(\w+)/)?.[1];
  expect([schemeOf('outer'), schemeOf('inner')]).toEqual(['dark', 'light']);
});
