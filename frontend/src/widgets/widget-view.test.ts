import {afterEach, describe, expect, test} from 'vitest';
import type {WidgetActionDetail} from './actions.js';
import {chartPart} from './lazy-chart.js';
import {reconcilePart} from './lazy-reconcile.js';
import {renderers} from './registry.js';
import {WidgetView} from './widget-view.js';

customElements.define('parlor-widget', WidgetView);

afterEach(() => document.body.replaceChildren());

interface Answer {
  readonly promise: Promise<unknown>;
  resolve(): void;
  reject(): void;
}

function answer(): Answer {
  let resolve = () => {};
  let reject = () => {};
  const promise = new Promise<unknown>((yes, no) => {
    resolve = () => yes(undefined);
    reject = () => no(new Error('refused'));
  });
  return {promise, resolve, reject};
}

/** A widget on the page with what it reported. Actions are answered by `pending`, or at once. */
class Stage {
  readonly view = new WidgetView();
  readonly actions: WidgetActionDetail[] = [];
  readonly errors: string[] = [];
  pending: Answer | null = null;

  static async show(widget: unknown): Promise<Stage> {
    const stage = new Stage();
    stage.view.itemId = 'msg_1';
    stage.view.addEventListener('widget-action', event => {
      const detail = (event as CustomEvent<WidgetActionDetail>).detail;
      stage.actions.push(detail);
      if (stage.pending !== null) {
        detail.done(stage.pending.promise);
      }
    });
    stage.view.addEventListener('widget-error', event => {
      stage.errors.push((event as CustomEvent<{message: string}>).detail.message);
    });
    document.body.append(stage.view);
    await stage.update(widget);
    return stage;
  }

  async update(widget: unknown): Promise<void> {
    this.view.widget = widget;
    await this.view.updateComplete;
  }

  /** Lets promises settle and the view draw. */
  async settle(): Promise<void> {
    await Promise.resolve();
    await Promise.resolve();
    await this.view.updateComplete;
  }

  all<E extends Element = HTMLElement>(selector: string): E[] {
    return [...(this.view.shadowRoot?.querySelectorAll<E>(selector) ?? [])];
  }

  one<E extends Element = HTMLElement>(selector: string): E {
    const [found] = this.all<E>(selector);
    if (found === undefined) {
      throw new Error(`nothing matches ${selector}`);
    }
    return found;
  }

  field(name: string): HTMLInputElement {
    return this.one<HTMLInputElement>(`[data-field="${name}"]`);
  }

  button(text: string): HTMLButtonElement {
    const found = this.all<HTMLButtonElement>('button').find(
      button => button.textContent?.trim() === text || button.getAttribute('aria-label') === text,
    );
    if (found === undefined) {
      throw new Error(`no button says ${text}`);
    }
    return found;
  }

  type(name: string, value: string): void {
    this.field(name).value = value;
    this.field(name).dispatchEvent(new Event('input', {bubbles: true}));
  }

  get payloads(): unknown[] {
    return this.actions.map(({action}) => action.payload);
  }

  get isWaiting(): boolean {
    return this.one('.root').hasAttribute('inert');
  }
}

const card = (...children: unknown[]) => ({type: 'Card', id: 'card', children});
const save = {type: 'save', payload: {id: 1}};

function addForm(extra: Record<string, unknown> = {}) {
  return card({
    type: 'Form',
    onSubmitAction: {type: 'todo.add', payload: {list: 'home'}},
    children: [
      {type: 'Input', name: 'todo.title', required: true},
      {
        type: 'Select',
        name: 'priority',
        defaultValue: 'normal',
        options: [
          {value: 'normal', label: 'Normal'},
          {value: 'high', label: 'High'},
        ],
      },
      {type: 'Checkbox', name: 'urgent', label: 'Urgent'},
      {type: 'Button', submit: true, label: 'Add'},
      {type: 'Button', label: 'Other', onClickAction: {type: 'other'}},
      extra,
    ],
  });
}

