import type {ChatKitOptions} from '@openai/chatkit';
import {describe, expect, it, vi} from 'vitest';
import {FakeServer, type Frame, streamOf, THREAD} from './testing/fake-server.js';
import {
  create,
  type DispatchedEvents,
  eventDetails,
  find,
  mount,
  optionsFor,
  textOf,
  waitForEvent,
} from './testing/mounted-element.js';

const echo = (text: string) => ({
  type: 'thread.item.done',
  item: {id: `u_${text}`, type: 'user_message', content: [{type: 'input_text', text}], attachments: []},
});
const answer = (id: string, text: string) => ({
  type: 'thread.item.done',
  item: {id, type: 'assistant_message', content: [{type: 'output_text', text, annotations: []}]},
});
const WIDGET = {id: 'w_1', type: 'widget', widget: {type: 'Card', children: []}, copy_text: 'copied'};
const HELLO = [
  {type: 'thread.created', thread: THREAD},
  echo('Hello'),
  {type: 'stream_options', stream_options: {allow_cancel: true}},
  answer('a_1', 'Hi **you**'),
];

const ready = (events: DispatchedEvents) => waitForEvent(events, 'ready');
const idle = (events: DispatchedEvents, turns = 1) => waitForEvent(events, 'response.end', turns);

describe('before there are options', () => {
  it('asks for nothing, throws nothing and leaves the host alone', async () => {
    const fetching = vi.spyOn(globalThis, 'fetch');
    const element = create();
    document.body.append(element);
    await element.updateComplete;
    expect(fetching).not.toHaveBeenCalled();
    expect(element.attributes).toHaveLength(0);
    expect(element.childNodes).toHaveLength(0);
    fetching.mockRestore();
  });

  it('defines its tag once, however often the script runs', async () => {
    vi.resetModules();
    await expect(import('./define.js')).resolves.toBeDefined();
  });

  it('lets methods wait for the first options', async () => {
    const server = new FakeServer({'threads.create': () => HELLO});
    const element = create();
    document.body.append(element);
    const sending = element.sendUserMessage({text: 'Hello'});
    expect(server.calls).toEqual([]);
    element.setOptions(optionsFor(server));
    await sending;
    expect(server.types()).toEqual(['threads.create']);
  });
});

describe('options', () => {
  it('are heard of late: a listener that comes after setOptions hears ready, once', async () => {
    const server = new FakeServer();
    const element = create();
    document.body.append(element);
    element.setOptions(optionsFor(server));
    await Promise.resolve();
    const details: unknown[] = [];
    element.addEventListener('chatkit.ready', event => details.push((event as CustomEvent).detail));
    element.setOptions(optionsFor(server));
    await vi.waitFor(() => expect(details).toEqual([null]));
    element.setOptions(optionsFor(server));
    await new Promise(resolve => requestAnimationFrame(resolve));
    expect(details).toHaveLength(1);
    expect(server.calls).toEqual([]);
  });

  it('may come again in the middle of an answer without disturbing it', async () => {
    let finish: (frames: readonly Frame[]) => void = () => {};
    const frames = new Promise<readonly Frame[]>(resolve => {
      finish = resolve;
    });
    const server = new FakeServer({'threads.create': () => frames.then(streamOf)});
    const {element, events} = mount(server);
    const sending = element.sendUserMessage({text: 'Hello'});
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    element.setOptions(optionsFor(server, {theme: 'dark'}));
    finish(HELLO);
    await sending;
    await ready(events);
    expect(server.calls[0]?.signal.aborted).toBe(false);
    await vi.waitFor(() => expect(textOf(element)).toContain('Hi you'));
  });

  it('go back to their defaults when they are left out', async () => {
    const server = new FakeServer();
    const {element} = mount(server, {startScreen: {greeting: 'Grüezi'}});
    await vi.waitFor(() => expect(textOf(element)).toContain('Grüezi'));
    element.setOptions(optionsFor(server));
    await vi.waitFor(() => expect(textOf(element)).toContain('What can I help with today?'));
  });

  it('that nobody knows are logged once and never thrown', async () => {
    const {element, events} = mount(new FakeServer(), {telemetry: true});
    element.setOptions({...optionsFor(new FakeServer()), telemetry: true} as ChatKitOptions);
    await ready(events);
    await vi.waitFor(() =>
      expect(eventDetails(events, 'log')).toEqual([{name: 'options.unknown_key', data: {key: 'telemetry'}}]),
    );
  });

  it('without a server give an event and a visible message', async () => {
    const {element, events} = mount(new FakeServer(), {api: undefined});
    await vi.waitFor(() => expect(eventDetails(events, 'error')).toHaveLength(1));
    expect(textOf(element)).toContain('api.url');
  });

  it('mirror the class name that React 18 writes as an attribute', () => {
    const element = create();
    element.setAttribute('classname', 'tall');
    document.body.append(element);
    expect(element.className).toBe('');
    element.setOptions(optionsFor(new FakeServer()));
    expect(element.className).toBe('tall');
  });
});

