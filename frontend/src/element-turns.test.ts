import type {ChatKitOptions} from '@openai/chatkit';
import {describe, expect, it, vi} from 'vitest';
import {
  added,
  assistant,
  created,
  delta,
  done,
  FakeServer,
  type Frame,
  OpenStream,
  page,
  stored,
  THREAD,
  user,
} from './testing/fake-server.js';
import {
  create,
  eventDetails,
  find,
  listen,
  mount,
  optionsFor,
  textOf,
  waitForElement,
  waitForEvent,
} from './testing/mounted-element.js';

describe('events', () => {
  it('of all kinds wait for listeners that come after the options, in order', async () => {
    const element = create();
    document.body.append(element);
    const server = new FakeServer(stored(user('Hi')));
    element.setOptions(optionsFor(server, {initialThread: 'thr_1', telemetry: true}));
    // Later than any microtask, as React attaches its listeners.
    await vi.waitFor(() => expect(server.calls).toHaveLength(2));
    const events = listen(element);
    await waitForEvent(events, 'thread.load.end');
    expect(events.map(([name]) => name)).toEqual([
      ...['log', 'ready', 'thread.load.start', 'thread.change', 'thread.load.end'],
    ]);
  });

  it('without details carry null', async () => {
    const {element, events} = mount(new FakeServer({'threads.create': () => []}));
    await element.sendUserMessage({text: 'Hi'});
    await waitForEvent(events, 'response.end');
    expect(events).toEqual([
      ['ready', null],
      ['response.start', null],
      ['response.end', null],
    ]);
  });

  it('let a page act at once: a message sent on ready follows the first thread', async () => {
    const server = new FakeServer({...stored(user('Hi')), 'threads.add_user_message': () => [done(user('Go'))]});
    const {element, events} = mount(server, {initialThread: 'thr_1'});
    let sending: Promise<void> | undefined;
    element.addEventListener('chatkit.ready', () => {
      sending = element.sendUserMessage({text: 'Go'});
    });
    await waitForEvent(events, 'response.end');
    await sending;
    expect(server.of('threads.add_user_message')[0]?.params).toMatchObject({thread_id: 'thr_1'});
  });
});

describe('options that come again with equal content', () => {
  it('ask for nothing and reset nothing', async () => {
    const server = new FakeServer(stored(user('Hi')));
    const {element, events} = mount(server, {initialThread: 'thr_1'});
    await waitForEvent(events, 'thread.load.end');
    await element.setComposerValue({text: 'Draft'});
    const drawn = await waitForElement(element, 'parlor-message');
    const before = server.calls.length;
    element.setOptions(optionsFor(server, {initialThread: 'thr_1'}));
    await element.updateComplete;
    expect(server.calls).toHaveLength(before);
    expect(find(element, 'parlor-message')).toBe(drawn);
    const composer = find<HTMLElement & {updateComplete: Promise<unknown>}>(element, 'parlor-composer');
    await composer?.updateComplete;
    const field = find<HTMLTextAreaElement>(element, 'textarea');
    expect(field ? field.value : textOf(composer as Node)).toContain('Draft');
  });
});

describe('hosted mode', () => {
  it('asks for its secret with the first options, once, even outside of the document', async () => {
    const getClientSecret = vi.fn(async () => 'secret');
    const server = new FakeServer(stored(user('Hi')));
    const element = create();
    const options = {
      api: {getClientSecret, fetch: server.fetch},
      parlor: {baseUrl: 'https://own.example/chatkit'},
      initialThread: 'thr_1',
    } as unknown as ChatKitOptions;
    // A callback of a page may render it again, and with it the options.
    getClientSecret.mockImplementationOnce(async () => {
      element.setOptions({...options});
      return 'secret';
    });
    element.setOptions(options);
    expect(getClientSecret).toHaveBeenCalledExactlyOnceWith(null);
    const events = listen(element);
    document.body.append(element);
    await waitForEvent(events, 'thread.load.end');
    expect(getClientSecret).toHaveBeenCalledTimes(1);
    expect(server.calls.map(({url, headers}) => [url, headers.Authorization])).toEqual([
      ['https://own.example/chatkit', 'Bearer secret'],
      ['https://own.example/chatkit', 'Bearer secret'],
    ]);
  });

  it('says that the page has no secret to the person, and why to the page', async () => {
    const getClientSecret = () => Promise.reject(new Error('No session.'));
    const {element, events} = mount(new FakeServer(), {api: {getClientSecret}, parlor: {baseUrl: '/own'}});
    await waitForEvent(events, 'error');
    await vi.waitFor(() => expect(textOf(element)).toContain('The page could not sign you in.'));
    expect(textOf(element)).not.toContain('No session.');
    const reason = 'The option api.getClientSecret failed: No session.';
    expect(eventDetails(events, 'error')).toMatchObject([{error: {cause: {message: reason}}}]);
    expect(eventDetails(events, 'log')).toContainEqual({name: 'client_secret.missing', data: {reason}});
  });
});