describe('forms', () => {
  test('submitting sends every value, dotted names nested', async () => {
    const stage = await Stage.show(addForm());
    stage.type('todo.title', 'Milk');
    stage.button('Add').click();
    expect(stage.payloads).toEqual([{list: 'home', todo: {title: 'Milk'}, priority: 'normal', urgent: false}]);
    expect(stage.actions[0]?.itemId).toBe('msg_1');
  });

  test('a button that does not submit sends the values too, and asks for no validity', async () => {
    const stage = await Stage.show(addForm());
    stage.button('Other').click();
    expect(stage.payloads).toEqual([{todo: {title: ''}, priority: 'normal', urgent: false}]);
  });

  test('an invalid form sends nothing, marks and focuses the first bad field', async () => {
    const stage = await Stage.show(addForm());
    stage.button('Add').click();
    await stage.settle();
    expect(stage.actions).toEqual([]);
    expect(stage.view.shadowRoot?.activeElement).toBe(stage.field('todo.title'));
    expect(stage.field('todo.title').getAttribute('aria-invalid')).toBe('true');
    expect(stage.one('.field-error').textContent).not.toBe('');
    expect(stage.field('todo.title').getAttribute('aria-describedby')).toBe(stage.one('.field-error').id);
    stage.type('todo.title', 'M');
    await stage.settle();
    expect(stage.all('.field-error')).toEqual([]);
  });

  test('Enter in an input submits once, but not while an input method composes', async () => {
    const stage = await Stage.show(addForm());
    stage.type('todo.title', 'Milk');
    const enter = {key: 'Enter', bubbles: true, cancelable: true};
    stage.field('todo.title').dispatchEvent(new KeyboardEvent('keydown', {...enter, isComposing: true}));
    expect(stage.actions).toHaveLength(0);
    stage.field('todo.title').dispatchEvent(new KeyboardEvent('keydown', enter));
    expect(stage.actions).toHaveLength(1);
  });

  test('the payload wins over a field of the same name, and the loss is reported', async () => {
    const stage = await Stage.show(addForm({type: 'Input', name: 'list', defaultValue: 'work'}));
    stage.type('todo.title', 'Milk');
    stage.button('Add').click();
    expect(stage.payloads).toEqual([expect.objectContaining({list: 'home'})]);
    expect(stage.errors).toHaveLength(1);
  });

  test('a textarea is checked against its pattern', async () => {
    await reconcilePart.load();
    const stage = await Stage.show(
      card({
        type: 'Form',
        onSubmitAction: save,
        children: [
          {type: 'Textarea', name: 'code', pattern: '[A-Z]+', defaultValue: 'abc'},
          {type: 'Button', submit: true, label: 'Go'},
        ],
      }),
    );
    stage.button('Go').click();
    expect(stage.actions).toEqual([]);
    stage.type('code', 'ABC');
    stage.button('Go').click();
    expect(stage.payloads).toEqual([{id: 1, code: 'ABC'}]);
  });

  test('a card as form sends its values with confirm and validates; cancel does not validate', async () => {
    const stage = await Stage.show({
      ...card({type: 'Input', name: 'title', required: true}),
      asForm: true,
      confirm: {label: 'Save', action: save},
      cancel: {label: 'Discard', action: {type: 'discard'}},
    });
    stage.button('Save').click();
    expect(stage.actions).toEqual([]);
    stage.button('Discard').click();
    expect(stage.actions.map(({action}) => action.type)).toEqual(['discard']);
    await stage.settle();
    stage.type('title', 'x');
    stage.button('Save').click();
    expect(stage.payloads.at(-1)).toEqual({id: 1, title: 'x'});
  });

  test('a control outside a form sends its own value', async () => {
    const stage = await Stage.show(
      card(
        {type: 'Checkbox', name: 'done', onChangeAction: {type: 'toggle', payload: {id: 7}}},
        {type: 'Input', name: 'other'},
      ),
    );
    stage.field('done').click();
    expect(stage.payloads).toEqual([{id: 7, done: true}]);
  });

  test('an unset choice is left out and a date is its calendar day', async () => {
    const stage = await Stage.show(
      card({
        type: 'Form',
        onSubmitAction: save,
        children: [
          {type: 'Select', name: 'none', placeholder: 'Pick', options: [{value: 'a', label: 'A'}]},
          {type: 'RadioGroup', name: 'radio', options: [{value: 'a', label: 'A'}]},
          {
            type: 'RadioGroup',
            name: 'chosen',
            defaultValue: 'b',
            options: [
              {value: 'a', label: 'A'},
              {value: 'b', label: 'B'},
            ],
          },
          {type: 'DatePicker', name: 'day', defaultValue: '2026-06-16T23:30:00-08:00'},
          {type: 'Text', value: 'Old', editable: {name: 'text'}},
          {type: 'Input', name: 'off', disabled: true, defaultValue: 'x'},
          {type: 'Button', submit: true, label: 'Go'},
        ],
      }),
    );
    stage.button('Go').click();
    expect(stage.payloads).toEqual([{id: 1, chosen: 'b', day: '2026-06-16', text: 'Old'}]);
  });
});

