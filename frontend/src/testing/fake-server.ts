/** For tests only: a ChatKit server as a fetch function, and streams that can be cut off. */

export type Frame = Readonly<Record<string, unknown>>;
export interface Call {
  readonly url: string;
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly metadata: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}
type Answer = readonly Frame[] | Readonly<Record<string, unknown>> | Response | Promise<Response>;
type Handlers = Readonly<Record<string, (call: Call) => Answer>>;

/** Answers with a stream for frames, with JSON for an object, and with an empty page for types without a handler. */
export class FakeServer {
  readonly calls: Call[] = [];
  readonly #handlers: Handlers;

  constructor(handlers: Handlers = {}) {
    this.#handlers = handlers;
  }

  readonly fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const {headers, signal} = init as {headers: Record<string, string>; signal: AbortSignal};
    const call: Call = {...JSON.parse(String(init?.body)), url: String(url), headers, signal};
    this.calls.push(call);
    const answer = await (this.#handlers[call.type]?.(call) ?? {data: [], has_more: false});
    if (answer instanceof Response) return answer;
    return Array.isArray(answer) ? streamOf(answer) : Response.json(answer);
  };

  types(): string[] {
    return this.calls.map(({type}) => type);
  }

  of(type: string): Call[] {
    return this.calls.filter(call => call.type === type);
  }
}

/** Builds a response that streams these frames and ends. */
export function streamOf(frames: readonly Frame[]): Response {
  return new Response(encode(frames), SSE);
}

const SSE = {headers: {'Content-Type': 'text/event-stream'}};

function encode(frames: readonly Frame[], firstId?: number): string {
  return frames
    .map((frame, at) => `${firstId === undefined ? '' : `id: ${firstId + at}\n`}data: ${JSON.stringify(frame)}\n\n`)
    .join('');
}

/** A stream that stays open. With `firstId`, its events are numbered from there; `headers` are response headers. */
export class OpenStream {
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #nextId: number | undefined;
  readonly response: Response;

  constructor(firstId?: number, signal?: AbortSignal, headers: Readonly<Record<string, string>> = {}) {
    this.#nextId = firstId;
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        this.#controller = controller;
      },
    });
    signal?.addEventListener('abort', () => this.cut(signal.reason));
    this.response = new Response(body, {headers: {...SSE.headers, ...headers}});
  }

  send(...frames: readonly Frame[]): this {
    this.#controller?.enqueue(this.#encoder.encode(encode(frames, this.#nextId)));
    if (this.#nextId !== undefined) this.#nextId += frames.length;
    return this;
  }

  sendText(text: string): this {
    this.#controller?.enqueue(this.#encoder.encode(text));
    return this;
  }

  /** Breaks the connection. */
  cut(reason: unknown = new TypeError('network error')): this {
    try {
      this.#controller?.error(reason);
    } catch {
      // It had already ended.
    }
    return this;
  }

  end(): this {
    this.#controller?.close();
    return this;
  }
}

export const THREAD = {id: 'thr_1', title: 'Trip', status: {type: 'active'}, items: {data: [], has_more: false}};
export const created = {type: 'thread.created', thread: THREAD};
export const user = (text: string) => ({
  id: `u_${text}`,
  type: 'user_message',
  content: [{type: 'input_text', text}],
  attachments: [],
});
export const assistant = (id: string, text?: string) => ({
  id,
  type: 'assistant_message',
  content: text === undefined ? [] : [{type: 'output_text', text, annotations: []}],
});
export const added = (item: Frame) => ({type: 'thread.item.added', item});
export const done = (item: Frame) => ({type: 'thread.item.done', item});
export const delta = (itemId: string, text: string) => ({
  type: 'thread.item.updated',
  item_id: itemId,
  update: {type: 'assistant_message.content_part.text_delta', content_index: 0, delta: text},
});

/** Builds a page as `items.list` returns it from items, oldest first. */
export const page = (...items: readonly Frame[]) => ({data: items.toReversed(), has_more: false});
/** Handlers of a server that has one thread with these items. */
export const stored = (...items: readonly Frame[]) => ({
  'threads.get_by_id': () => THREAD,
  'items.list': () => page(...items),
});