describe('the first thread', () => {
  it.each([404, 403])('that the server refuses with %i gives the start screen, and pages forget it', async status => {
    const server = new FakeServer({
      'threads.get_by_id': () => Response.json({error: {message: 'This chat does not exist.'}}, {status}),
    });
    const {element, events} = mount(server, {initialThread: 'thr_gone'});
    await waitForEvent(events, 'error');
    await vi.waitFor(() => expect(eventDetails(events, 'thread.change')).toEqual([{threadId: null}]));
    await vi.waitFor(() => expect(eventDetails(events, 'thread.load.start')).toHaveLength(1));
    await vi.waitFor(() => expect(eventDetails(events, 'thread.load.end')).toHaveLength(1));
    await vi.waitFor(() => expect(textOf(element)).toMatch(/What can I help[\s\S]*does not exist/));
  });

  it('that cannot be read now is not forgotten', async () => {
    const server = new FakeServer({'threads.get_by_id': () => new Response('', {status: 503})});
    const {events} = mount(server, {initialThread: 'thr_1'});
    await waitForEvent(events, 'error');
    expect(eventDetails(events, 'thread.change')).toEqual([]);
  });

  it('is joined in the middle of its answer where the page says that the server resumes', async () => {
    const live = new OpenStream(1);
    const server = new FakeServer({...stored(user('Hi')), 'runs.attach': () => live.response});
    const element = create();
    element.setAttribute('data-parlor-resume', '');
    const events = listen(element);
    element.setOptions(optionsFor(server, {initialThread: 'thr_1'}));
    document.body.append(element);
    live.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Half'));
    await waitForEvent(events, 'response.start');
    await vi.waitFor(() => expect(textOf(element)).toMatch(/Hi[\s\S]*Half/));
    live.send(delta('a', ' and half.'), done(assistant('a', 'Half and half.'))).end();
    await waitForEvent(events, 'response.end');
    await vi.waitFor(() => expect(textOf(element)).toContain('Half and half.'));
  });
});

describe('a lost connection', () => {
  it('is told quietly while it is made again', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      'threads.create': () => first.response,
      'runs.attach': () => new OpenStream(4).send(done(assistant('a', 'Whole.'))).end().response,
    });
    const {element, events} = mount(server);
    void element.sendUserMessage({text: 'Hi'});
    first.send(created, done(user('Hi')), added(assistant('a')));
    await vi.waitFor(() => expect(textOf(element)).toContain('Hi'));
    first.cut();
    await vi.waitFor(() => expect(textOf(element)).toContain('Reconnecting'));
    dispatchEvent(new Event('online'));
    await waitForEvent(events, 'response.end');
    await vi.waitFor(() => expect(textOf(element)).toContain('Whole.'));
    expect(textOf(element)).not.toContain('Reconnecting');
    expect(eventDetails(events, 'error')).toEqual([]);
  });
});

describe('methods', () => {
  it('take undefined for no thread, and the old name of an action', async () => {
    const server = new FakeServer({...stored(user('Hi')), 'threads.custom_action': () => []});
    const {element, events} = mount(server, {initialThread: 'thr_1'});
    await element.sendAction({type: 'old.name', payload: {n: 1}}, 'w_1');
    expect(server.of('threads.custom_action')[0]?.params).toEqual({
      thread_id: 'thr_1',
      item_id: 'w_1',
      action: {type: 'old.name', payload: {n: 1}},
    });
    await element.setThreadId(undefined);
    await element.setThreadId('thr_1');
    await element.setThreadId(null);
    await waitForEvent(events, 'thread.change', 4);
    const ids = ['thr_1', null, 'thr_1', null];
    await vi.waitFor(() => expect(eventDetails(events, 'thread.change')).toEqual(ids.map(threadId => ({threadId}))));
  });

  it('refuse an action while an answer runs', async () => {
    const first = new OpenStream();
    const {element, events} = mount(new FakeServer({'threads.create': () => first.response}));
    const sending = element.sendUserMessage({text: 'Hi'});
    first.send(created);
    await waitForEvent(events, 'thread.change');
    await expect(element.sendCustomAction({type: 'a'})).rejects.toThrow('busy');
    await expect(element.setThreadId('thr_2')).rejects.toThrow('busy');
    await expect(element.fetchUpdates()).rejects.toThrow('no thread');
    first.end();
    await sending;
  });
});