describe('values and new trees', () => {
  test('what a person typed survives a tree from elsewhere', async () => {
    const stage = await Stage.show(addForm());
    stage.type('todo.title', 'half');
    const field = stage.field('todo.title');
    await stage.update(structuredClone(addForm({type: 'Text', value: 'new'})));
    expect(stage.field('todo.title')).toBe(field);
    expect(field.value).toBe('half');
  });

  test('a new default replaces what was typed', async () => {
    const stage = await Stage.show(card({type: 'Input', name: 'a', defaultValue: '1'}));
    stage.type('a', '2');
    await stage.update(card({type: 'Input', name: 'a', defaultValue: '3'}));
    expect(stage.field('a').value).toBe('3');
  });

  test('after a submission the answered form is empty and its text field has the focus', async () => {
    const stage = await Stage.show(addForm());
    stage.pending = answer();
    stage.type('todo.title', 'Milk');
    stage.field('urgent').click();
    stage.button('Add').focus();
    stage.button('Add').click();
    await stage.update(structuredClone(addForm()));
    expect(stage.field('todo.title').value).toBe('');
    expect(stage.field('urgent').checked).toBe(false);
    expect(stage.view.shadowRoot?.activeElement).toBe(stage.field('todo.title'));
  });

  test('a field edited while its submission was under way keeps the edit', async () => {
    const stage = await Stage.show(addForm());
    stage.pending = answer();
    stage.type('todo.title', 'Milk');
    stage.button('Add').click();
    stage.type('todo.title', 'Milk and bread');
    await stage.update(structuredClone(addForm()));
    expect(stage.field('todo.title').value).toBe('Milk and bread');
  });

  test('a failed submission keeps what was typed, also over a later tree', async () => {
    const stage = await Stage.show(addForm());
    stage.pending = answer();
    stage.type('todo.title', 'Milk');
    stage.button('Add').click();
    stage.pending.reject();
    await stage.settle();
    await stage.update(structuredClone(addForm()));
    expect(stage.field('todo.title').value).toBe('Milk');
  });

  test('a checkbox whose action failed shows the server value again', async () => {
    const stage = await Stage.show(card({type: 'Checkbox', name: 'done', onChangeAction: save}));
    stage.pending = answer();
    stage.field('done').click();
    expect(stage.field('done').checked).toBe(true);
    stage.pending.reject();
    await stage.settle();
    expect(stage.field('done').checked).toBe(false);
  });

  test('two boxes clicked at once: the first answer does not undo the second click', async () => {
    const list = (first: boolean, second: boolean) =>
      card(
        {type: 'Checkbox', key: 'a', name: 'done', defaultChecked: first, onChangeAction: save},
        {type: 'Checkbox', key: 'b', name: 'done', defaultChecked: second, onChangeAction: save},
      );
    const stage = await Stage.show(list(false, false));
    const boxes = stage.all<HTMLInputElement>('input');
    const answers = boxes.map(box => {
      const own = answer();
      stage.pending = own;
      box.click();
      return own;
    });
    await stage.update(list(true, false));
    answers[0]?.resolve();
    await stage.settle();
    expect(boxes.map(box => box.checked)).toEqual([true, true]);
    await stage.update(list(true, true));
    answers[1]?.resolve();
    await stage.settle();
    expect(boxes.map(box => box.checked)).toEqual([true, true]);
  });

  test('a changed control stays as it is when the answer brings no new tree', async () => {
    const stage = await Stage.show(card({type: 'Checkbox', name: 'done', onChangeAction: save}));
    stage.pending = answer();
    stage.field('done').click();
    stage.pending.resolve();
    await stage.settle();
    expect(stage.field('done').checked).toBe(true);
  });

  test('rows keep their elements by key when one before them goes away', async () => {
    const row = (key: string) => ({type: 'Row', key, children: [{type: 'Input', name: key}]});
    const stage = await Stage.show(card(row('a'), row('b')));
    const kept = stage.field('b');
    await stage.update(card(row('b')));
    expect(stage.field('b')).toBe(kept);
  });

  test('the focus moves to the neighbour when its row is deleted', async () => {
    const row = (key: string) => ({type: 'Row', key, children: [{type: 'Button', label: key}]});
    const stage = await Stage.show(card(row('a'), row('b'), row('c')));
    stage.button('b').focus();
    await stage.update(card(row('a'), row('c')));
    expect(stage.view.shadowRoot?.activeElement).toBe(stage.button('c'));
  });

  test('a list stays open over a new tree', async () => {
    const list = {
      type: 'ListView',
      limit: 2,
      children: [1, 2, 3, 4].map(n => ({
        type: 'ListViewItem',
        key: `k${n}`,
        children: [{type: 'Text', value: `${n}`}],
      })),
    };
    const stage = await Stage.show(list);
    expect(stage.all('.list-item')).toHaveLength(2);
    stage.button('Show 2 more').click();
    await stage.settle();
    expect(stage.all('.list-item')).toHaveLength(4);
    await stage.update(structuredClone(list));
    expect(stage.all('.list-item')).toHaveLength(4);
  });
});

