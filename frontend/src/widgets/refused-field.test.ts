/** What the server says of a value that it refuses stands by its field. */
import {afterEach, expect, test} from 'vitest';
import type {WidgetActionDetail} from './actions.js';
import {WidgetView} from './widget-view.js';

customElements.define('parlor-widget', WidgetView);

afterEach(() => document.body.replaceChildren());

const FORM = {
  type: 'Card',
  children: [
    {
      type: 'Form',
      onSubmitAction: {type: 'a'},
      children: [
        {type: 'Input', name: 'mail', defaultValue: 'x'},
        {type: 'Input', name: 'code', defaultValue: 'y'},
        {type: 'Button', label: 'Send', submit: true},
      ],
    },
    {type: 'Form', children: [{type: 'Input', name: 'code', defaultValue: 'z'}]},
  ],
};

async function submitted(refusal: unknown) {
  const view = new WidgetView();
  view.itemId = 'msg_1';
  view.addEventListener('widget-action', event =>
    (event as CustomEvent<WidgetActionDetail>).detail.done(Promise.reject(refusal)),
  );
  view.widget = FORM;
  document.body.append(view);
  await view.updateComplete;
  const root = view.shadowRoot as ShadowRoot;
  const settled = async () => {
    for (let turn = 0; turn < 5; turn += 1) await view.updateComplete;
  };
  const button = root.querySelector<HTMLElement>('button[type=submit]');
  button?.focus();
  button?.click();
  await settled();
  const fields = () =>
    [...root.querySelectorAll('[data-field]')].map(field => [
      field.getAttribute('data-field'),
      field.getAttribute('aria-invalid') === 'true',
      root.getElementById(field.getAttribute('aria-describedby') ?? '')?.textContent ?? '',
    ]);
  return {view, root, fields, settled};
}

test('a refused value has the sentence of the server beside it, gets the focus, and loses both with the next input', async () => {
  const {root, fields, settled} = await submitted({field: 'code', message: '“code”: a number is needed.'});
  expect(fields()).toEqual([
    ['mail', false, ''],
    ['code', true, '“code”: a number is needed.'],
    ['code', false, ''],
  ]);
  const refused = root.activeElement as HTMLInputElement;
  expect(refused.getAttribute('data-field')).toBe('code');
  refused.dispatchEvent(new Event('input'));
  await settled();
  expect(fields().filter(([, isInvalid]) => isInvalid)).toEqual([]);
});

test.each([
  ['an error', new Error('gone')],
  ['nothing', undefined],
  ['a field that is not there', {field: 'other', message: 'no'}],
  ['a field without a name', {field: '', message: 'no'}],
  ['a field that is none', {field: {}, message: {}}],
])('a refusal with %s marks no field', async (_, refusal) => {
  const {fields} = await submitted(refusal);
  expect(fields().filter(([, isInvalid, words]) => isInvalid || words)).toEqual([]);
});