describe('a turn', () => {
  it('shows question and answer, and adopts the thread', async () => {
    const server = new FakeServer({
      'threads.create': () => HELLO,
      'threads.add_user_message': () => [echo('More'), answer('a_2', 'Sure.')],
    });
    const {element, events} = mount(server);
    await element.sendUserMessage({text: 'Hello'});
    await element.sendUserMessage({text: 'More'});
    await idle(events, 2);
    expect(server.types()).toEqual(['threads.create', 'threads.add_user_message']);
    expect(server.calls[1]?.params).toEqual({
      thread_id: 'thr_1',
      input: {content: [{type: 'input_text', text: 'More'}], attachments: [], inference_options: {}},
    });
    await vi.waitFor(() => expect(eventDetails(events, 'thread.change')).toEqual([{threadId: 'thr_1'}]));
    await vi.waitFor(() => expect(eventDetails(events, 'response.start')).toHaveLength(2));
    await vi.waitFor(() => expect(textOf(element)).toMatch(/Hello[\s\S]*Hi you[\s\S]*More[\s\S]*Sure\./));
  });

  it('refuses methods while it runs, quietly when nobody waits, and is idle when its end is heard', async () => {
    const server = new FakeServer({'threads.create': () => HELLO, 'threads.add_user_message': () => [echo('Again')]});
    const {element, events} = mount(server);
    let again: Promise<void> | undefined;
    element.addEventListener('chatkit.response.end', () => {
      again ??= element.sendUserMessage({text: 'Again'});
    });
    const first = element.sendUserMessage({text: 'Hello'});
    await expect(element.sendUserMessage({text: 'Too early'})).rejects.toThrow('busy');
    void element.setThreadId('thr_2');
    await first;
    await idle(events, 2);
    await again;
    expect(server.types()).toEqual(['threads.create', 'threads.add_user_message']);
  });

  it('runs a client tool once and stays open until its answer has streamed', async () => {
    const tool = vi.fn(() => undefined);
    const call = {
      id: 't_1',
      type: 'client_tool_call',
      status: 'pending',
      call_id: 'c',
      name: 'get_selection',
      arguments: {n: 1},
    };
    const server = new FakeServer({
      'threads.create': () => [HELLO[0] as Frame, {type: 'thread.item.done', item: call}],
      'threads.add_client_tool_output': () => [answer('a_1', 'Done.')],
    });
    const {element, events} = mount(server, {onClientTool: tool});
    await element.sendUserMessage({text: 'Hello'});
    await idle(events);
    expect(tool).toHaveBeenCalledExactlyOnceWith({name: 'get_selection', params: {n: 1}});
    expect(server.calls[1]?.params).toEqual({thread_id: 'thr_1', result: {}});
    await vi.waitFor(() => expect(eventDetails(events, 'response.start')).toHaveLength(1));
    await vi.waitFor(() => expect(eventDetails(events, 'response.end')).toHaveLength(1));
  });

  it('posts a result even when there is no handler', async () => {
    const call = {id: 't_1', type: 'client_tool_call', status: 'pending', name: 'x', arguments: {}};
    const server = new FakeServer({
      'threads.create': () => [HELLO[0] as Frame, {type: 'thread.item.done', item: call}],
      'threads.add_client_tool_output': () => [],
    });
    const {element} = mount(server);
    await element.sendUserMessage({text: 'Hello'});
    expect(server.calls[1]?.params.result).toMatchObject({error: expect.stringContaining('x')});
  });

  it('hands on effects at once and in order', async () => {
    const effects = [
      {type: 'client_effect', name: 'one'},
      answer('a', 'x'),
      {type: 'client_effect', name: 'two', data: {n: 2}},
    ];
    const {element, events} = mount(new FakeServer({'threads.create': () => effects}));
    await element.sendUserMessage({text: 'Hello'});
    await ready(events);
    expect(eventDetails(events, 'effect')).toEqual([
      {name: 'one', data: {}},
      {name: 'two', data: {n: 2}},
    ]);
  });

  it('that the server refuses keeps the question and sends it again on request', async () => {
    let isDown = true;
    const refusal = () =>
      Response.json({error: {code: 'down', message: 'Out for a moment.', id: 'err_1'}}, {status: 503});
    const server = new FakeServer({'threads.create': () => (isDown ? refusal() : HELLO)});
    const {element, events} = mount(server);
    await element.sendUserMessage({text: 'Hello'});
    await vi.waitFor(() => expect(textOf(element)).toMatch(/Hello[\s\S]*Out for a moment\./));
    await waitForEvent(events, 'error');
    await vi.waitFor(() =>
      expect((eventDetails(events, 'error')[0] as {error: Error}).error.message).toBe('Out for a moment.'),
    );
    isDown = false;
    find(element, '.failure button')?.click();
    await idle(events, 2);
    await vi.waitFor(() => expect(textOf(element)).toContain('Hi you'));
    expect(textOf(element).match(/Hello/g)).toHaveLength(1);
    expect(textOf(element)).not.toContain('Out for a moment');
  });

  it('that fails halfway keeps what came, and is retried after its question', async () => {
    const server = new FakeServer({
      'threads.create': () => [
        ...HELLO,
        {type: 'error', code: 'custom', message: 'The model gave up.', allow_retry: true},
      ],
      'threads.retry_after_item': () => [answer('a_2', 'Second try.')],
    });
    const {element, events} = mount(server);
    await element.sendUserMessage({text: 'Hello'});
    await vi.waitFor(() => expect(textOf(element)).toMatch(/Hi you[\s\S]*The model gave up\./));
    find(element, '.failure button')?.click();
    await idle(events, 2);
    expect(server.calls[1]).toMatchObject({
      type: 'threads.retry_after_item',
      params: {thread_id: 'thr_1', item_id: 'u_Hello'},
    });
    await vi.waitFor(() => expect(textOf(element)).toContain('Second try.'));
    expect(textOf(element)).not.toContain('Hi you');
  });

  it('is stopped by aborting the request; what came stays', async () => {
    const encoder = new TextEncoder();
    const open = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const frame of HELLO) controller.enqueue(encoder.encode(`data: ${JSON.stringify(frame)}\n\n`));
      },
    });
    const server = new FakeServer({
      'threads.create': ({signal}) => {
        const {readable, writable} = new TransformStream<Uint8Array, Uint8Array>();
        open.pipeTo(writable, {signal}).catch(() => {});
        return new Response(readable, {headers: {'Content-Type': 'text/event-stream'}});
      },
    });
    const {element, events} = mount(server);
    const sending = element.sendUserMessage({text: 'Hello'});
    const button = await vi.waitFor(() => {
      expect(textOf(element)).toContain('Hi you');
      const stop = find(element, '.stop');
      expect(stop).toBeDefined();
      return stop;
    });
    button?.click();
    await sending;
    await idle(events);
    expect(server.calls[0]?.signal.aborted).toBe(true);
    expect(eventDetails(events, 'error')).toEqual([]);
    expect(textOf(element)).toContain('Hi you');
  });

  it('does not show in another thread', async () => {
    let finish: (frames: readonly Frame[]) => void = () => {};
    const frames = new Promise<readonly Frame[]>(resolve => {
      finish = resolve;
    });
    const server = new FakeServer({'threads.create': () => frames.then(streamOf)});
    const {element, events} = mount(server);
    const sending = element.sendUserMessage({text: 'Hello'});
    await vi.waitFor(() => expect(find(element, '.new-chat')).toBeDefined());
    find(element, '.new-chat')?.click();
    finish(HELLO);
    await sending;
    await idle(events);
    expect(textOf(element)).not.toContain('Hello');
    expect(eventDetails(events, 'thread.change')).toEqual([]);
  });
});

