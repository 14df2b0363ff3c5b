import type {CSSResult, LitElement} from 'lit';
import {describe, expect, it, vi} from 'vitest';
import {lazyElements} from './lazy-elements.js';
import {
  added,
  assistant,
  created,
  delta,
  done,
  FakeServer,
  OpenStream,
  stored,
  THREAD,
  user,
} from './testing/fake-server.js';
import {all, mount as mountElement, one, rootsOf, waitForCount} from './testing/mounted-element.js';

const TALK = [user('One'), assistant('a', 'First.'), user('Two'), assistant('b', 'Second.'), user('Three')];

async function mount(server: FakeServer, options: object = {}) {
  const {element} = mountElement(server, options);
  await element.updateComplete;
  return element;
}

const focusedIn = (of: Element): Element => {
  const inner = of.shadowRoot?.activeElement;
  return inner ? focusedIn(inner) : of;
};
const press = (target: Element, key: string, more: KeyboardEventInit = {}): KeyboardEvent => {
  const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more});
  target.dispatchEvent(event);
  return event;
};

describe('the transcript', () => {
  it('is a named log, busy and silent while an answer grows; the whole answer is announced once', async () => {
    const stream = new OpenStream(1);
    const element = await mount(new FakeServer({'threads.create': () => stream.response}));
    const sending = element.sendUserMessage({text: 'Hi'});
    stream.send(created, done(user('Hi')), added(assistant('a')), delta('a', '# Now\nIt **rai'));
    await vi.waitFor(() => expect(one(element, '[role=log]').textContent).toBeDefined());
    await vi.waitFor(() => expect(one(element, '[role=log]').getAttribute('aria-busy')).toBe('true'));
    const log = one(element, '[role=log]');
    expect(log.getAttribute('aria-label')).toBe('Messages');
    expect(log.getAttribute('aria-live')).toBe('off');
    const status = log.nextElementSibling;
    expect(status?.getAttribute('role')).toBe('status');
    const said: (string | null | undefined)[] = [];
    const observer = new MutationObserver(() => said.push(status?.textContent?.trim()));
    observer.observe(status as Element, {childList: true, characterData: true, subtree: true});
    stream.send(delta('a', 'ns** [today](https://x.example).'));
    stream.send(done(assistant('a', '# Now\nIt **rains** [today](https://x.example).'))).end();
    await sending;
    await vi.waitFor(() => expect(status?.textContent?.trim()).toBe('Assistant said: Now It rains today.'));
    expect(log.getAttribute('aria-busy')).toBe('false');
    observer.disconnect();
    expect(said.filter(text => text !== '')).toEqual(['Assistant said: Now It rains today.']);
  });

  it('is one stop for Tab; arrow keys, Home and End go from turn to turn', async () => {
    const element = await mount(new FakeServer(stored(...TALK)), {initialThread: 'thr_1'});
    await waitForCount(element, '.exchange', 3);
    const log = one(element, '[role=log]');
    const turns = all(element, '.exchange');
    expect(log.tabIndex).toBe(0);
    expect(turns.map(turn => [turn.localName, turn.tabIndex])).toEqual(turns.map(() => ['div', -1]));
    const articles = all(element, 'article').map(article => article.getAttribute('aria-label'));
    expect(articles.slice(0, 2)).toEqual(['You said', 'Assistant said']);
    const at = () => turns.indexOf(focusedIn(element) as HTMLElement);
    log.focus();
    press(log, 'ArrowUp');
    expect(at()).toBe(2);
    press(focusedIn(element), 'ArrowUp');
    expect(at()).toBe(1);
    press(focusedIn(element), 'ArrowDown');
    expect(at()).toBe(2);
    press(focusedIn(element), 'Home');
    expect(at()).toBe(0);
    press(focusedIn(element), 'ArrowUp');
    expect(at()).toBe(0);
    expect(press(focusedIn(element), 'End').defaultPrevented).toBe(true);
    expect(at()).toBe(2);
    expect(press(focusedIn(element), 'ArrowUp', {altKey: true}).defaultPrevented).toBe(false);
    expect(at()).toBe(2);
  });

  it('a turn longer than the view is scrolled through before the next one gets the focus', async () => {
    const element = await mount(new FakeServer(stored(...TALK)), {initialThread: 'thr_1'});
    await waitForCount(element, '.exchange', 3);
    const [first] = all(element, '.exchange');
    first?.focus();
    Object.defineProperty(first, 'getBoundingClientRect', {value: () => ({top: 0, bottom: 5000})});
    expect(press(first as Element, 'ArrowDown').defaultPrevented).toBe(false);
    expect(focusedIn(element)).toBe(first);
  });

  it('says who speaks with hidden headings of one level, below the title of the thread', async () => {
    const element = await mount(new FakeServer(stored(...TALK.slice(0, 2))), {initialThread: 'thr_1'});
    await waitForCount(element, '.exchange');
    expect(one(element, 'h2').textContent).toBe('Trip');
    expect(all(element, 'h3').map(({textContent, className}) => [textContent, className])).toEqual([
      ['You said', 'visually-hidden'],
      ['Assistant said', 'visually-hidden'],
    ]);
  });

  it('never takes the focus while it grows', async () => {
    const stream = new OpenStream(1);
    const element = await mount(new FakeServer({'threads.create': () => stream.response}));
    const outside = document.body.appendChild(document.createElement('button'));
    const sending = element.sendUserMessage({text: 'Hi'});
    outside.focus();
    const moved = vi.fn();
    element.addEventListener('focusin', moved);
    const widget = {type: 'Card', children: [{type: 'Input', name: 'city', autoFocus: true}]};
    stream.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Now.'), done(assistant('a', 'Now.')));
    stream.send(done({id: 'w', type: 'widget', widget})).end();
    await sending;
    await waitForCount(element, 'parlor-widget');
    await element.updateComplete;
    expect(moved).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(outside);
  });

  it('announces a failure', async () => {
    const failing = new FakeServer({'threads.create': () => new Response('{}', {status: 500})});
    const element = await mount(failing);
    await element.sendUserMessage({text: 'Hi'});
    await vi.waitFor(() => expect(one(element, '.failure').getAttribute('role')).toBe('alert'));
  });
});

