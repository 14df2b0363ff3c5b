import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {ChatKitClient} from '../server/client.js';
import {BACK_OFF_MS} from '../server/resumable-stream.js';
import {
  added,
  assistant,
  type Call,
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
} from '../testing/fake-server.js';
import type {ClientToolHandler} from './client-tools.js';
import {Conversation, type Message} from './conversation.js';

const message = (text: string): Message => ({
  content: [{type: 'input_text', text}],
  attachments: [],
  quotedText: undefined,
  toolId: undefined,
  model: undefined,
});
const toolCall = {id: 'c_1', type: 'client_tool_call', status: 'pending', name: 'pick', arguments: {n: 1}};
const failed = {type: 'error', code: 'custom', message: 'It broke.', allow_retry: true};

interface Setup {
  readonly resume?: boolean;
  readonly tool?: ClientToolHandler;
}

function converse(server: FakeServer, {resume = false, tool}: Setup = {}) {
  const events: [string, unknown][] = [];
  const client = new ChatKitClient();
  client.configure({url: '/chatkit', locale: 'en', fetch: server.fetch as typeof fetch}, resume);
  const conversation = new Conversation({
    client,
    emit: (name, detail) => events.push([name, detail]),
    changed: () => {},
    findClientTool: () => tool,
    expectsResume: () => resume,
  });
  const texts = () =>
    conversation.state.entries.map(({item}) =>
      item.type === 'user_message' || item.type === 'assistant_message'
        ? item.content.map(part => part.text).join('')
        : item.type,
    );
  const names = () => events.map(([name]) => name);
  return {conversation, events, texts, names};
}