describe('widgets', () => {
  const server = () =>
    new FakeServer({
      'threads.create': () => [...HELLO, {type: 'thread.item.done', item: WIDGET}],
      'threads.sync_custom_action': () => ({updated_item: {...WIDGET, widget: {type: 'Card', id: 'new'}}}),
      'threads.custom_action': () => [{type: 'thread.item.removed', item_id: 'w_1'}],
    });
  /** Asks for the widget and clicks in it; `finished` is what becomes of that. */
  async function press(element: ReturnType<typeof mount>['element'], action: Record<string, unknown>) {
    await element.sendUserMessage({text: 'Hello'});
    const widget = await vi.waitFor(() => {
      const found = find<HTMLElement & {widget: unknown}>(element, 'parlor-widget');
      expect(found).toBeDefined();
      return found;
    });
    let finished: Promise<unknown> | undefined;
    const detail = {
      action: {type: 'a.b', payload: {n: 1}, handler: 'server', streaming: true, ...action},
      itemId: 'w_1',
      widget: WIDGET.widget,
      done: (promise: Promise<unknown>) => {
        finished = promise;
      },
    };
    widget?.dispatchEvent(new CustomEvent('widget-action', {detail, bubbles: true}));
    await vi.waitFor(() => expect(finished).toBeDefined());
    return {widget, finished};
  }
  async function act(fake: FakeServer, action: Record<string, unknown>, options: Record<string, unknown> = {}) {
    const {element, events} = mount(fake, options);
    const {widget, finished} = await press(element, action);
    await finished?.catch(() => {});
    return {element, events, widget};
  }
  const params = {thread_id: 'thr_1', item_id: 'w_1', action: {type: 'a.b', payload: {n: 1}}};

  it('send a streaming action as a turn, with type and payload only', async () => {
    const fake = server();
    const {element} = await act(fake, {});
    expect(fake.calls[1]).toMatchObject({type: 'threads.custom_action', params});
    await vi.waitFor(() => expect(find(element, 'parlor-widget')).toBeUndefined());
  });

  it('send any other action beside the stream and take its item in place', async () => {
    const fake = server();
    const {widget} = await act(fake, {streaming: false});
    expect(fake.calls[1]).toMatchObject({type: 'threads.sync_custom_action', params});
    await vi.waitFor(() => expect(widget?.widget).toEqual({type: 'Card', id: 'new'}));
  });

  it('hand client actions to the page and never to the server', async () => {
    const fake = server();
    const onAction = vi.fn(async () => {});
    await act(fake, {handler: 'client'}, {widgets: {onAction}});
    expect(onAction).toHaveBeenCalledExactlyOnceWith(
      {type: 'a.b', payload: {n: 1}},
      {id: 'w_1', widget: WIDGET.widget},
    );
    expect(fake.types()).toEqual(['threads.create']);
  });

  it('of the page may send another one for the same widget while they run', async () => {
    const fake = server();
    const send = vi.fn(async (): Promise<void> => {});
    const onAction = async () => send();
    const {element} = mount(fake, {widgets: {onAction}});
    send.mockImplementation(() => element.sendCustomAction({type: 'a.b', payload: {n: 1}}, 'w_1'));
    const {finished} = await press(element, {type: 'page', payload: {}, handler: 'client'});
    await finished;
    expect(fake.calls[1]).toMatchObject({type: 'threads.custom_action', params});
  });

  it('report what the page throws', async () => {
    const onAction = () => {
      throw new Error('No map here.');
    };
    const {events} = await act(server(), {handler: 'client'}, {widgets: {onAction}});
    await ready(events);
    await vi.waitFor(() =>
      expect((eventDetails(events, 'error')[0] as {error: Error}).error.message).toBe('No map here.'),
    );
  });

  it('need a thread to send an action to', async () => {
    await expect(mount(new FakeServer()).element.sendCustomAction({type: 'x'})).rejects.toThrow('thread');
  });
});