describe('the history', () => {
  async function open() {
    const server = new FakeServer({...stored(...TALK), 'threads.list': () => ({data: [THREAD], has_more: false})});
    const element = await mount(server, {history: {enabled: true}, initialThread: 'thr_1'});
    await waitForCount(element, '.exchange', 3);
    await lazyElements.load('parlor-history');
    one(element, '.history').focus();
    one(element, '.history').click();
    await waitForCount(element, '.open');
    return element;
  }

  it('is a modal dialog, with the rest inert, and Tab goes round in it', async () => {
    const element = await open();
    const dialog = one(element, '[role=dialog]');
    expect(dialog.getAttribute('aria-modal')).toBe('true');
    expect(dialog.getAttribute('aria-label')).toBe('Chat history');
    expect(one(element, '.chat').hasAttribute('inert')).toBe(true);
    const stops = [...dialog.querySelectorAll<HTMLElement>('button, input')];
    stops.at(-1)?.focus();
    expect(press(stops.at(-1) as Element, 'Tab').defaultPrevented).toBe(true);
    expect(focusedIn(element)).toBe(stops[0]);
    expect(press(stops[0] as Element, 'Tab', {shiftKey: true}).defaultPrevented).toBe(true);
    expect(focusedIn(element)).toBe(stops.at(-1));
    stops[0]?.focus();
    expect(press(stops[0] as Element, 'Tab').defaultPrevented).toBe(false);
  });

  it('closes with Escape, and the focus is back on its opener', async () => {
    const element = await open();
    press(one(element, '[role=dialog]'), 'Escape');
    await waitForCount(element, '[role=dialog]', 0);
    await vi.waitFor(() => expect(focusedIn(element)).toBe(one(element, '.history')));
  });
});

describe('the whole chat', () => {
  it('is a region with the name of the frame, and every button has a name', async () => {
    const server = new FakeServer(stored(...TALK.slice(0, 2)));
    const element = await mount(server, {
      frameTitle: 'Help desk',
      initialThread: 'thr_1',
      threadItemActions: {feedback: true, retry: true},
      header: {leftAction: {icon: 'menu', onClick: () => {}}},
      composer: {attachments: {enabled: true}, dictation: {enabled: true}},
      api: {url: '/chatkit', domainKey: 'k', fetch: server.fetch, uploadStrategy: {type: 'two_phase'}},
    });
    await waitForCount(element, '.exchange');
    expect(one(element, '[role=region]').getAttribute('aria-label')).toBe('Help desk');
    // Some of them come with parts that are fetched.
    await vi.waitFor(() => expect(all(element, 'button').length).toBeGreaterThan(6));
    await waitForCount(element, 'input[type=file]');
    const buttons = all(element, 'button');
    for (const button of buttons) {
      expect(button.getAttribute('aria-label') ?? button.textContent?.trim(), button.outerHTML).toBeTruthy();
    }
    expect(one(element, 'input[type=file]').tabIndex).toBe(-1);
  });

  it('says whether an answer was rated', async () => {
    const server = new FakeServer({...stored(...TALK.slice(0, 2)), 'items.feedback': () => ({})});
    const element = await mount(server, {initialThread: 'thr_1', threadItemActions: {feedback: true}});
    await waitForCount(element, '[aria-pressed]', 2);
    expect(all(element, '[aria-pressed]').map(button => button.getAttribute('aria-pressed'))).toEqual([
      'false',
      'false',
    ]);
    all(element, '[aria-pressed]')[0]?.click();
    await vi.waitFor(() =>
      expect(all(element, '[aria-pressed]').map(button => button.getAttribute('aria-pressed'))).toEqual([
        'true',
        'false',
      ]),
    );
  });

  it('has unique ids in each shadow root, and no reference leaves its root', async () => {
    const element = await mount(new FakeServer(stored(...TALK)), {initialThread: 'thr_1', history: {enabled: true}});
    await waitForCount(element, '.exchange', 3);
    for (const root of rootsOf(element)) {
      const ids = [...root.querySelectorAll('[id]')].map(({id}) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-activedescendant']) {
        for (const each of root.querySelectorAll(`[${name}]`)) {
          for (const id of (each.getAttribute(name) ?? '').split(/\s+/)) expect(ids).toContain(id);
        }
      }
    }
  });

  it('stands still and keeps its lines where people ask for that, in every shadow root', async () => {
    await Promise.all(
      (['dictation', 'history', 'sources', 'workflow', 'structured-input', 'generated-image'] as const).map(name =>
        lazyElements.load(`parlor-${name}`),
      ),
    );
    const tags = ['composer', 'composer-field', 'header', 'messages', 'message', 'notices', 'start-screen', 'widget'];
    const lazy = ['dictation', 'history', 'sources', 'workflow', 'structured-input', 'generated-image'];
    for (const tag of [...tags, ...lazy].map(name => `parlor-${name}`).concat('openai-chatkit')) {
      const view = customElements.get(tag) as unknown as typeof LitElement;
      const text = view.elementStyles.map(style => (style as CSSResult).cssText ?? '').join('');
      expect(text, tag).toContain('prefers-reduced-motion: reduce');
      expect(text, tag).toContain('forced-colors: active');
      expect(text, tag).toContain(':focus-visible');
    }
  });
});
