import '../testing/happy-dom.js';
import {LitElement} from 'lit';
import {afterEach, describe, expect, it} from 'vitest';
import {IntentEvent} from '../intents.js';
import type {Annotation, JSONObject, Task, ThreadItem, Workflow} from '../protocol/types.js';
import {buildMarkers} from './annotations.js';
import {EntityTag} from './entity-tag.js';
import {GeneratedImageView} from './generated-image.js';
import {MarkdownView} from './markdown-view.js';
import {NoticesView} from './notices.js';
import {collectSources, parseSource} from './source.js';
import {SourcesView} from './sources.js';
import {WorkflowView} from './workflow.js';

for (const [tag, element] of [
  ['parlor-markdown', MarkdownView],
  ['parlor-entity-tag', EntityTag],
  ['parlor-sources', SourcesView],
  ['parlor-workflow', WorkflowView],
  ['parlor-generated-image', GeneratedImageView],
  ['parlor-notices', NoticesView],
] as const) {
  customElements.define(tag, element);
}

afterEach(() => document.body.replaceChildren());

async function show<T extends LitElement>(element: T, properties: Partial<T>): Promise<T> {
  Object.assign(element, properties);
  document.body.append(element);
  await settle(element);
  return element;
}

async function settle(element: LitElement): Promise<void> {
  await element.updateComplete;
  for (const child of element.renderRoot.querySelectorAll('*')) {
    if (child instanceof LitElement) await settle(child);
  }
}

/** All elements below, across shadow roots. */
function allElements(root: ParentNode): readonly Element[] {
  return [...root.querySelectorAll('*')].flatMap(element => [
    element,
    ...(element.shadowRoot ? allElements(element.shadowRoot) : []),
  ]);
}

function visibleText(root: ParentNode): string {
  return allElements(root)
    .flatMap(element => [...element.childNodes])
    .filter(node => node.nodeType === 3)
    .map(node => node.nodeValue?.trim())
    .filter(Boolean)
    .join(' ');
}

function url(title: string, address: string, rest: JSONObject = {}): JSONObject {
  return {type: 'url', title, url: address, ...rest};
}

function message(id: string, annotations: readonly Annotation[]): ThreadItem {
  return {type: 'assistant_message', id, content: [{text: 'Text', annotations}]};
}

const WIKIPEDIA = url('Bern', 'https://en.wikipedia.org/wiki/Bern', {attribution: 'Wikipedia'});
const REPORT = {type: 'file', title: 'Report', filename: 'report.pdf'};
const ORDER = {type: 'entity', id: 'o7', title: 'Order 7', inline_label: '#7', interactive: true, data: {k: 'v'}};

describe('citations', () => {
  it('with the same place make one group, numbered as in the list of the answer', async () => {
    const annotations = [WIKIPEDIA, REPORT, WIKIPEDIA].map(source => ({source, index: 4}));
    const sources = collectSources([message('m', [{source: ORDER, index: undefined}, ...annotations])]);
    const view = await show(new MarkdownView(), {text: 'Bern is old.', markers: buildMarkers(annotations, sources)});
    expect(view.renderRoot.querySelectorAll('.cites')).toHaveLength(1);
    expect(view.renderRoot.querySelector('p')?.textContent?.replaceAll(/\s+/g, ' ')).toBe('Bern23 is old.');
    const link = view.renderRoot.querySelector('a');
    expect(link?.getAttribute('href')).toBe('https://en.wikipedia.org/wiki/Bern');
    expect(link?.getAttribute('rel')).toBe('noopener noreferrer');
    expect(link?.getAttribute('aria-label')).toBe('Source 2: Bern');
    expect(link?.getAttribute('title')).toBe('Bern – Wikipedia');
  });

  it('of an interactive entity tell the page of a click, with what it knows', async () => {
    const annotations = [{source: ORDER, index: 4}];
    const view = await show(new MarkdownView(), {
      text: 'Bern is old.',
      markers: buildMarkers(annotations, collectSources([message('m', annotations)])),
    });
    const intents: unknown[] = [];
    view.addEventListener(IntentEvent.type, event => intents.push((event as IntentEvent).intent));
    const tag = view.renderRoot.querySelector<EntityTag>('parlor-entity-tag');
    const button = tag?.renderRoot.querySelector('button');
    expect(button?.textContent).toBe('#7');
    expect(button?.getAttribute('aria-label')).toBe('#7: Order 7');
    button?.click();
    expect(intents).toEqual([
      {type: 'entity-click', entity: {id: 'o7', title: 'Order 7', interactive: true, data: {k: 'v'}}},
    ]);
  });

  it('of an entity that is not interactive are no buttons', async () => {
    const annotations = [{source: {...ORDER, interactive: false}, index: 4}];
    const markers = buildMarkers(annotations, collectSources([message('m', annotations)]));
    const view = await show(new MarkdownView(), {text: 'Bern is old.', markers});
    expect(allElements(view.renderRoot).filter(({localName}) => localName === 'button')).toEqual([]);
    expect(view.renderRoot.querySelector('.cite')?.textContent?.trim()).toBe('#7');
  });
});