describe('threads', () => {
  const items = [answer('a_2', 'Newest answer').item, echo('Newest question').item];
  const stored = (title = 'Trip') =>
    new FakeServer({
      'threads.get_by_id': ({params}) =>
        params.thread_id === 'thr_1'
          ? {...THREAD, title}
          : Response.json({error: {message: 'This chat does not exist.'}}, {status: 404}),
      'items.list': ({params}) =>
        params.after === undefined
          ? {data: items, has_more: true, after: 'u_Newest question'}
          : {data: [answer('a_0', 'Oldest').item], has_more: false},
      'threads.list': () => ({
        data: [
          {...THREAD, title},
          {...THREAD, id: 'thr_2', title: undefined},
        ],
        has_more: false,
      }),
      'threads.update': () => ({...THREAD, title: 'New name'}),
      'threads.delete': () => ({}),
    });

  it('open at their newest items, with one pair of load events', async () => {
    const server = stored();
    const {element, events} = mount(server, {initialThread: 'thr_1'});
    await vi.waitFor(() => expect(textOf(element)).toMatch(/Trip[\s\S]*Newest question[\s\S]*Newest answer/));
    await ready(events);
    expect(server.calls.find(({type}) => type === 'items.list')?.params).toMatchObject({order: 'desc'});
    expect(events.map(([name]) => name)).toEqual(['ready', 'thread.load.start', 'thread.change', 'thread.load.end']);
  });

  it('do not change when the option for the first one does', async () => {
    const server = stored();
    const {element, events} = mount(server, {initialThread: 'thr_1'});
    await vi.waitFor(() => expect(textOf(element)).toContain('Newest answer'));
    element.setOptions(optionsFor(server, {initialThread: 'thr_2'}));
    await ready(events);
    await vi.waitFor(() => expect(eventDetails(events, 'thread.change')).toEqual([{threadId: 'thr_1'}]));
  });

  it('put older items above on request', async () => {
    const {element} = mount(stored(), {initialThread: 'thr_1'});
    const button = await vi.waitFor(() => {
      const found = find(element, '.older button');
      expect(found).toBeDefined();
      return found;
    });
    button?.click();
    await vi.waitFor(() => expect(textOf(element)).toMatch(/Oldest[\s\S]*Newest question/));
    await vi.waitFor(() => expect(find(element, '.older')).toBeUndefined());
  });

  it('that cannot be read leave the start screen, with both load events and an error', async () => {
    const {element, events} = mount(stored(), {initialThread: 'thr_gone'});
    await vi.waitFor(() => expect(eventDetails(events, 'thread.load.end')).toHaveLength(1));
    await vi.waitFor(() => expect(eventDetails(events, 'error')).toHaveLength(1));
    await vi.waitFor(() => expect(textOf(element)).toMatch(/What can I help[\s\S]*This chat does not exist\./));
    await expect(element.setThreadId('thr_gone')).rejects.toThrow('does not exist');
  });

  it('go on after a page that shows nothing', async () => {
    const server = new FakeServer({
      'threads.get_by_id': () => THREAD,
      'items.list': ({params}) =>
        params.after === undefined ? {data: [], has_more: true, after: 'h'} : {data: items, has_more: false},
    });
    const {element} = mount(server, {initialThread: 'thr_1'});
    await vi.waitFor(() => expect(textOf(element)).toContain('Newest answer'));
  });

  it('that are locked say why and take no message; closed ones have no field', async () => {
    let status = {type: 'locked', reason: 'Waiting for approval'};
    const server = new FakeServer({
      'threads.get_by_id': () => ({...THREAD, status}),
      'items.list': () => ({data: items, has_more: false}),
    });
    const {element} = mount(server, {initialThread: 'thr_1'});
    await vi.waitFor(() =>
      expect(find<HTMLTextAreaElement>(element, 'textarea')).toMatchObject({
        disabled: true,
        placeholder: 'Waiting for approval',
      }),
    );
    await expect(element.sendUserMessage({text: 'x'})).rejects.toThrow('Waiting for approval');
    status = {type: 'closed', reason: 'Solved'};
    await element.fetchUpdates();
    await vi.waitFor(() => expect(textOf(element)).toContain('Solved'));
    expect(find(element, 'textarea')).toBeUndefined();
  });

  it('are listed, renamed and deleted from the history, which Escape closes', async () => {
    const server = stored();
    const {element, events} = mount(server);
    await element.showHistory();
    await element.showHistory();
    await vi.waitFor(() => expect(textOf(element)).toMatch(/Trip[\s\S]*Untitled chat/));
    find(element, '[aria-label="Rename “Trip”"]')?.click();
    const field = await vi.waitFor(() => {
      const found = find<HTMLInputElement>(element, 'input');
      expect(found).toBeDefined();
      return found;
    });
    if (field) field.value = 'New name';
    field?.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
    await vi.waitFor(() => expect(textOf(element)).toContain('New name'));
    find(element, '[aria-label="Delete “New name”"]')?.click();
    const confirm = await vi.waitFor(() => {
      const found = find(element, '.danger');
      expect(found).toBeDefined();
      return found;
    });
    confirm?.click();
    await vi.waitFor(() => expect(textOf(element)).not.toContain('New name'));
    expect(server.types().slice(-2)).toEqual(['threads.update', 'threads.delete']);
    find(element, '[role=dialog]')?.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
    await vi.waitFor(() => expect(find(element, 'parlor-history')).toBeUndefined());
    await ready(events);
    expect(events.filter(([name]) => name.startsWith('history.')).map(([name]) => name)).toEqual([
      'history.open',
      'history.close',
    ]);
  });

  it('have no history where the page says so', async () => {
    const server = stored();
    const {element} = mount(server, {history: {enabled: false}});
    await element.showHistory();
    expect(find(element, 'parlor-history')).toBeUndefined();
    expect(server.calls).toEqual([]);
  });
});

