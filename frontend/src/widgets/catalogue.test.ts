/** The catalogue that Python checks widgets by, against what this client draws. */
import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {chartPart} from './lazy-chart.js';
import {pickersPart} from './lazy-pickers.js';
import {renderers} from './registry.js';
import {colorOf, radiusOf} from './values.js';
import {WidgetView} from './widget-view.js';

interface Prop {
  readonly types?: readonly string[];
  readonly values?: readonly unknown[];
  readonly format?: string;
  readonly tokens?: 'text' | 'background' | 'border' | 'chart';
}

interface Catalogue {
  readonly components: Readonly<Record<string, Readonly<Record<string, Prop>>>>;
  readonly colors: {
    readonly tokens: Readonly<Record<'text' | 'background' | 'border' | 'chart', readonly string[]>>;
    readonly hues: readonly string[];
    readonly steps: readonly number[];
  };
}

const catalogue = JSON.parse(readFileSync('../widgets/catalogue.json', 'utf8')) as Catalogue;

it('names the components that are drawn, and no other', () => {
  expect(Object.keys(catalogue.components).sort()).toEqual(Object.keys(renderers).sort());
});

it('names colours and radii that are drawn as such', () => {
  const {tokens, hues, steps} = catalogue.colors;
  for (const family of ['text', 'background', 'border', 'chart'] as const) {
    for (const name of [...tokens[family], ...hues.flatMap(hue => steps.map(step => `${hue}-${step}`))]) {
      expect(colorOf(name, family), `${family}: ${name}`).toMatch(/^var\(--chatkit-/);
    }
  }
  for (const radius of catalogue.components.Box?.radius?.values ?? []) {
    expect(radiusOf(radius), String(radius)).toBeTypeOf('string');
  }
});

const ACTION = {type: 'a.b'};
/** A value that is right, by the type of a prop. */
const VALUES: Readonly<Record<string, unknown>> = {
  ...{string: 'x', number: 2, boolean: false, icon: 'check', any: 'x', ActionConfig: ACTION},
  ...{CardAction: {label: 'x', action: ACTION}, EditableProps: {name: 'x'}, WidgetStatus: {text: 'x'}},
  ...{'SelectOption[]': [{value: 'x', label: 'x'}], 'RadioOption[]': [{value: 'x', label: 'x'}]},
  ...{'Record[]': [{x: 1}], 'BarSeries[]': [{type: 'bar', dataKey: 'x'}]},
};
const HOMES: Readonly<Record<string, (node: unknown) => unknown>> = {
  ...{Card: node => node, ListView: node => node, Basic: node => node},
  ListViewItem: node => ({type: 'ListView', children: [node]}),
  Table: node => ({type: 'Card', children: [node]}),
  'Table.Row': node => ({type: 'Card', children: [{type: 'Table', children: [node]}]}),
  'Table.Cell': node => ({
    type: 'Card',
    children: [{type: 'Table', children: [{type: 'Table.Row', children: [node]}]}],
  }),
};
/** The one is looked for only where the other is not. */
const UNREAD: ReadonlySet<string> = new Set(['key', 'id']);

customElements.define('parlor-widget', WidgetView);

it.each(Object.entries(catalogue.components))('lists for %s what is read of it, prop by prop', async (type, props) => {
  await Promise.all([chartPart.load(), pickersPart.load()]);
  const node: Record<string, unknown> = {type};
  for (const [name, {types = [], values}] of Object.entries(props)) {
    node[name] =
      values?.[0] ??
      (name === 'src' ? 'data:image/png;base64,x' : undefined) ??
      types.map(each => VALUES[each]).find(each => each !== undefined);
  }
  const read = new Set<string | symbol>();
  // A side that is given hides what stands for both.
  const {width: _, height: __, minWidth, minHeight, maxWidth, maxHeight, ...square} = node;
  for (const each of [node, square]) {
    const watched = new Proxy(each, {
      get: (target, name) => {
        read.add(name);
        return target[name as string];
      },
    });
    const view = new WidgetView();
    view.widget = (HOMES[type] ?? (child => ({type: 'Card', asForm: true, children: [child]})))(watched);
    view.streaming = true;
    document.body.append(view);
    await view.updateComplete;
    view.shadowRoot?.querySelector<HTMLElement>('[aria-haspopup]')?.click();
    await view.updateComplete;
    view.remove();
  }
  expect(Object.keys(props).filter(name => !read.has(name) && !UNREAD.has(name))).toEqual([]);
});