/** Lets everything run that does not wait for time. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('an answer of a server that numbers its events', () => {
  it('goes on behind the last event when the connection breaks, as the same turn', async () => {
    const first = new OpenStream(1);
    const second = new OpenStream(5);
    const server = new FakeServer({'threads.create': () => first.response, 'runs.attach': () => second.response});
    const {conversation, names, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'One '));
    await settle();
    first.cut();
    await settle();
    expect(conversation.state).toMatchObject({isReconnecting: true, isResponding: true, failure: undefined});
    await vi.advanceTimersByTimeAsync(BACK_OFF_MS[0] ?? 0);
    expect(server.calls[1]).toMatchObject({type: 'runs.attach', params: {thread_id: 'thr_1', after: 4}});
    second.send(delta('a', 'two.'), done(assistant('a', 'One two.'))).end();
    await sending;
    expect(texts()).toEqual(['Hi', 'One two.']);
    expect(conversation.state).toMatchObject({isReconnecting: false, isResponding: false, failure: undefined});
    expect(names()).toEqual(['response.start', 'thread.change', 'response.end']);
  });

  it('asks again after each longer pause, at once when the browser is online, and then offers to connect', async () => {
    const first = new OpenStream(1);
    let isDown = true;
    const server = new FakeServer({
      ...stored(user('Hi')),
      'threads.create': () => first.response,
      'runs.attach': () => {
        if (isDown) throw new TypeError('Failed to fetch');
        return new OpenStream(4).send(done(assistant('a', 'Whole.'))).end().response;
      },
    });
    const {conversation, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('a')));
    await settle();
    first.cut();
    await settle();
    dispatchEvent(new Event('online'));
    await settle();
    expect(server.of('runs.attach')).toHaveLength(1);
    for (const pause of BACK_OFF_MS.slice(1)) await vi.advanceTimersByTimeAsync(pause);
    await sending;
    expect(server.of('runs.attach')).toHaveLength(BACK_OFF_MS.length);
    expect(conversation.state.failure).toMatchObject({canRetry: true});
    isDown = false;
    await conversation.retry();
    expect(server.calls.at(-1)).toMatchObject({type: 'runs.attach', params: {after: 3}});
    expect(texts()).toEqual(['Hi', 'Whole.']);
    expect(server.of('threads.retry_after_item')).toEqual([]);
  });

  it('is not taken for whole when a proxy ends it early', async () => {
    const server = new FakeServer({
      'threads.create': () => new OpenStream(1).send(created, done(user('Hi')), added(assistant('a'))).end().response,
      'runs.attach': () => new OpenStream(4).send(done(assistant('a', 'Whole.'))).end().response,
    });
    const {conversation, texts} = converse(server);
    await conversation.send(message('Hi'));
    expect(texts()).toEqual(['Hi', 'Whole.']);
    expect(server.types()).toEqual(['threads.create', 'runs.attach']);
  });

  it('counts a frame that was cut as not received', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      'threads.create': () => first.response,
      'runs.attach': () => new OpenStream(4).send(done(assistant('a', 'Whole.'))).end().response,
    });
    const {conversation, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first
      .send(created, done(user('Hi')), added(assistant('a')))
      .sendText('id: 4\ndata: {"type":"thread.it')
      .end();
    await sending;
    expect(server.calls[1]?.params).toEqual({thread_id: 'thr_1', after: 3});
    expect(texts()).toEqual(['Hi', 'Whole.']);
  });

  it('whose run is forgotten is read from the thread', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      ...stored(user('Hi'), assistant('a', 'Stored whole.')),
      'threads.create': () => first.response,
      'runs.attach': () => ({run: null}),
    });
    const {conversation, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Sto'));
    await settle();
    first.cut();
    await vi.advanceTimersByTimeAsync(500);
    await sending;
    expect(texts()).toEqual(['Hi', 'Stored whole.']);
    expect(conversation.state.failure).toBeUndefined();
  });

  it('that was never stored is offered to be written again', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      ...stored(user('Hi')),
      'threads.create': () => first.response,
      'runs.attach': () => ({run: null}),
      'threads.retry_after_item': () => [done(assistant('b', 'New.'))],
    });
    const {conversation, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Sto'));
    await settle();
    first.cut();
    await vi.advanceTimersByTimeAsync(500);
    await sending;
    expect(texts()).toEqual(['Hi', 'Sto']);
    expect(conversation.state.failure).toMatchObject({canRetry: true});
    await conversation.retry();
    expect(texts()).toEqual(['Hi', 'New.']);
  });

  it('of which a killed server has kept less than it had said is not taken for whole', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      ...stored(user('Hi'), assistant('a', 'Half of')),
      'threads.create': () => first.response,
      'runs.attach': () => ({run: null}),
    });
    const {conversation, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Half of what'));
    await settle();
    first.cut();
    await vi.advanceTimersByTimeAsync(500);
    await sending;
    expect(texts()).toEqual(['Hi', 'Half of']);
    expect(conversation.state.failure).toMatchObject({canRetry: true});
  });

  describe('whose server restarts', () => {
    const restarting = {type: 'error', code: 'custom', message: 'The server is restarting.', allow_retry: true};
    const draining = () => Response.json({error: {code: 'runs.draining', message: 'Restarting.'}}, {status: 503});
    const refused = () => Promise.reject(new TypeError('Failed to fetch'));
    const numbered = (...frames: Frame[]) => new OpenStream(1).send(...frames).end().response;
    const cutOff = [created, done(user('Hi')), done(assistant('a', 'Half')), restarting];

    it('waits for it when asked to try again, and then takes the new answer', async () => {
      const tries = [
        refused,
        draining,
        () => new Response('', {status: 502}),
        () => numbered(done(assistant('b', 'Whole.'))),
      ];
      const server = new FakeServer({
        'threads.create': () => numbered(...cutOff),
        'threads.retry_after_item': () => (tries.shift() ?? refused)(),
      });
      const {conversation, texts} = converse(server);
      await conversation.send(message('Hi'));
      expect(texts()).toEqual(['Hi', 'Half']);
      expect(conversation.state.failure).toMatchObject({canRetry: true});
      const retrying = conversation.retry();
      await settle();
      expect(conversation.state).toMatchObject({isReconnecting: true, isResponding: true, failure: undefined});
      for (const pause of BACK_OFF_MS.slice(0, 3)) await vi.advanceTimersByTimeAsync(pause);
      await retrying;
      expect(texts()).toEqual(['Hi', 'Whole.']);
      expect(conversation.state).toMatchObject({isReconnecting: false, failure: undefined});
    });

    it('keeps what was said when it cannot be tried again, and offers it once more', async () => {
      const server = new FakeServer({
        ...stored(user('Hi'), assistant('a', 'Half')),
        'threads.create': () => numbered(...cutOff),
        'threads.retry_after_item': refused,
      });
      const {conversation, texts} = converse(server);
      await conversation.send(message('Hi'));
      const retrying = conversation.retry();
      for (const pause of BACK_OFF_MS) await vi.advanceTimersByTimeAsync(pause);
      await retrying;
      expect(server.of('threads.retry_after_item')).toHaveLength(BACK_OFF_MS.length + 1);
      expect(texts()).toEqual(['Hi', 'Half']);
      expect(conversation.state.failure).toMatchObject({canRetry: true});
    });

    it('meets the new answer that it has begun without hearing of it', async () => {
      const busy = () => Response.json({error: {code: 'run.active', message: 'Wait.'}}, {status: 409});
      const tries = [refused, busy];
      const server = new FakeServer({
        'threads.create': () => numbered(...cutOff),
        'threads.retry_after_item': () => (tries.shift() ?? refused)(),
        'runs.attach': () => numbered(done(assistant('b', 'Whole.'))),
      });
      const {conversation, texts} = converse(server);
      await conversation.send(message('Hi'));
      const retrying = conversation.retry();
      for (const pause of BACK_OFF_MS.slice(0, 2)) await vi.advanceTimersByTimeAsync(pause);
      await retrying;
      expect(server.of('runs.attach')[0]?.params).toEqual({thread_id: 'thr_1'});
      expect(texts()).toEqual(['Hi', 'Whole.']);
    });

    it('sends a message that it has not taken again, and no other', async () => {
      const tries = [draining, refused, () => numbered(done(user('Hi')), done(assistant('a', 'Hello.')))];
      const server = new FakeServer({
        ...stored(),
        'threads.add_user_message': () => (tries.shift() ?? refused)(),
      });
      const {conversation, texts} = converse(server);
      await conversation.open('thr_1');
      const sending = conversation.send(message('Hi'));
      for (const pause of BACK_OFF_MS.slice(0, 2)) await vi.advanceTimersByTimeAsync(pause);
      await sending;
      expect(texts()).toEqual(['Hi', 'Hello.']);
      await conversation.send(message('More'));
      expect(conversation.state.failure).toMatchObject({canRetry: true});
      expect(server.of('threads.add_user_message')).toHaveLength(4);
    });
  });

  it('reads the thread again where the replay has a gap, and keeps what is not stored yet', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      ...stored(user('Hi'), assistant('a', 'First.')),
      'threads.create': () => first.response,
    });
    const {conversation, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('b')), delta('b', 'Second'), {type: 'run.gap'});
    await settle();
    expect(texts()).toEqual(['Hi', 'First.', 'Second']);
    first
      .send(delta('b', ' grows'))
      .send(done(assistant('b', 'Second grows.')))
      .end();
    await sending;
    expect(texts()).toEqual(['Hi', 'First.', 'Second grows.']);
  });

  it('is stopped by asking the server, and the stream ends by itself', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      'threads.create': () => first.response,
      'runs.stop': () => {
        first.send(delta('a', ' end')).end();
        return {run: {id: 'run_1', status: 'stopped', last: 5}};
      },
    });
    const {conversation, names, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Half'));
    await settle();
    conversation.stop();
    await sending;
    expect(server.calls[0]?.signal.aborted).toBe(false);
    expect(server.types()).toEqual(['threads.create', 'runs.stop']);
    expect(texts()).toEqual(['Hi', 'Half end', 'task']);
    expect(names().filter(name => name === 'error')).toEqual([]);
  });

  it('is stopped as soon as its thread has an id, when the page says that the server resumes', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      'threads.create': () => first.response,
      'runs.stop': () => {
        first.end();
        return {run: {id: 'r'}};
      },
    });
    const {conversation} = converse(server, {resume: true});
    const sending = conversation.send(message('Hi'));
    await settle();
    conversation.stop();
    await settle();
    expect(server.types()).toEqual(['threads.create']);
    first.send(created);
    await sending;
    expect(server.of('runs.stop')[0]?.params).toEqual({thread_id: 'thr_1'});
  });

  it('is let go when the server does not end it after a stop', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({'threads.create': () => first.response, 'runs.stop': () => ({run: {id: 'r'}})});
    const {conversation} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')));
    await settle();
    conversation.stop();
    await vi.advanceTimersByTimeAsync(5000);
    // Nothing cuts this stream but the abort.
    first.cut();
    await sending;
    expect(conversation.isBusy).toBe(false);
    expect(server.calls[0]?.signal.aborted).toBe(true);
  });

  it('of a server without numbers is read on when its thread is left, and is there on the way back', async () => {
    const stream = new OpenStream();
    const server = new FakeServer({
      ...stored(user('Hi')),
      'threads.create': () => stream.send(created, done(user('Hi'))).response,
    });
    const {conversation, names, texts} = converse(server);
    void conversation.send(message('Hi'));
    await settle();
    stream.send(added(assistant('a')), delta('a', 'Grow'));
    await settle();
    await conversation.open(undefined);
    expect(conversation.isBusy).toBe(false);
    expect(conversation.state.entries).toEqual([]);
    expect(server.of('threads.create')[0]?.signal.aborted).toBe(false);
    stream.send(delta('a', 'ing'));
    await settle();
    expect(conversation.state.entries).toEqual([]);
    await conversation.open('thr_1');
    expect(texts()).toEqual(['Hi', 'Growing']);
    expect(conversation.isBusy).toBe(true);
    stream.send(delta('a', '.'), done(assistant('a', 'Growing.'))).end();
    await settle();
    expect(texts()).toEqual(['Hi', 'Growing.']);
    expect(conversation.isBusy).toBe(false);
    expect(names().filter(name => name.startsWith('response'))).toEqual([
      ...['response.start', 'response.end'],
      ...['response.start', 'response.end'],
    ]);
  });

  it.each(['abort', 'close'] as const)('of such a server is ended by %s', async how => {
    const server = new FakeServer({
      ...stored(user('Hi')),
      'threads.create': ({signal}: Call) => new OpenStream(undefined, signal).send(created).response,
    });
    const {conversation} = converse(server);
    void conversation.send(message('Hi'));
    await settle();
    await conversation.open(undefined);
    conversation[how]('thr_1');
    expect(server.of('threads.create')[0]?.signal.aborted).toBe(true);
  });

  it('goes on without us when its thread is left, and is joined on the way back, without its effects', async () => {
    let first: OpenStream | undefined;
    const again = new OpenStream(1);
    const server = new FakeServer({
      ...stored(user('Hi'), assistant('a', 'Stored.')),
      'threads.create': ({signal}: Call) => {
        first = new OpenStream(1, signal);
        return first.send(created, done(user('Hi'))).response;
      },
      'runs.attach': () => again.response,
    });
    const {conversation, events, names, texts} = converse(server);
    void conversation.send(message('Hi'));
    await settle();
    await conversation.open(undefined);
    expect(server.calls[0]?.signal.aborted).toBe(true);
    expect(server.of('runs.stop')).toEqual([]);
    expect(names()).toEqual(['response.start', 'thread.change', 'response.end', 'thread.change']);
    events.length = 0;
    const opening = conversation.open('thr_1');
    again.send(created, done(user('Hi')), {type: 'client_effect', name: 'old'});
    again.send(added(assistant('a')), done(assistant('a', 'older')), added(assistant('b')), delta('b', 'Grow'));
    await settle();
    await vi.advanceTimersByTimeAsync(80);
    await opening;
    expect(texts()).toEqual(['Hi', 'Stored.', 'Grow']);
    expect(conversation.state).toMatchObject({isResponding: true});
    again.send(delta('b', 'n.'), {type: 'client_effect', name: 'new'}, done(assistant('b', 'Grown.'))).end();
    await settle();
    expect(conversation.isBusy).toBe(false);
    expect(names()).toEqual([
      ...['thread.load.start', 'thread.change', 'thread.load.end'],
      ...['response.start', 'effect', 'response.end'],
    ]);
    expect(events.find(([name]) => name === 'effect')?.[1]).toMatchObject({name: 'new'});
  });

  describe('that says where its past ends', () => {
    const run = (last: number, id = 'run_1') => ({'Parlor-Run': id, 'Parlor-Run-Last': String(last)});
    const effect = (name: string) => ({type: 'client_effect', name, data: {}});

    it('is joined there, however fast its events follow each other', async () => {
      const again = new OpenStream(1, undefined, run(3));
      const server = new FakeServer({...stored(user('Hi')), 'runs.attach': () => again.response});
      const {conversation, events, texts} = converse(server, {resume: true});
      const opening = conversation.open('thr_1');
      again.send(done(user('Hi')), added(assistant('a')), effect('old'), effect('new'), delta('a', 'Now.'));
      again.send(done(assistant('a', 'Now.'))).end();
      await opening;
      await settle();
      expect(texts()).toEqual(['Hi', 'Now.']);
      expect(events.filter(([name]) => name === 'effect')).toEqual([['effect', {name: 'new', data: {}}]]);
    });

    it('is joined there, however slowly its past arrives', async () => {
      const again = new OpenStream(1, undefined, run(3));
      const server = new FakeServer({...stored(user('Hi')), 'runs.attach': () => again.response});
      const {conversation, events, names} = converse(server, {resume: true});
      const opening = conversation.open('thr_1');
      again.send(done(user('Hi')), added(assistant('a')));
      await vi.advanceTimersByTimeAsync(1000);
      expect(names()).toEqual(['thread.load.start']);
      again.send(effect('old'));
      await vi.advanceTimersByTimeAsync(80);
      await opening;
      again.send(effect('new'), done(assistant('a', 'Now.'))).end();
      await settle();
      expect(events.filter(([name]) => name === 'effect')).toEqual([['effect', {name: 'new', data: {}}]]);
    });

    it('and has just ended is read from the thread, not replayed', async () => {
      const server = new FakeServer({
        ...stored(user('Hi'), assistant('a', 'Stored.')),
        'runs.attach': () =>
          new OpenStream(1, undefined, run(2)).send(done(user('Hi')), done(assistant('a', 'old'))).end().response,
      });
      const {conversation, names, texts} = converse(server, {resume: true});
      await conversation.open('thr_1');
      await settle();
      expect(texts()).toEqual(['Hi', 'Stored.']);
      expect(names()).not.toContain('response.start');
    });

    it('is named when the connection is made again', async () => {
      const first = new OpenStream(1, undefined, run(1));
      const server = new FakeServer({
        'threads.create': () => first.response,
        'runs.attach': () => new OpenStream(4, undefined, run(4)).send(done(assistant('a', 'Whole.'))).end().response,
      });
      const {conversation, texts} = converse(server);
      const sending = conversation.send(message('Hi'));
      first.send(created, done(user('Hi')), added(assistant('a')));
      await settle();
      first.cut();
      await vi.advanceTimersByTimeAsync(500);
      await sending;
      expect(server.of('runs.attach')[0]?.params).toEqual({thread_id: 'thr_1', after: 3, run_id: 'run_1'});
      expect(server.of('items.list')).toEqual([]);
      expect(texts()).toEqual(['Hi', 'Whole.']);
    });

    it('and has given way to another one leaves its end to the thread', async () => {
      const first = new OpenStream(1, undefined, run(1));
      const server = new FakeServer({
        ...stored(user('Hi'), assistant('a', 'Whole.'), user('More')),
        'threads.create': () => first.response,
        'runs.attach': () =>
          new OpenStream(1, undefined, run(2, 'run_2')).send(done(user('More')), done(assistant('b', 'New.'))).end()
            .response,
      });
      const {conversation, texts} = converse(server);
      const sending = conversation.send(message('Hi'));
      first.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Who'));
      await settle();
      first.cut();
      await vi.advanceTimersByTimeAsync(500);
      await sending;
      expect(texts()).toEqual(['Hi', 'Whole.', 'More', 'New.']);
    });
  });

  it('that has just ended is read from the thread, not replayed', async () => {
    const server = new FakeServer({
      ...stored(user('Hi'), assistant('a', 'Stored.')),
      'runs.attach': () => new OpenStream(1).send(done(user('Hi')), done(assistant('a', 'old'))).end().response,
    });
    const {conversation, names, texts} = converse(server, {resume: true});
    await conversation.open('thr_1');
    await settle();
    expect(texts()).toEqual(['Hi', 'Stored.']);
    expect(names()).not.toContain('response.start');
  });

  it.each([
    ['that knows no runs', () => Response.json({error: {message: 'unknown'}}, {status: 400})],
    ['that fails', () => new Response('Internal Server Error', {status: 500})],
    ['that has none', () => Response.json({run: null})],
  ])('is looked for in vain on a server %s, and the thread opens all the same', async (_, attach) => {
    const server = new FakeServer({...stored(user('Hi')), 'runs.attach': attach});
    const {conversation, names, texts} = converse(server, {resume: true});
    await conversation.open('thr_1');
    expect(texts()).toEqual(['Hi']);
    expect(names()).toEqual(['thread.load.start', 'thread.change', 'thread.load.end']);
  });

  it('is taken up again when the element that was removed comes back', async () => {
    const first = new OpenStream(1);
    const server = new FakeServer({
      'threads.create': () => first.response,
      'runs.attach': () => new OpenStream(4).send(done(assistant('a', 'Whole.'))).end().response,
    });
    const {conversation, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('a')));
    await settle();
    conversation.close();
    first.cut();
    await sending;
    expect(server.of('runs.stop')).toEqual([]);
    await conversation.resume();
    expect(server.calls.at(-1)).toMatchObject({type: 'runs.attach', params: {thread_id: 'thr_1', after: 3}});
    expect(texts()).toEqual(['Hi', 'Whole.']);
  });
});

describe('a stock server', () => {
  it('sees nothing but documented operations, and no metadata of ours', async () => {
    const server = new FakeServer({
      ...stored(user('Hi')),
      'threads.add_user_message': () => [done(assistant('a', 'x'))],
    });
    const {conversation} = converse(server);
    await conversation.open('thr_1');
    await conversation.send(message('Hi'));
    await conversation.open('thr_1');
    expect(new Set(server.types())).toEqual(new Set(['threads.get_by_id', 'items.list', 'threads.add_user_message']));
    expect(server.calls.map(({metadata}) => metadata).filter(Boolean)).toEqual([]);
    await conversation.act({type: 'a'}, 'w', false);
    expect(server.of('threads.sync_custom_action')[0]?.metadata).toBeUndefined();
    expect(server.of('items.list')[0]?.metadata).toBeUndefined();
  });

  it('whose connection breaks keeps what came, is read again, and may be asked once more', async () => {
    const first = new OpenStream();
    const server = new FakeServer({
      ...stored(user('Hi')),
      'threads.create': () => first.response,
      'threads.retry_after_item': () => [done(assistant('b', 'Whole.'))],
    });
    const {conversation, names, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Half'));
    await settle();
    first.cut();
    await sending;
    expect(texts()).toEqual(['Hi', 'Half']);
    expect(server.types()).toEqual(['threads.create', 'threads.get_by_id', 'items.list']);
    expect(conversation.state.failure).toMatchObject({canRetry: true});
    expect(names()).toEqual(['response.start', 'thread.change', 'error', 'response.end']);
    await conversation.retry();
    expect(texts()).toEqual(['Hi', 'Whole.']);
  });

  it('is stopped by the abort of its request', async () => {
    let first: OpenStream | undefined;
    const server = new FakeServer({
      'threads.create': ({signal}: Call) => {
        first = new OpenStream(undefined, signal);
        return first.send(created, done(user('Hi')), added(assistant('a')), delta('a', 'Half')).response;
      },
    });
    const {conversation, names, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    await settle();
    conversation.stop();
    await sending;
    expect(server.types()).toEqual(['threads.create']);
    expect(texts()).toEqual(['Hi', 'Half', 'task']);
    expect(names()).toEqual(['response.start', 'thread.change', 'response.end']);
  });

  it('that cannot be asked once more keeps what was said', async () => {
    let isDown = true;
    const server = new FakeServer({
      ...stored(user('Hi'), assistant('a', 'Old.')),
      'threads.retry_after_item': () => (isDown ? new Response('', {status: 503}) : [done(assistant('b', 'New.'))]),
    });
    const {conversation, texts} = converse(server);
    await conversation.open('thr_1');
    await conversation.retry();
    expect(texts()).toEqual(['Hi', 'Old.']);
    expect(server.of('threads.retry_after_item')).toHaveLength(1);
    expect(conversation.state.failure).toMatchObject({canRetry: true});
    isDown = false;
    await conversation.retry();
    expect(texts()).toEqual(['Hi', 'New.']);
  });

  it('that sends an empty stream ends the turn', async () => {
    const {conversation, names} = converse(new FakeServer({'threads.create': () => []}));
    await conversation.send(message('Hi'));
    expect(names()).toEqual(['response.start', 'response.end']);
  });
});

describe('a client tool', () => {
  const calling = {'threads.create': () => [created, done(user('Hi')), done(toolCall)]};

  it('runs once for the call that a reloaded thread ends with, as a turn of its own', async () => {
    const tool = vi.fn(() => ({picked: 2}));
    const server = new FakeServer({
      ...stored(user('Hi'), toolCall),
      'threads.add_client_tool_output': () => [done(assistant('a', 'Thanks.'))],
    });
    const {conversation, names, texts} = converse(server, {tool});
    await conversation.open('thr_1');
    await settle();
    expect(server.of('threads.add_client_tool_output')[0]?.params).toEqual({
      thread_id: 'thr_1',
      result: {picked: 2},
    });
    expect(texts().at(-1)).toBe('Thanks.');
    // The server of this test still says that the call waits.
    await conversation.open('thr_1');
    await settle();
    expect(tool).toHaveBeenCalledTimes(1);
    expect(names().filter(name => name.startsWith('response'))).toEqual(['response.start', 'response.end']);
  });

  it('that waits in a thread is left alone by a page without a handler', async () => {
    const server = new FakeServer(stored(user('Hi'), toolCall));
    const {conversation} = converse(server);
    await conversation.open('thr_1');
    await settle();
    expect(server.of('threads.add_client_tool_output')).toEqual([]);
    expect(conversation.isBusy).toBe(false);
  });

  it('keeps the turn open while it runs, and is not run again when its result could not be sent', async () => {
    let isDown = true;
    let answer: (value: object) => void = () => {};
    const tool = vi.fn(
      () =>
        new Promise<object>(resolve => {
          answer = resolve;
        }),
    );
    const server = new FakeServer({
      ...calling,
      'threads.add_client_tool_output': () =>
        isDown ? new Response('', {status: 503}) : [done(assistant('a', 'Thanks.'))],
    });
    const {conversation, names, texts} = converse(server, {tool});
    const sending = conversation.send(message('Hi'));
    await settle();
    expect(conversation.isBusy).toBe(true);
    expect(names()).not.toContain('response.end');
    answer({picked: 1});
    await sending;
    expect(conversation.state.failure).toMatchObject({canRetry: true});
    isDown = false;
    await conversation.retry();
    expect(tool).toHaveBeenCalledTimes(1);
    expect(server.of('threads.add_client_tool_output').map(({params}) => params.result)).toEqual([
      {picked: 1},
      {picked: 1},
    ]);
    expect(texts().at(-1)).toBe('Thanks.');
  });

  it('is part of the answer, which can be stopped until the stream behind its result has ended', async () => {
    let answer: (value: object) => void = () => {};
    const tool = () =>
      new Promise<object>(resolve => {
        answer = resolve;
      });
    const second = new OpenStream();
    const server = new FakeServer({...calling, 'threads.add_client_tool_output': () => second.response});
    const {conversation, names} = converse(server, {tool});
    const expectOpen = () => {
      expect(conversation.isBusy).toBe(true);
      expect(conversation.state).toMatchObject({isResponding: true, canCancel: true});
      expect(names()).toEqual(['response.start', 'thread.change']);
    };
    const sending = conversation.send(message('Hi'));
    await settle();
    expectOpen();
    answer({picked: 1});
    await settle();
    expect(server.of('threads.add_client_tool_output')).toHaveLength(1);
    expectOpen();
    second.send(added(assistant('a')), delta('a', 'Thanks.'));
    await settle();
    expectOpen();
    second.end();
    await sending;
    expect(conversation.isBusy).toBe(false);
    expect(conversation.state.isResponding).toBe(false);
    expect(names()).toEqual(['response.start', 'thread.change', 'response.end']);
  });

  it('that is stopped while it runs sends no result', async () => {
    let answer: (value: object) => void = () => {};
    const tool = () =>
      new Promise<object>(resolve => {
        answer = resolve;
      });
    const server = new FakeServer({...calling, 'threads.add_client_tool_output': () => []});
    const {conversation} = converse(server, {tool});
    const sending = conversation.send(message('Hi'));
    await settle();
    conversation.stop();
    answer({picked: 1});
    await sending;
    expect(server.types()).toEqual(['threads.create']);
    expect(conversation.isBusy).toBe(false);
  });

  it.each([undefined, null])(
    'whose handler gives %s sends an empty object, since servers insist on a result',
    async value => {
      const server = new FakeServer({...calling, 'threads.add_client_tool_output': () => []});
      const {conversation} = converse(server, {tool: () => value});
      await conversation.send(message('Hi'));
      expect(server.of('threads.add_client_tool_output')[0]?.params).toEqual({thread_id: 'thr_1', result: {}});
    },
  );

  it('whose handler throws tells the assistant and the page', async () => {
    const tool = () => {
      throw new Error('No map.');
    };
    const server = new FakeServer({...calling, 'threads.add_client_tool_output': () => []});
    const {conversation, names} = converse(server, {tool});
    await conversation.send(message('Hi'));
    expect(server.of('threads.add_client_tool_output')[0]?.params.result).toEqual({error: 'No map.'});
    expect(names()).toEqual(['response.start', 'thread.change', 'error', 'response.end']);
  });

  it('that is called for ever ends in a failure', async () => {
    let count = 0;
    const more = () => {
      count += 1;
      return [done({...toolCall, id: `more_${count}`})];
    };
    const server = new FakeServer({...calling, 'threads.add_client_tool_output': more});
    const {conversation} = converse(server, {tool: () => ({})});
    await conversation.send(message('Hi'));
    expect(count).toBeLessThan(50);
    expect(conversation.state.failure?.message).toContain('too many');
  });
});

describe('an action', () => {
  const widget = (title: string) => ({id: 'w', type: 'widget', widget: {type: 'Card', title}});

  it('that fails in its stream offers no retry of the answer, and reads the widget again', async () => {
    const server = new FakeServer({
      ...stored(user('Hi'), widget('new')),
      'threads.create': () => [created, done(user('Hi')), done(widget('old'))],
      'threads.custom_action': () => [failed],
    });
    const {conversation} = converse(server);
    await conversation.send(message('Hi'));
    expect(await conversation.act({type: 'a'}, 'w', true)).toBe(false);
    expect(conversation.state.failure).toEqual({message: 'It broke.', canRetry: false});
    await vi.waitFor(() => {
      expect(conversation.state.entries.at(-1)?.item).toMatchObject({widget: {title: 'new'}});
    });
  });

  it.each([400, 404, 409])('that the server refuses with %i reads the widget again', async status => {
    const server = new FakeServer({
      ...stored(user('Hi'), widget('new')),
      'threads.create': () => [created, done(user('Hi')), done(widget('old'))],
      'threads.sync_custom_action': () =>
        Response.json({error: {code: 'action.not_offered', message: 'Gone.'}}, {status}),
      'threads.custom_action': () => Response.json({error: {code: 'action.not_offered', message: 'Gone.'}}, {status}),
    });
    for (const isStreaming of [true, false]) {
      const {conversation} = converse(server);
      await conversation.send(message('Hi'));
      const acting = conversation.act({type: 'a'}, 'w', isStreaming);
      if (isStreaming) expect(await acting).toBe(false);
      else await expect(acting).rejects.toThrow('Gone.');
      // Not before the refusal is told: a form that was refused keeps what was typed, whatever comes next.
      expect(conversation.state.entries.at(-1)?.item).toMatchObject({widget: {title: 'old'}});
      await vi.waitFor(() => {
        expect(conversation.state.entries.at(-1)?.item).toMatchObject({widget: {title: 'new'}});
      });
      expect(conversation.state.failure?.canRetry ?? false).toBe(false);
    }
  });

  it.each([true, false])('that is refused for the value of a field says which (streaming: %s)', async isStreaming => {
    const refusal = () =>
      Response.json({error: {code: 'action.invalid_field', message: 'Too long.', field: 'note'}}, {status: 400});
    const server = new FakeServer({
      ...stored(user('Hi'), widget('new')),
      'threads.create': () => [created, done(user('Hi')), done(widget('old'))],
      'threads.sync_custom_action': refusal,
      'threads.custom_action': refusal,
    });
    const {conversation} = converse(server);
    await conversation.send(message('Hi'));
    const error = await conversation.act({type: 'a'}, 'w', isStreaming).catch((reason: unknown) => reason);
    expect(error).toMatchObject({message: 'Too long.', field: 'note'});
  });

  const keyOf = ({metadata}: Call) => (metadata as {idempotency_key: unknown}).idempotency_key;

  it('names itself anew with each click, so that a request that arrives twice counts once', async () => {
    const server = new FakeServer({...stored(user('Hi'), widget('new')), 'threads.custom_action': () => []});
    const {conversation} = converse(server, {resume: true});
    await conversation.open('thr_1');
    for (const isStreaming of [true, true, false, false]) await conversation.act({type: 'a'}, 'w', isStreaming);
    const streamed = server.of('threads.custom_action');
    const plain = server.of('threads.sync_custom_action');
    expect(new Set([...streamed, ...plain].map(keyOf)).size).toBe(4);
    for (const call of streamed) expect(call.metadata).toEqual({resumable: true, idempotency_key: expect.any(String)});
    for (const call of plain) expect(call.metadata).toEqual({idempotency_key: expect.any(String)});
  });

  it.each([
    ['did not arrive', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['failed at the server', () => new Response('', {status: 503})],
  ])('that %s is tried again under its name, and what came of it is read', async (_, fail) => {
    let isDown = true;
    const server = new FakeServer({
      ...stored(user('Hi'), widget('new')),
      'threads.create': () => [created, done(user('Hi')), done(widget('old'))],
      // Carried out for the first request, so there is nothing to tell about it.
      'threads.custom_action': () => (isDown ? fail() : []),
    });
    const {conversation} = converse(server);
    await conversation.send(message('Hi'));
    expect(await conversation.act({type: 'a'}, 'w', true)).toBe(false);
    expect(conversation.state.failure).toMatchObject({canRetry: true});
    isDown = false;
    await conversation.retry();
    const [first, second] = server.of('threads.custom_action');
    expect(second?.params).toEqual(first?.params);
    expect(second?.metadata).toEqual(first?.metadata);
    expect(conversation.state.failure).toBeUndefined();
    expect(conversation.state.entries.at(-1)?.item).toMatchObject({widget: {title: 'new'}});
  });

  it('that is refused beside an answer reads the widget again and leaves the answer alone', async () => {
    const first = new OpenStream();
    const server = new FakeServer({
      ...stored(user('Hi'), widget('new')),
      'threads.create': () => first.response,
      'threads.sync_custom_action': () => Response.json({error: {message: 'Gone.'}}, {status: 404}),
    });
    const {conversation, texts} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), done(widget('old')), added(assistant('a')), delta('a', 'Half'));
    await settle();
    await expect(conversation.act({type: 'a'}, 'w', false)).rejects.toThrow('Gone.');
    await vi.waitFor(() => {
      expect(conversation.state.entries[1]?.item).toMatchObject({widget: {title: 'new'}});
    });
    expect(texts()).toEqual(['Hi', 'widget', 'Half']);
    first.send(done(assistant('a', 'Whole.'))).end();
    await sending;
    expect(texts()).toEqual(['Hi', 'widget', 'Whole.']);
  });

  it('beside the stream works while an answer runs; a streaming one waits', async () => {
    const first = new OpenStream();
    const server = new FakeServer({
      'threads.create': () => first.response,
      'threads.sync_custom_action': () => ({updated_item: widget('clicked')}),
    });
    const {conversation} = converse(server);
    const sending = conversation.send(message('Hi'));
    first.send(created, done(user('Hi')), done(widget('old')));
    await settle();
    await conversation.act({type: 'a'}, 'w', false);
    expect(conversation.state.entries.at(-1)?.item).toMatchObject({widget: {title: 'clicked'}});
    await expect(conversation.act({type: 'a'}, 'w', true)).rejects.toThrow('busy');
    first.end();
    await sending;
  });
});

describe('questions of the assistant', () => {
  const questions = (status: string) => ({
    id: 'q',
    type: 'structured_input',
    status,
    inputs: [
      {id: 'size', type: 'multiple_choice', question: 'Size?', options: [{value: 'S'}, {value: 'L'}], multiple: false},
      {id: 'note', type: 'freeform', question: 'Note?', description: 'optional'},
    ],
  });
  const input = {status: 'answered', answers: {size: {values: ['L'], skipped: false}}} as const;

  it('wait in place of the composer, also after a reload, until they are answered', async () => {
    const server = new FakeServer({
      ...stored(user('Hi'), questions('pending')),
      'threads.add_structured_input': () => [
        {type: 'thread.item.replaced', item: questions('answered')},
        done(assistant('a', 'Large.')),
      ],
    });
    const {conversation, texts} = converse(server);
    await conversation.open('thr_1');
    expect(conversation.pendingInput?.inputs.map(({type, id}) => [type, id])).toEqual([
      ['multiple_choice', 'size'],
      ['freeform', 'note'],
    ]);
    await conversation.answerInput('q', input);
    expect(server.of('threads.add_structured_input')[0]?.params).toEqual({thread_id: 'thr_1', item_id: 'q', input});
    expect(conversation.pendingInput).toBeUndefined();
    expect(texts()).toEqual(['Hi', 'structured_input', 'Large.']);
  });

  it('may be answered again when the answers did not arrive', async () => {
    const server = new FakeServer({
      ...stored(user('Hi'), questions('pending')),
      'threads.add_structured_input': () => new Response('', {status: 502}),
    });
    const {conversation} = converse(server);
    await conversation.open('thr_1');
    await conversation.answerInput('q', input);
    expect(conversation.pendingInput?.id).toBe('q');
    expect(conversation.state.failure).toMatchObject({canRetry: false});
  });

  it('count as skipped once a message follows', async () => {
    const server = new FakeServer(stored(questions('pending'), user('Never mind')));
    const {conversation} = converse(server);
    await conversation.open('thr_1');
    expect(conversation.pendingInput).toBeUndefined();
  });
});

describe('a thread', () => {
  it('shows the ratings that the server remembers', async () => {
    const server = new FakeServer({
      'threads.get_by_id': () => ({...THREAD, feedback: {a: 'negative', b: 'positive'}}),
      'items.list': () => ({...page(user('Hi'), assistant('a', 'x')), feedback: {a: 'positive', c: 'shrug'}}),
    });
    const {conversation} = converse(server);
    await conversation.open('thr_1');
    expect([...conversation.state.ratings]).toEqual([
      ['a', 'positive'],
      ['b', 'positive'],
    ]);
  });

  it('takes what a refresh finds: new, changed and removed items, and an open lock', async () => {
    let items: Frame[] = [user('Hi'), assistant('a', 'one'), assistant('gone', 'x')];
    let status = {type: 'locked', reason: 'Wait'};
    const server = new FakeServer({
      'threads.get_by_id': () => ({...THREAD, status}),
      'items.list': () => page(...items),
    });
    const {conversation, texts} = converse(server);
    await conversation.open('thr_1');
    await expect(conversation.send(message('x'))).rejects.toThrow('Wait');
    await expect(conversation.retry()).rejects.toThrow('Wait');
    const [first] = conversation.state.entries;
    items = [user('Hi'), assistant('a', 'changed'), assistant('b', 'new')];
    status = {type: 'active', reason: ''};
    await conversation.refresh();
    expect(texts()).toEqual(['Hi', 'changed', 'new']);
    expect(conversation.state.entries[0]).toBe(first);
    expect(conversation.state.thread?.status).toEqual({type: 'active'});
  });

  it('keeps the order of the server on every page, whatever its clocks say', async () => {
    const at = (item: Frame, created_at: unknown): Frame => ({...item, created_at});
    const first = at(user('First'), '2026-11-20T12:00:00');
    const answer = at(assistant('a', 'Second'), '2026-11-20T09:00:00');
    const last = at(assistant('b', 'Last'), '2026-11-19T23:00:00');
    const server = new FakeServer({
      'threads.get_by_id': () => THREAD,
      'items.list': ({params}: Call) =>
        params.after === undefined
          ? {...page(answer, last), has_more: true, after: 'a'}
          : page(at(user('Oldest'), 'never'), first, at(assistant('c', 'Unset'), null)),
    });
    const {conversation, texts} = converse(server);
    await conversation.open('thr_1');
    expect(texts()).toEqual(['Second', 'Last']);
    await conversation.loadOlder();
    expect(texts()).toEqual(['Oldest', 'First', 'Unset', 'Second', 'Last']);
    await conversation.refresh();
    expect(texts()).toEqual(['Oldest', 'First', 'Unset', 'Second', 'Last']);
  });

  it('that does not join what was shown takes its place, with a way to what is older', async () => {
    let answer: Frame = page(user('Hi'));
    const server = new FakeServer({'threads.get_by_id': () => THREAD, 'items.list': () => answer});
    const {conversation, texts} = converse(server);
    await conversation.open('thr_1');
    answer = {...page(user('Much later')), has_more: true, after: 'u_Much later'};
    await conversation.refresh();
    expect(texts()).toEqual(['Much later']);
    expect(conversation.state.older).toEqual({after: 'u_Much later'});
  });

  it('keeps a message that never arrived through a refresh', async () => {
    const server = new FakeServer({
      ...stored(user('Hi')),
      'threads.add_user_message': () => new Response('', {status: 503}),
    });
    const {conversation, texts} = converse(server);
    await conversation.open('thr_1');
    await conversation.send(message('Lost'));
    await conversation.refresh();
    expect(texts()).toEqual(['Hi', 'Lost']);
  });
});

it('keeps a title that was given while the thread was being read', async () => {
  let answer = (_response: Response): void => {};
  const server = new FakeServer({
    ...stored(user('Hi')),
    'threads.get_by_id': () => new Promise<Response>(resolve => (answer = resolve)),
  });
  const {conversation} = converse(server);
  const opening = conversation.open('thr_1');
  await settle();
  conversation.retitle('thr_1', 'A trip');
  answer(Response.json({...THREAD, title: 'Hi', items: page(user('Hi'))}));
  await opening;
  expect(conversation.state.thread?.title).toBe('A trip');
});