describe('a citation of a file', () => {
  it('asks for its entry in the list of sources, which then has the focus', async () => {
    const annotations = [WIKIPEDIA, REPORT].map(source => ({source, index: 4}));
    const sources = collectSources([message('m', annotations)]);
    const view = await show(new MarkdownView(), {text: 'Bern is old.', markers: buildMarkers(annotations, sources)});
    const intents: unknown[] = [];
    view.addEventListener(IntentEvent.type, event => intents.push((event as IntentEvent).intent));
    const button = view.renderRoot.querySelector<HTMLButtonElement>('button.cite');
    expect(button?.getAttribute('aria-label')).toBe('Source 2: Report');
    button?.click();
    expect(intents).toEqual([{type: 'show-source', key: 'file report.pdf'}]);
    const list = await show(new SourcesView(), {sources});
    await list.show('file report.pdf');
    expect(list.shadowRoot?.activeElement?.textContent).toContain('report.pdf');
  });
});

describe('sources', () => {
  it('are unique, in order, and the same array while the answer is the same', () => {
    const items = [
      message(
        'a',
        [WIKIPEDIA, REPORT].map(source => ({source, index: 1})),
      ),
      message('b', [
        {source: {...WIKIPEDIA, title: 'Again'}, index: undefined},
        {source: ORDER, index: 2},
      ]),
    ];
    const sources = collectSources(items);
    expect(sources.map(({title}) => title)).toEqual(['Bern', 'Report', 'Order 7']);
    expect(collectSources([...items])).toBe(sources);
    expect(collectSources([message('c', [])])).toBe(collectSources([]));
  });

  it('are folded until they are wanted, and then say where they come from', async () => {
    const sources = collectSources([
      message('a', [
        {source: {...WIKIPEDIA, description: 'City in Switzerland'}, index: 1},
        {source: url('Other', 'https://www.two.example/x'), index: 2},
        {source: REPORT, index: 3},
        {source: ORDER, index: 4},
      ]),
    ]);
    const view = await show(new SourcesView(), {sources});
    const fold = view.renderRoot.querySelector('button');
    expect(fold?.textContent?.trim()).toBe('4 sources');
    expect(fold?.getAttribute('aria-expanded')).toBe('false');
    expect(view.renderRoot.querySelectorAll('li')).toHaveLength(0);
    fold?.click();
    await settle(view);
    const text = visibleText(view.renderRoot);
    for (const words of ['Bern', 'Wikipedia', 'City in Switzerland', 'two.example', 'report.pdf', 'Order 7'])
      expect(text).toContain(words);
    // No icon of a site may be fetched.
    expect(allElements(view.renderRoot).filter(({localName}) => localName === 'img')).toEqual([]);
  });

  it.each([
    {type: 'url', title: 'No address'},
    {type: 'url', url: 'https://a.example'},
    {type: 'file', filename: 'x.pdf'},
    {type: 'entity', title: 'No id'},
    {type: 'unheard-of', title: 'New kind', url: 'https://a.example'},
    {type: 'url', title: 'Nulls', url: 'https://a.example', attribution: null, timestamp: null, description: 7},
  ])('survive what is missing or wrong: %j', async source => {
    const parsed = parseSource(source);
    expect(parsed).toBeDefined();
    const view = await show(new SourcesView(), {sources: parsed ? [parsed] : [], isOpen: true});
    expect(view.renderRoot.querySelectorAll('li')).toHaveLength(1);
  });

  it('that say nothing are left out', () => {
    expect(parseSource({})).toBeUndefined();
    expect(parseSource({type: 'entity', title: '  '})).toBeUndefined();
  });
});

function task(rest: Partial<Task>): Task {
  return {
    type: 'custom',
    status: 'none',
    title: undefined,
    icon: undefined,
    content: undefined,
    queries: [],
    sources: [],
    ...rest,
  };
}

function workflow(rest: Partial<Workflow>): Workflow {
  return {type: 'custom', tasks: [], summary: undefined, expanded: false, ...rest};
}

