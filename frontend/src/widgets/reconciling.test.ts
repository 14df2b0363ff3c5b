/** What a person has done in a widget outlives the edits of its author, and never gets to another row. */
import {afterEach, beforeAll, describe, expect, test} from 'vitest';
import {reconcilePart} from './lazy-reconcile.js';
import type {AnyNode} from './nodes.js';
import {WidgetView} from './widget-view.js';

customElements.define('parlor-widget', WidgetView);

beforeAll(async () => {
  expect(await reconcilePart.load()).toBeDefined();
});

afterEach(() => document.body.replaceChildren());

interface Node extends AnyNode {
  key?: string;
  id?: string;
  children?: Node[];
}

/** A small generator of numbers from 0 to 1 that begins anew with each seed. */
function buildRandom(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

async function mountWidget(widget: unknown): Promise<WidgetView> {
  const view = new WidgetView();
  view.itemId = 'msg_1';
  view.widget = structuredClone(widget);
  document.body.append(view);
  await view.updateComplete;
  return view;
}

async function update(view: WidgetView, widget: unknown): Promise<void> {
  // As it comes over the wire: no object is the same.
  view.widget = structuredClone(widget);
  await view.updateComplete;
}

const rootOf = (view: WidgetView) => view.shadowRoot as ShadowRoot;

function fieldOf(view: WidgetView, name: string): HTMLInputElement {
  return rootOf(view).querySelector(`[data-field="${name}"]`) as HTMLInputElement;
}

const OPTIONS = ['a', 'b', 'c'].map(value => ({value, label: value}));

/** One field of each kind, each known by something else. */
function fields(): Node[] {
  return [
    {type: 'Input', name: 'by_id', id: 'one', key: 'k1', defaultValue: 'x'},
    {type: 'Textarea', name: 'by_key', key: 'two'},
    {type: 'Input', name: 'by_name'},
    {type: 'Select', name: 'choice', defaultValue: 'a', options: OPTIONS},
    {type: 'RadioGroup', name: 'radio', options: OPTIONS},
    {type: 'Checkbox', name: 'check', id: 'six', label: 'Check'},
    {type: 'Text', value: 'first', editable: {name: 'text'}},
    {type: 'DatePicker', name: 'day'},
  ];
}

const TYPED = {
  by_id: 'typed 1',
  by_key: 'typed 2',
  by_name: 'typed 3',
  choice: 'b',
  text: 'typed 7',
  day: '2026-05-04',
};

function typeInto(view: WidgetView): void {
  for (const [name, value] of Object.entries(TYPED)) fieldOf(view, name).value = value;
  fieldOf(view, 'check').checked = true;
  const radio = fieldOf(view, 'radio').querySelector<HTMLInputElement>('[value=c]');
  if (radio) radio.checked = true;
}

function readFields(view: WidgetView): unknown {
  const values = Object.fromEntries(Object.keys(TYPED).map(name => [name, fieldOf(view, name).value]));
  const radio = fieldOf(view, 'radio').querySelector<HTMLInputElement>(':checked')?.value;
  return {...values, check: fieldOf(view, 'check').checked, radio};
}

/** Where a field may stand: every list of children. */
function listsIn(node: Node, found: Node[][] = []): Node[][] {
  if (node.children) {
    found.push(node.children);
    for (const child of node.children) listsIn(child, found);
  }
  return found;
}

function edit(root: Node, random: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const full = listsIn(root).filter(list => list.length > 0);
  const list = pick(full);
  const at = Math.floor(random() * list.length);
  const node = list[at] as Node;
  const deed = pick(['wrap', 'move', 'key', 'reorder', 'insert']);
  if (deed === 'wrap') list[at] = {type: pick(['Col', 'Row', 'Box']), children: [node]};
  else if (deed === 'move') {
    list.splice(at, 1);
    const target = pick(listsIn(root).filter(each => each !== node.children && !listsIn(node).includes(each)));
    target.splice(Math.floor(random() * (target.length + 1)), 0, node);
  } else if (deed === 'key') {
    // The second is known by nothing else but its key and its name.
    node.key = `key ${random()}`;
  } else if (deed === 'reorder') list.reverse();
  else list.splice(at, 0, {type: 'Caption', value: `${random()}`});
  return deed;
}

describe('twenty edits that keep id, key or name', () => {
  test.each(Array.from({length: 4}, (_, seed) => seed))('take nothing from a person (seed %i)', async seed => {
    const random = buildRandom(seed + 1);
    const root: Node = {type: 'Card', children: fields()};
    const view = await mountWidget(root);
    typeInto(view);
    const before = readFields(view);
    const input = fieldOf(view, 'by_name');
    input.focus();
    input.setSelectionRange(2, 5);
    const done: string[] = [];
    for (let count = 0; count < 20; count += 1) {
      done.push(edit(root, random));
      await update(view, root);
      expect(readFields(view), done.join(', ')).toEqual(before);
      const active = rootOf(view).activeElement as HTMLInputElement;
      expect(active?.getAttribute('data-field'), done.join(', ')).toBe('by_name');
      expect([active.selectionStart, active.selectionEnd], done.join(', ')).toEqual([2, 5]);
    }
  });

  test('leave a list open that was opened', async () => {
    const rows = Array.from({length: 8}, (_, n) => ({type: 'ListViewItem', key: `${n}`, children: []}));
    const list = {type: 'ListView', limit: 'auto', children: rows};
    const view = await mountWidget(list);
    const count = () => rootOf(view).querySelectorAll('.list-item').length;
    rootOf(view).querySelector<HTMLElement>('.more')?.click();
    await view.updateComplete;
    expect(count()).toBe(8);
    await update(view, {...list, key: 'new'});
    expect(count()).toBe(8);
    await update(view, {type: 'Basic', children: [{...list, children: [...rows].reverse()}]});
    expect(count()).toBe(8);
  });
});

describe('rows without a key', () => {
  const row = (title: string, name = 'note'): Node => ({
    type: 'Row',
    children: [
      {type: 'Text', value: title},
      {type: 'Box', children: [{type: 'Input', name}]},
    ],
  });
  const table = (...rows: Node[]) => ({type: 'Card', children: [{type: 'Col', children: rows}]});

  function notes(view: WidgetView): Record<string, string> {
    const found = [...rootOf(view).querySelectorAll('.row')].map(each => [
      each.querySelector('p')?.textContent ?? '',
      each.querySelector('input')?.value ?? '',
    ]);
    return Object.fromEntries(found);
  }

  test.each(Array.from({length: 4}, (_, seed) => seed))('never hand a value to another row (seed %i)', async seed => {
    const random = buildRandom(seed + 100);
    let titles = ['A', 'B', 'C', 'D'];
    const view = await mountWidget(table(...titles.map(title => row(title))));
    for (const [index, input] of [...rootOf(view).querySelectorAll('input')].entries()) {
      input.value = `of ${titles[index]}`;
    }
    for (let count = 0; count < 20; count += 1) {
      const at = Math.floor(random() * titles.length);
      const deed = Math.floor(random() * 4);
      if (deed === 0 && titles.length > 2) titles = titles.filter((_, index) => index !== at);
      else if (deed === 1) titles = [...titles.slice(0, at), `new ${count}`, ...titles.slice(at)];
      else if (deed === 2) titles = [...titles].reverse();
      else titles = titles.map((title, index) => (index === at ? `changed ${count}` : title));
      await update(view, table(...titles.map(title => row(title))));
      for (const [title, note] of Object.entries(notes(view))) expect(['', `of ${title}`]).toContain(note);
    }
    const left = Object.entries(notes(view)).filter(([title]) => title.length === 1);
    expect(left).toEqual(left.map(([title]) => [title, `of ${title}`]));
  });

  test('keep what was typed while something else changes, also where two are alike', async () => {
    const view = await mountWidget(table(row('A'), row('A')));
    for (const [index, input] of [...rootOf(view).querySelectorAll('input')].entries()) input.value = `${index}`;
    await update(view, {
      type: 'Card',
      children: [{type: 'Title', value: 'New'}, ...table(row('A'), row('A')).children],
    });
    expect([...rootOf(view).querySelectorAll('input')].map(({value}) => value)).toEqual(['0', '1']);
    await update(view, table(row('A')));
    expect([...rootOf(view).querySelectorAll('input')].map(({value}) => value)).toEqual(['']);
  });

  test('the last row of a list gives nothing to the one that takes its place', async () => {
    const list = (title: string) => ({
      type: 'ListView',
      children: [
        {
          type: 'ListViewItem',
          children: [
            {type: 'Text', value: title},
            {type: 'Input', name: 'note'},
          ],
        },
      ],
    });
    const view = await mountWidget(list('A'));
    fieldOf(view, 'note').value = 'of A';
    await update(view, list('A'));
    expect(fieldOf(view, 'note').value).toBe('of A');
    await update(view, list('B'));
    expect(fieldOf(view, 'note').value).toBe('');
  });
});

test('a form with a new key starts empty, and one of two with equal fields keeps its own', async () => {
  const form = (key: string | null, words: string): Node => ({
    type: 'Form',
    ...(key === null ? {} : {key}),
    children: [
      {type: 'Caption', value: words},
      {type: 'Input', name: 'title'},
    ],
  });
  const view = await mountWidget({type: 'Card', children: [form('add-1', 'x')]});
  fieldOf(view, 'title').value = 'typed';
  await update(view, {type: 'Card', children: [form('add-1', 'y')]});
  expect(fieldOf(view, 'title').value).toBe('typed');
  await update(view, {type: 'Card', children: [form('add-2', 'y')]});
  expect(fieldOf(view, 'title').value).toBe('');

  const two = await mountWidget({type: 'Card', children: [form(null, 'x'), form(null, 'y')]});
  const inputs = () => [...rootOf(two).querySelectorAll('input')];
  for (const [index, input] of inputs().entries()) input.value = `${index}`;
  await update(two, {type: 'Card', children: [form(null, 'changed'), form(null, 'changed too')]});
  expect(inputs().map(({value}) => value)).toEqual(['0', '1']);
});
