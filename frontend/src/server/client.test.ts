import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {StreamEvent, StreamingRequest} from '../protocol/types.js';
import {ChatKitClient} from './client.js';
import {RequestError} from './request-error.js';

const REQUEST: StreamingRequest = {
  type: 'threads.create',
  params: {input: {content: [{type: 'input_text', text: 'hi'}], attachments: [], inference_options: {}}},
};

function stream(...frames: string[]): Response {
  return new Response(frames.join(''), {headers: {'Content-Type': 'text/event-stream'}});
}

async function collect(client: ChatKitClient, signal = new AbortController().signal): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of client.stream(REQUEST, signal)) events.push(event);
  return events;
}

function clientWith(answer: typeof fetch, logs: unknown[] = []): ChatKitClient {
  const client = new ChatKitClient((name, data) => logs.push([name, data]));
  client.configure({url: '/chatkit', locale: 'de-CH', fetch: answer});
  return client;
}

async function failure(promise: Promise<unknown>): Promise<RequestError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RequestError);
  return error as RequestError;
}

describe('the client', () => {
  it('posts one JSON string with the headers of the protocol, and calls the given fetch without a receiver', async () => {
    const calls: unknown[][] = [];
    const answer = function (this: unknown, ...args: unknown[]): Promise<Response> {
      calls.push([this, ...args]);
      return Promise.resolve(stream());
    };
    expect(await collect(clientWith(answer as typeof fetch))).toEqual([]);
    const [receiver, url, init] = calls[0] as [unknown, string, RequestInit];
    expect(receiver).toBeUndefined();
    expect(url).toBe('/chatkit');
    const {timeZone} = new Intl.DateTimeFormat().resolvedOptions();
    expect(init.headers).toEqual({
      'Content-Type': 'application/json',
      Accept: `text/event-stream;resumable=1;time-zone=${encodeURIComponent(timeZone)}, application/json, */*;q=0.1`,
      'Accept-Language': 'de-CH',
    });
    expect(JSON.parse(init.body as string)).toEqual(REQUEST);
  });

  it('skips malformed and unknown events, reports them without their content, and goes on', async () => {
    const logs: unknown[] = [];
    const answer = async () =>
      stream(
        'data: {broken secret\n\n',
        'data: {"type":"brand.new"}\n\n',
        'data: [DONE]\n\n',
        'data:\n\n',
        'data: {"type":"progress_update","text":"x"}\n\n',
      );
    const events = await collect(clientWith(answer, logs));
    expect(events).toEqual([{type: 'progress_update', text: 'x', icon: undefined}]);
    expect(logs).toHaveLength(2);
    expect(JSON.stringify(logs)).not.toContain('secret');
  });

  it('says what the server says about a failure', async () => {
    const body = {error: {code: 'locked', message: 'This chat is locked.', id: 'err_1'}};
    const error = await failure(collect(clientWith(async () => Response.json(body, {status: 423}))));
    expect(error).toMatchObject({message: 'This chat is locked.', code: 'locked', id: 'err_1', status: 423});
  });

  it('names the status when the server says nothing readable', async () => {
    const error = await failure(collect(clientWith(async () => new Response('<h1>Bad gateway</h1>', {status: 502}))));
    expect(error.message).toBe('The server refused the request (502).');
  });

  it('posts only once when the connection is lost, and takes the page’s own fetch for one with a wrong receiver', async () => {
    const lost = vi.fn(() => Promise.reject(new TypeError('Failed to fetch')));
    expect((await failure(collect(clientWith(lost)))).code).toBe('connection');
    expect(lost).toHaveBeenCalledTimes(1);
    const own = vi.fn(async () => stream('data: {"type":"progress_update","text":"x"}\n\n'));
    vi.stubGlobal('fetch', own);
    try {
      // What Chrome, Firefox and Safari say.
      for (const words of [
        "Failed to execute 'fetch' on 'Window': Illegal invocation",
        "'fetch' called on an object that does not implement interface Window.",
        'Can only call Window.fetch on instances of Window',
      ]) {
        expect(await collect(clientWith(() => Promise.reject(new TypeError(words))))).toHaveLength(1);
      }
      expect(own).toHaveBeenCalledTimes(3);
      await failure(collect(clientWith(lost)));
      expect(own).toHaveBeenCalledTimes(3);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('treats a fetch that returns nothing as a fault of the page', async () => {
    const vanished = (() => undefined) as unknown as typeof fetch;
    expect((await failure(collect(clientWith(vanished)))).message).toContain('api.fetch');
  });

  it('needs an address', async () => {
    expect(
      (await failure(new ChatKitClient().send({type: 'threads.list', params: {limit: 1, order: 'desc'}}))).message,
    ).toContain('api.url');
  });

  it('throws the reason of an abort, not a failure', async () => {
    const controller = new AbortController();
    const answer = (_: unknown, init?: RequestInit) =>
      new Promise<Response>((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const promise = collect(clientWith(answer as typeof fetch), controller.signal);
    const reason = new DOMException('Stopped.', 'AbortError');
    controller.abort(reason);
    await expect(promise).rejects.toBe(reason);
  });
});

describe('a silent server', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('that numbers its events is taken for dead much sooner, as it would send comments', async () => {
    const fetch = (_: unknown, init?: RequestInit) => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          const text = 'id: 1\ndata: {"type":"progress_update","text":"x"}\n\n: keep-alive\n\n';
          for (const piece of text.match(/.{1,20}\n*/gs) ?? []) controller.enqueue(new TextEncoder().encode(piece));
          init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason));
        },
      });
      return Promise.resolve(new Response(body, {headers: {'Content-Type': 'text/event-stream'}}));
    };
    const promise = failure(collect(clientWith(fetch as typeof globalThis.fetch)));
    await vi.advanceTimersByTimeAsync(45_000);
    expect((await promise).code).toBe('timeout');
  });

  it('is given up', async () => {
    const answer = (_: unknown, init?: RequestInit) =>
      new Promise<Response>((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const promise = failure(collect(clientWith(answer as typeof fetch)));
    await vi.advanceTimersByTimeAsync(300_000);
    expect((await promise).code).toBe('timeout');
    expect(vi.getTimerCount()).toBe(0);
  });
});