describe('a workflow', () => {
  it.each([
    ['complete', true],
    ['none', false],
  ] as const)('whose last step is %s has a tick: %s', async (status, isTicked) => {
    const tasks = [task({title: 'First', status: 'complete'}), task({title: 'Second', status, content: 'x'})];
    const summary = {title: '2 steps', icon: undefined, durationS: undefined};
    const view = await show(new WorkflowView(), {workflow: workflow({tasks, summary})});
    const ticked = await show(new WorkflowView(), {workflow: workflow({tasks: [], summary})});
    const glyphOf = (shown: WorkflowView) => shown.renderRoot.querySelector('.summary svg')?.innerHTML;
    expect(glyphOf(view) === glyphOf(ticked)).toBe(isTicked);
  });

  const tasks = [task({title: 'First', status: 'complete', content: 'x'}), task({title: 'Second', status: 'loading'})];

  it('shows the title of the task that runs, with a shimmer', async () => {
    const view = await show(new WorkflowView(), {workflow: workflow({tasks}), streaming: true});
    const label = view.renderRoot.querySelector('.summary .label');
    expect(label?.textContent).toBe('Second');
    expect(label?.classList.contains('shimmer')).toBe(true);
  });

  it.each([
    [{title: 'Looked it up', icon: 'search', durationS: undefined}, 'Looked it up'],
    [{title: undefined, icon: undefined, durationS: 0.3}, 'Thought for 1 s'],
    [{title: undefined, icon: undefined, durationS: 73}, 'Thought for 1 min 13 s'],
  ])('ends with its summary, even if a task was left running: %j', async (summary, words) => {
    const view = await show(new WorkflowView(), {workflow: workflow({tasks, summary, type: 'reasoning'})});
    expect(view.renderRoot.querySelector('.summary .label')?.textContent).toBe(words);
    expect(view.renderRoot.querySelector('.shimmer')).toBeNull();
  });

  it('is open when the server says so, until the person has chosen', async () => {
    const view = await show(new WorkflowView(), {workflow: workflow({tasks, expanded: true}), streaming: true});
    const isOpen = () => view.renderRoot.querySelector('button')?.getAttribute('aria-expanded');
    expect(isOpen()).toBe('true');
    expect(view.renderRoot.querySelectorAll('li')).toHaveLength(2);
    view.renderRoot.querySelector('button')?.click();
    await settle(view);
    expect(isOpen()).toBe('false');
    view.workflow = workflow({tasks: [...tasks, task({title: 'Third'})], expanded: true});
    await settle(view);
    expect(isOpen()).toBe('false');
    expect(view.renderRoot.querySelectorAll('li')).toHaveLength(0);
  });

  const kinds: readonly Partial<Task>[] = [
    {type: 'custom', title: 'Custom', icon: 'bolt', content: 'Some **words**'},
    {type: 'web_search', queries: ['a query'], sources: [url('A page', 'https://a.example')]},
    {type: 'thought', content: 'A thought'},
    {type: 'file', sources: [REPORT]},
    {type: 'image'},
    {type: 'unheard-of', title: 'New kind', icon: 'no-such-icon'},
  ];
  const statuses = ['none', 'loading', 'complete', 'failed'] as const;
  it.each(kinds.flatMap(kind => statuses.map(status => [kind, status] as const)))(
    'draws %j as %s',
    async (kind, status) => {
      const view = await show(new WorkflowView(), {
        workflow: workflow({tasks: [task({...kind, status}), task({title: 'Other'})], expanded: true}),
        streaming: true,
      });
      const [step] = view.renderRoot.querySelectorAll('li');
      expect(step?.className).toBe(status);
      const text = visibleText(view.renderRoot);
      for (const words of [
        kind.title,
        ...(kind.queries ?? []),
        ...(kind.sources ?? []).map(({title}) => String(title)),
      ])
        if (words !== undefined) expect(text).toContain(words);
      const spoken = {none: undefined, loading: 'in progress', complete: 'done', failed: 'failed'}[status];
      if (spoken !== undefined) expect(text).toContain(spoken);
    },
  );
});