describe('loading', () => {
  test('a button loads by itself and a second click is dropped until the promise settles', async () => {
    const stage = await Stage.show(
      card({type: 'Button', label: 'Go', onClickAction: save}, {type: 'Button', label: 'B', onClickAction: save}),
    );
    stage.pending = answer();
    const button = stage.button('Go');
    button.click();
    button.click();
    await stage.settle();
    expect(stage.actions).toHaveLength(1);
    expect(button.getAttribute('aria-busy')).toBe('true');
    expect(stage.isWaiting).toBe(false);
    stage.button('B').click();
    expect(stage.actions).toHaveLength(2);
    stage.pending.resolve();
    await stage.settle();
    expect(button.hasAttribute('aria-busy')).toBe(false);
    button.click();
    expect(stage.actions).toHaveLength(3);
  });

  test('a confirmed card waits as a whole until a new widget arrives', async () => {
    const widget = {...card(), confirm: {label: 'Yes', action: save}};
    const stage = await Stage.show(widget);
    stage.pending = answer();
    stage.button('Yes').click();
    await stage.settle();
    expect(stage.isWaiting).toBe(true);
    await stage.update({...widget, collapsed: true, status: {text: 'Done'}});
    expect(stage.isWaiting).toBe(false);
    expect(stage.one('.status').textContent).toBe('Done');
  });

  test('a rejection ends the loading too', async () => {
    const stage = await Stage.show({...card(), confirm: {label: 'Yes', action: save}});
    stage.pending = answer();
    stage.button('Yes').click();
    stage.pending.reject();
    await stage.settle();
    expect(stage.isWaiting).toBe(false);
  });

  test('an action nobody takes does not load for ever', async () => {
    const stage = await Stage.show(card({type: 'Button', label: 'Go', onClickAction: save}));
    stage.button('Go').click();
    await stage.settle();
    expect(stage.button('Go').hasAttribute('aria-busy')).toBe(false);
  });

  test('while an answer streams only its rivals are held back', async () => {
    const stage = await Stage.show(
      card(
        {type: 'Button', label: 'stream', onClickAction: save},
        {type: 'Button', label: 'sync', onClickAction: {...save, streaming: false}},
        {type: 'Button', label: 'client', onClickAction: {...save, handler: 'client'}},
      ),
    );
    stage.view.busy = true;
    await stage.settle();
    expect(stage.button('stream').getAttribute('aria-disabled')).toBe('true');
    for (const name of ['stream', 'sync', 'client']) {
      stage.button(name).click();
    }
    expect(stage.actions.map(({action}) => [action.streaming, action.handler])).toEqual([
      [false, 'server'],
      [true, 'client'],
    ]);
  });
});

describe('rows', () => {
  test('a click anywhere on a row fires its action once, a button inside only its own', async () => {
    const stage = await Stage.show({
      type: 'ListView',
      children: [
        {
          type: 'ListViewItem',
          onClickAction: {type: 'row'},
          children: [
            {type: 'Text', value: 'Bern'},
            {type: 'Button', label: 'Map', onClickAction: {type: 'map'}},
          ],
        },
      ],
    });
    stage.one('p.text').click();
    stage.one('.hit').click();
    stage.button('Map').click();
    expect(stage.actions.map(({action}) => action.type)).toEqual(['row', 'row', 'map']);
    expect(stage.one('.hit').getAttribute('aria-labelledby')).toBe(stage.one('.list-content').id);
  });
});