describe('fetchUpdates', () => {
  it('changes what has changed and keeps views, drafts and typed values of the rest', async () => {
    const form = {
      type: 'Card',
      children: [{type: 'Form', children: [{type: 'Input', name: 'note', defaultValue: ''}]}],
    };
    const widget = {id: 'w_1', type: 'widget', widget: form};
    let items: Frame[] = [user('Hi'), widget, assistant('a', 'Old.')];
    const server = new FakeServer({'threads.get_by_id': () => THREAD, 'items.list': () => page(...items)});
    const {element} = mount(server, {initialThread: 'thr_1'});
    const view = await waitForElement(element, 'parlor-widget');
    const input = await waitForElement<HTMLInputElement>(view, 'input');
    input.value = 'typed';
    input.dispatchEvent(new Event('input', {bubbles: true, composed: true}));
    input.focus();
    items = [user('Hi'), widget, assistant('a', 'New.'), assistant('b', 'Added.')];
    await element.fetchUpdates();
    await vi.waitFor(() => expect(textOf(element)).toMatch(/New\.[\s\S]*Added\./));
    expect(textOf(element)).not.toContain('Old.');
    expect(find(element, 'parlor-widget')).toBe(view);
    expect(find(view, 'input')).toBe(input);
    expect(input.value).toBe('typed');
    expect(view.shadowRoot?.activeElement).toBe(input);
  });
});

describe('what a server remembers', () => {
  it('of ratings shows after a reload', async () => {
    const server = new FakeServer({
      ...stored(user('Hi'), assistant('a', 'Hello.')),
      'items.list': () => ({...page(user('Hi'), assistant('a', 'Hello.')), feedback: {a: 'negative'}}),
    });
    const {element} = mount(server, {initialThread: 'thr_1', threadItemActions: {feedback: true}});
    const bad = await waitForElement(element, '[aria-label="Bad answer"]');
    expect(bad.getAttribute('aria-pressed')).toBe('true');
    expect(find(element, '[aria-label="Good answer"]')?.getAttribute('aria-pressed')).toBe('false');
    bad.click();
    expect(server.of('items.feedback')).toEqual([]);
  });
});

describe('widgets', () => {
  const widget = {id: 'w_1', type: 'widget', widget: {type: 'Card', children: []}};

  it('report what is wrong with their JSON to the page and not to the person', async () => {
    const {element, events} = mount(new FakeServer(stored(user('Hi'), widget)), {initialThread: 'thr_1'});
    const view = await waitForElement(element, 'parlor-widget');
    const detail = {message: 'The field "a" is in the payload already.', itemId: 'w_1'};
    view.dispatchEvent(new CustomEvent('widget-error', {detail, bubbles: true}));
    await waitForEvent(events, 'error');
    await vi.waitFor(() =>
      expect((eventDetails(events, 'error')[0] as {error: Error}).error.message).toBe(detail.message),
    );
    expect(textOf(element)).not.toContain(detail.message);
  });

  it('go back to what the server says when their action fails', async () => {
    const server = new FakeServer({
      ...stored(user('Hi'), widget),
      'threads.custom_action': () => [{type: 'error', code: 'custom', message: 'Not any more.', allow_retry: true}],
    });
    const {element, events} = mount(server, {initialThread: 'thr_1'});
    const view = await waitForElement(element, 'parlor-widget');
    let finished: Promise<unknown> | undefined;
    const detail = {
      action: {type: 'a.b', payload: {}, handler: 'server', streaming: true},
      itemId: 'w_1',
      widget: widget.widget,
      done: (promise: Promise<unknown>) => {
        finished = promise;
      },
    };
    view.dispatchEvent(new CustomEvent('widget-action', {detail, bubbles: true}));
    await expect(finished).rejects.toThrow();
    await vi.waitFor(() => expect(textOf(element)).toContain('Not any more.'));
    expect(find(element, '.failure button')).toBeUndefined();
    await vi.waitFor(() => expect(eventDetails(events, 'error')).toHaveLength(1));
    expect(server.of('items.list')).toHaveLength(2);
  });
});