describe('a generated image', () => {
  const PICTURE = 'data:image/png;base64,AAAA';

  it('keeps its room while it is being made, and says how far it is', async () => {
    const view = await show(new GeneratedImageView(), {streaming: true, progress: 0.4});
    expect(view.renderRoot.querySelector('img')).toBeNull();
    expect(view.renderRoot.querySelector('progress')?.value).toBeCloseTo(0.4);
    view.url = PICTURE;
    await settle(view);
    expect(view.renderRoot.querySelector('.coming img')?.getAttribute('src')).toBe(PICTURE);
    expect(view.renderRoot.querySelector('dialog')).toBeNull();
  });

  it('opens in full size when it is whole', async () => {
    const view = await show(new GeneratedImageView(), {url: PICTURE});
    expect(view.renderRoot.querySelector('.coming, progress')).toBeNull();
    expect(view.renderRoot.querySelector('img')?.getAttribute('alt')).toBe('Generated image');
    view.renderRoot.querySelector<HTMLElement>('button.frame')?.click();
    expect(view.renderRoot.querySelector('dialog')?.open).toBe(true);
    view.renderRoot.querySelector<HTMLElement>('.close')?.click();
    expect(view.renderRoot.querySelector('dialog')?.open).toBe(false);
  });

  it.each([undefined, 'javascript:alert(1)', 'data:text/html,x', 'file:///x'])(
    'that is none says so: %s',
    async bad => {
      const view = await show(new GeneratedImageView(), {url: bad});
      expect(view.renderRoot.querySelector('img')).toBeNull();
      expect(view.renderRoot.textContent).toContain('not available');
    },
  );
});

const MARKUP = [
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)><a xlink:href="javascript:alert(1)">x</a></svg>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  '"><script>alert(1)</script>',
  "'-alert(1)-'",
  '<template><iframe srcdoc="<script>alert(1)</script>"></iframe></template>',
  '{{constructor.constructor("alert(1)")()}}',
  `$\{alert(1)}`,
  '&lt;img src=x onerror=alert(1)&gt;',
  '\u202e<b>x</b>\u0000',
];
const ADDRESSES = [
  'javascript:alert(1)',
  ' java\nscript:alert(1)',
  '\u0001javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:evil',
];

describe('text from elsewhere', () => {
  function expectNoHarm(root: ParentNode): void {
    for (const element of allElements(root)) {
      expect(element.localName).not.toMatch(/^(?:script|iframe|object|embed|style|template|math|form|base|b)$/);
      if (element.localName === 'svg') expect(element.classList.contains('icon')).toBe(true);
      for (const {name, value} of element.attributes) {
        expect(name).not.toMatch(/^(?:on|srcdoc$|style$|formaction$)/);
        if (name === 'href' || name === 'src') expect(value).toMatch(/^(?:https:\/\/|data:image\/)/);
      }
    }
  }

  it.each(MARKUP)('never becomes markup: %j', async words => {
    const source = {
      type: 'url',
      title: words,
      url: 'https://a.example',
      attribution: words,
      description: words,
      timestamp: words,
    };
    const entity = {
      type: 'entity',
      id: words,
      title: words,
      label: words,
      inline_label: words,
      icon: words,
      interactive: true,
    };
    const annotations = [source, {type: 'file', title: words, filename: words}, entity].map(each => ({
      source: each,
      index: 4,
    }));
    const sources = collectSources([message('m', annotations)]);
    const steps = [
      task({title: words, icon: words, content: words, queries: [words], sources: [source], status: 'loading'}),
      task({title: words, status: 'failed'}),
    ];
    const summary = {title: words, icon: words, durationS: undefined};
    const views = [
      await show(new MarkdownView(), {text: words, markers: buildMarkers(annotations, sources)}),
      await show(new SourcesView(), {sources, isOpen: true}),
      await show(new WorkflowView(), {workflow: workflow({tasks: steps, expanded: true}), streaming: true}),
      await show(new WorkflowView(), {workflow: workflow({tasks: steps, summary, expanded: true})}),
      await show(new NoticesView(), {notices: [{key: 'k', level: 'info', title: words, message: words}]}),
    ];
    for (const view of views) expectNoHarm(view.renderRoot);
  });

  it.each(ADDRESSES)('never becomes an address that runs: %j', async address => {
    const source = url('Title', address);
    const annotations = [{source, index: 4}];
    const sources = collectSources([message('m', annotations)]);
    const views = [
      await show(new MarkdownView(), {text: 'Some text', markers: buildMarkers(annotations, sources)}),
      await show(new SourcesView(), {sources, isOpen: true}),
      await show(new WorkflowView(), {
        workflow: workflow({tasks: [task({sources: [source], title: 'x'})], expanded: true}),
      }),
      await show(new GeneratedImageView(), {url: address}),
      await show(new NoticesView(), {
        notices: [{key: 'k', level: 'info', title: 'x', message: `[x](<${address.trim()}>)`}],
      }),
    ];
    for (const view of views) {
      expectNoHarm(view.renderRoot);
      expect(allElements(view.renderRoot).filter(element => element.hasAttribute('href'))).toEqual([]);
    }
  });
});