describe('names', () => {
  test('a label names the field of its name in its form, and ids do not repeat', async () => {
    const form = (key: string) => ({
      type: 'Form',
      key,
      children: [
        {type: 'Label', fieldName: 'a', value: key},
        {type: 'Input', name: 'a'},
      ],
    });
    const stage = await Stage.show(card(form('one'), form('two')));
    const labels = stage.all<HTMLLabelElement>('label');
    const fields = stage.all('[data-field]');
    expect(labels.map(label => label.htmlFor)).toEqual(fields.map(field => field.id));
    expect(new Set(fields.map(field => field.id)).size).toBe(2);
  });

  test('a picture has its words, its fit, its place, its frame and its corners, and no value that is none', async () => {
    const src = 'https://example.org/a.png';
    const fits = ['cover', 'contain', 'fill', 'scale-down', 'none', 'stretched', null];
    const positions = [
      'top left',
      'top',
      'top right',
      'left',
      'center',
      'right',
      'bottom left',
      'bottom',
      'bottom right',
    ];
    const image = {type: 'Image', src, alt: 'A picture', radius: 'lg', frame: true, flush: true};
    const stage = await Stage.show(
      card(
        ...fits.map((fit, index) => ({...image, key: `f${index}`, fit})),
        ...[...positions, 'middle'].map((position, index) => ({...image, key: `p${index}`, position})),
        {type: 'Image', src, key: 'plain'},
      ),
    );
    const pictures = stage.all<HTMLImageElement>('.image img');
    expect(pictures.map(each => each.style.objectFit)).toEqual([
      ...fits.slice(0, 5),
      ...Array.from({length: pictures.length - 5}, () => 'cover'),
    ]);
    expect(pictures.slice(fits.length).map(each => each.style.objectPosition)).toEqual([...positions, '', '']);
    const boxes = stage.all('.image');
    const plain = boxes.pop() as HTMLElement;
    expect(pictures.map(each => each.alt)).toEqual([...boxes.map(() => 'A picture'), '']);
    for (const box of boxes) {
      expect([box.hasAttribute('data-frame'), box.hasAttribute('data-flush')]).toEqual([true, true]);
      expect((box as HTMLElement).style.borderRadius).toContain('radius-lg');
    }
    expect([plain.hasAttribute('data-frame'), plain.hasAttribute('data-flush')]).toEqual([false, false]);
  });

  test('a text of several lines is edited with its line breaks, and sent with them', async () => {
    const text = (name: string, more: object) => ({type: 'Text', value: 'x', ...more, editable: {name}});
    const fields = [text('one', {minLines: 1}), text('body', {minLines: 4}), text('note', {value: 'two\nlines'})];
    const button = {type: 'Button', label: 'Send', submit: true};
    const stage = await Stage.show(card({type: 'Form', onSubmitAction: {type: 'send'}, children: [...fields, button]}));
    expect(stage.all('[data-field]').map(field => field.localName)).toEqual(['input', 'textarea', 'textarea']);
    stage.button('Send').click();
    expect(stage.actions.at(-1)?.action.payload).toEqual({one: 'x', body: 'x', note: 'two\nlines'});
  });

  test('a bare checkbox is named by the text of its row', async () => {
    const stage = await Stage.show(
      card({
        type: 'Row',
        children: [
          {type: 'Checkbox', name: 'done'},
          {type: 'Text', value: 'Milk'},
        ],
      }),
    );
    expect(stage.field('done').getAttribute('aria-labelledby')).toBe(stage.one('p.text').id);
  });

  test('a square icon button is named by its label', async () => {
    const stage = await Stage.show(card({type: 'Button', iconStart: 'trash', uniform: true, label: 'Delete “Milk”'}));
    expect(stage.button('Delete “Milk”').textContent?.trim()).toBe('');
  });

  test('a chart is readable as a table and by arrow keys', async () => {
    await chartPart.load();
    const stage = await Stage.show(
      card({
        type: 'Chart',
        data: [
          {d: 'Mon', t: 3},
          {d: 'Tue', t: null},
          {d: 'Wed', t: -2},
        ],
        series: [{type: 'line', dataKey: 't', label: 'Low'}],
        xAxis: 'd',
      }),
    );
    // Firefox shows the caption of a table that is itself clipped.
    expect(stage.one('table').parentElement?.className).toBe('visually-hidden');
    expect(stage.all('tbody tr').map(row => row.textContent?.replace(/\s+/g, ' ').trim())).toEqual([
      'Mon 3',
      'Tue –',
      'Wed -2',
    ]);
    const press = async (key: string) => {
      stage.one('.plot').dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
      await stage.settle();
    };
    await press('End');
    expect(stage.one('[role=status]').textContent).toBe('Wed: Low -2');
    await press('ArrowLeft');
    expect(stage.one('[role=status]').textContent).toBe('Tue: Low –');
    await press('Escape');
    expect(stage.one('[role=status]').textContent).toBe('');
  });
});