describe('the composer', () => {
  const type = (element: Element, text: string, key: KeyboardEventInit = {key: 'Enter'}) => {
    const field = find<HTMLTextAreaElement>(element, 'textarea');
    if (field && text !== '') {
      field.value = text;
      field.dispatchEvent(new Event('input', {bubbles: true}));
    }
    field?.dispatchEvent(new KeyboardEvent('keydown', {...key, bubbles: true, cancelable: true}));
    return field;
  };

  it('sends with Enter, but not with Shift, not while an input method composes, and not nothing', async () => {
    const server = new FakeServer({'threads.create': () => HELLO});
    const {element} = mount(server);
    await element.focusComposer();
    type(element, '   ');
    type(element, 'Hello', {key: 'Enter', shiftKey: true});
    type(element, 'Hello', {key: 'Enter', isComposing: true});
    expect(server.calls).toEqual([]);
    const field = type(element, ' Hello ');
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    expect(server.calls[0]?.params).toMatchObject({input: {content: [{type: 'input_text', text: 'Hello'}]}});
    await vi.waitFor(() => expect(field?.value).toBe(''));
  });

  it('sends tool, model, quote and attachments, and clears a tool that does not persist', async () => {
    const server = new FakeServer({'threads.create': () => HELLO});
    const composer = {
      tools: [{id: 'web', label: 'Web', icon: 'globe'}],
      models: [
        {id: 'a', label: 'A'},
        {id: 'b', label: 'B', default: true},
        {id: 'c', label: 'C', disabled: true},
      ],
    };
    const {element, events} = mount(server, {composer});
    const attachments = [{type: 'file' as const, id: 'f_1', name: 'a.pdf', mime_type: 'application/pdf'}];
    await element.setComposerValue({
      text: 'Look',
      reply: 'quoted',
      attachments,
      selectedToolId: 'web',
      selectedModelId: 'c',
    });
    await vi.waitFor(() => expect(textOf(element)).toMatch(/quoted[\s\S]*a\.pdf/));
    type(element, '');
    await idle(events);
    expect(server.calls[0]?.params.input).toEqual({
      content: [{type: 'input_text', text: 'Look'}],
      attachments: ['f_1'],
      quoted_text: 'quoted',
      inference_options: {tool_choice: {id: 'web'}, model: 'b'},
    });
    await vi.waitFor(() => expect(eventDetails(events, 'tool.change')).toEqual([{toolId: 'web'}, {toolId: null}]));
  });

  it('sends a starter prompt at once', async () => {
    const server = new FakeServer({'threads.create': () => HELLO});
    const {element} = mount(server, {startScreen: {prompts: [{label: 'Say hello', prompt: 'Hello', icon: 'sparkle'}]}});
    const prompt = await vi.waitFor(() => {
      const found = find(element, '[part=prompt]');
      expect(found).toBeDefined();
      return found;
    });
    prompt?.click();
    await vi.waitFor(() => expect(server.types()).toEqual(['threads.create']));
  });
});

describe('the element on a page', () => {
  it('keeps its state when it is moved, and stops what runs when it goes', async () => {
    const server = new FakeServer({'threads.create': () => new Promise<Response>(() => {})});
    const {element} = mount(server);
    void element.sendUserMessage({text: 'Hello'});
    await vi.waitFor(() => expect(server.calls).toHaveLength(1));
    const place = document.createElement('div');
    document.body.append(place);
    place.append(element);
    await Promise.resolve();
    expect(server.calls[0]?.signal.aborted).toBe(false);
    place.remove();
    await vi.waitFor(() => expect(server.calls[0]?.signal.aborted).toBe(true));
  });

  it('rates an answer and takes the mark back when the server refuses', async () => {
    let isDown = true;
    const server = new FakeServer({
      'threads.create': () => HELLO,
      'items.feedback': () => (isDown ? Response.json({error: {message: 'No.'}}, {status: 500}) : {}),
    });
    const {element} = mount(server, {threadItemActions: {feedback: true}});
    await element.sendUserMessage({text: 'Hello'});
    const good = () => find(element, '[aria-label="Good answer"]');
    await vi.waitFor(() => expect(good()).toBeDefined());
    good()?.click();
    await vi.waitFor(() => expect(textOf(element)).toContain('No.'));
    await vi.waitFor(() => expect(good()?.getAttribute('aria-pressed')).toBe('false'));
    isDown = false;
    good()?.click();
    await vi.waitFor(() => expect(good()?.getAttribute('aria-pressed')).toBe('true'));
    expect(server.calls.at(-1)?.params).toEqual({thread_id: 'thr_1', item_ids: ['a_1'], kind: 'positive'});
  });

  it('names its parts for assistive technology', async () => {
    const {element} = mount(new FakeServer({'threads.create': () => HELLO}), {
      frameTitle: 'Travel desk',
      threadItemActions: {feedback: true, retry: true},
    });
    await element.sendUserMessage({text: 'Hello'});
    await vi.waitFor(() => expect(find(element, 'parlor-turn-actions')).toBeDefined());
    expect(find(element, '[role=region]')?.getAttribute('aria-label')).toBe('Travel desk');
    expect(find(element, '[role=log]')?.getAttribute('aria-busy')).toBe('false');
    expect(textOf(element)).toMatch(/You said[\s\S]*Assistant said/);
    const unnamed: string[] = [];
    const visit = (node: Node): void => {
      if (
        node instanceof HTMLElement &&
        node.localName === 'button' &&
        !node.getAttribute('aria-label') &&
        textOf(node).trim() === ''
      )
        unnamed.push(node.outerHTML);
      for (const child of [
        ...(node instanceof Element && node.shadowRoot ? node.shadowRoot.childNodes : []),
        ...node.childNodes,
      ])
        visit(child);
    };
    visit(element);
    expect(unnamed).toEqual([]);
  });
});