test('text is shown as growing only while the widget is being written, though servers keep the flag', async () => {
  const text = {type: 'Text', id: 'details', value: '', streaming: true};
  const stage = await Stage.show({type: 'Card', children: [text]});
  expect(stage.view.renderRoot.querySelector('.streaming')).toBeNull();
  stage.view.streaming = true;
  await stage.update({type: 'Card', children: [{...text, value: 'Bring a'}]});
  expect(stage.view.renderRoot.querySelector('.streaming')?.textContent).toBe('Bring a');
});

describe('untrusted trees', () => {
  test('no attribute of the output is a style attribute written as markup', async () => {
    const stage = await Stage.show(
      card({type: 'Box', background: 'red-100', padding: 2, children: [{type: 'Title', value: 'x', color: 'danger'}]}),
    );
    expect(stage.one('.box').style.getPropertyValue('background')).toBe('var(--chatkit-red-100)');
  });

  test('text is text', async () => {
    const stage = await Stage.show(
      card({type: 'Text', value: '<img src=x onerror=alert(1)>'}, {type: 'Markdown', value: '<b>x</b>'}),
    );
    expect(stage.all('img, b')).toEqual([]);
    expect(stage.one('p.text').textContent).toContain('<img');
  });

  test('an unknown component shows what it holds', async () => {
    const stage = await Stage.show(card({type: 'Hologram', children: [{type: 'Text', value: 'inside'}]}));
    expect(stage.one('p.text').textContent).toBe('inside');
  });

  test.each([null, undefined, 3, 'x', [], {}, {type: 'toString'}, {type: '__proto__'}, {type: 'Card', children: null}])(
    '%j is drawn without an error',
    async widget => {
      const stage = await Stage.show(widget);
      expect(stage.all('.root')).toHaveLength(1);
    },
  );

  test('a tree of any depth is drawn without an error', async () => {
    let node: unknown = {type: 'Text', value: 'deep'};
    for (let depth = 0; depth < 5000; depth += 1) {
      node = {type: 'Col', children: [node]};
    }
    const stage = await Stage.show(card(node));
    expect(stage.all('.box').length).toBeLessThan(100);
  });

  const PROPS = (
    'value label name fieldName children gap padding margin align justify wrap flex border background width height size ' +
    'minSize maxWidth aspectRatio radius color weight textAlign truncate maxLines minLines editable lineThrough streaming ' +
    'status theme limit confirm cancel asForm collapsed onClickAction onSubmitAction onChangeAction options defaultValue ' +
    'defaultChecked placeholder pattern required disabled inputType rows maxRows min max direction data series xAxis ' +
    'showYAxis barGap barCategoryGap src alt fit position frame flush iconStart iconEnd submit uniform colSpan header key id spacing'
  ).split(' ');
  const TRAPS: readonly unknown[] = [
    null,
    '',
    'x',
    '\ud800',
    -1,
    0,
    1e99,
    true,
    [],
    {},
    [null, 1],
    {toString: 1},
    {type: 'Text'},
    [{type: 'Row', children: {}}],
    {light: {}, dark: []},
    'auto',
  ];

  test.each(Object.keys(renderers))('%s takes null for a field that is missing', async type => {
    await chartPart.load();
    const markup = async (fields: object) => {
      const children = [null, {type: 'ListViewItem', children: [{type: 'Text', value: 'in it'}]}];
      const stage = await Stage.show({children, ...fields, type});
      return stage.one('.root').innerHTML.replaceAll(/<!--.*?-->/g, '');
    };
    const nulls = Object.fromEntries(PROPS.filter(prop => prop !== 'children').map(prop => [prop, null]));
    expect(await markup(nulls)).toBe(await markup({}));
    expect(await markup({...nulls, children: null})).toBe(await markup({children: undefined}));
  });

  test.each(Object.keys(renderers))('%s takes any value in any prop', async type => {
    const stage = await Stage.show(null);
    for (const [at, trap] of TRAPS.entries()) {
      const node = {
        type,
        ...Object.fromEntries(PROPS.map((prop, index) => [prop, TRAPS[(index * 7 + at) % TRAPS.length]])),
      };
      const plain = {type, ...Object.fromEntries(PROPS.map(prop => [prop, trap]))};
      await stage.update(card(node, {type: 'Form', children: [plain, node]}));
      await stage.update(node);
      await stage.update(plain);
      expect(stage.all('.root')).toHaveLength(1);
    }
  });
});
