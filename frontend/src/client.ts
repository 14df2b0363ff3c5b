/** Talks to a ChatKit server: one POST per request, answered by a stream of events or by one JSON document. */
import {parseEvent, parseFailure} from './parsing.js';
import type {JSONRequest, StreamEvent, StreamingRequest} from './protocol.js';
import {readEventStream} from './sse.js';

/** A stream that says nothing for so long is given up. Slow models think for minutes. */
const STREAM_SILENCE_MS = 300_000;
const JSON_TIMEOUT_MS = 60_000;

export interface Endpoint {
  readonly url: string;
  /** Called detached, as the bare global would be; `undefined` means the page's own fetch. */
  readonly fetch: typeof fetch | undefined;
  /** The single value of Accept-Language. */
  readonly locale: string;
}

/** A request that failed, with words for a person. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string | undefined;
  /** The id under which the server logged it. */
  readonly id: string | undefined;

  constructor(
    message: string,
    details: {status?: number; code?: string | undefined; id?: string | undefined; cause?: unknown} = {},
  ) {
    super(message, {cause: details.cause});
    this.status = details.status ?? 0;
    this.code = details.code;
    this.id = details.id;
  }
}

/** Reports what was skipped: kinds of events, never contents. */
export type Report = (name: string, data: Record<string, unknown>) => void;

export class ChatKitClient {
  readonly #report: Report;
  #endpoint: Endpoint | undefined;

  constructor(report: Report = () => {}) {
    this.#report = report;
  }

  /** From the next request on; running ones are not touched. */
  configure(endpoint: Endpoint | undefined): void {
    this.#endpoint = endpoint;
  }

  /**
   * The events of a streaming operation, ending with the answer's body.
   *
   * @throws RequestError When the server refuses or the connection breaks; the abort reason when `signal` aborts.
   */
  async *stream(request: StreamingRequest, signal: AbortSignal): AsyncGenerator<StreamEvent, void, void> {
    const silence = new Deadline(STREAM_SILENCE_MS, signal);
    try {
      const response = await this.#post(request, silence.signal);
      if (response.body === null) return;
      if (!isEventStream(response)) throw await failureOf(response);
      for await (const data of readEventStream(response.body, () => silence.postpone())) {
        if (data === '' || data === '[DONE]') continue;
        const event = this.#read(data);
        if (event) yield event;
      }
    } catch (error) {
      throw this.#explain(error, signal);
    } finally {
      silence.release();
    }
  }

  /** The answer of a JSON operation, not yet parsed. Throws as `stream` does. */
  async send(request: JSONRequest, signal?: AbortSignal): Promise<unknown> {
    const deadline = new Deadline(JSON_TIMEOUT_MS, signal);
    try {
      const response = await this.#post(request, deadline.signal);
      const text = await response.text();
      return text === '' ? {} : JSON.parse(text);
    } catch (error) {
      throw this.#explain(error, signal);
    } finally {
      deadline.release();
    }
  }

  async #post(request: StreamingRequest | JSONRequest, signal: AbortSignal): Promise<Response> {
    const endpoint = this.#endpoint;
    if (!endpoint) throw new RequestError('The chat has no server yet: the option api.url is missing.');
    const call = endpoint.fetch ?? globalThis.fetch;
    const response: unknown = await call(endpoint.url, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', 'Accept-Language': endpoint.locale},
      body: JSON.stringify(request),
      signal,
    });
    if (!isResponse(response)) throw new RequestError('The option api.fetch returned no response.');
    if (!response.ok) throw await failureOf(response);
    return response;
  }

  #read(data: string): StreamEvent | undefined {
    let json: unknown;
    try {
      json = JSON.parse(data);
    } catch {
      this.#report('stream.malformed_event', {length: data.length});
      return undefined;
    }
    const event = parseEvent(json);
    if (!event) this.#report('stream.unknown_event', {type: String((json as {type?: unknown} | null)?.type)});
    return event;
  }

  #explain(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    if (error instanceof RequestError) return error;
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      return new RequestError('The server did not answer in time.', {cause: error, code: 'timeout'});
    }
    if (error instanceof SyntaxError)
      return new RequestError('The server sent an answer that is not JSON.', {cause: error});
    if (isWrongReceiver(error)) {
      const cause =
        'The option api.fetch was called with a wrong `this`: pass (url, init) => fetch(url, init) instead.';
      return new RequestError(cause, {cause: error, code: 'illegal_invocation'});
    }
    return new RequestError('The connection to the server was lost.', {cause: error, code: 'connection'});
  }
}

/** Aborts when `limitMs` pass or when `outer` aborts; releasing it leaves no timer and no listener. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #limitMs: number;
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout>;

  constructor(limitMs: number, outer: AbortSignal | undefined) {
    this.#limitMs = limitMs;
    this.#outer = outer;
    this.#timer = this.#start();
    if (outer?.aborted) this.#follow();
    else outer?.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  postpone(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#follow);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(new DOMException('The time is up.', 'TimeoutError')), this.#limitMs);
  }

  #follow = (): void => this.#controller.abort(this.#outer?.reason);
}

// Not `instanceof`: a page may hand in a fetch that builds its own Response class.
function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'ok' in value && 'text' in value;
}

function isEventStream(response: Response): boolean {
  return !(response.headers?.get('content-type') ?? 'text/event-stream').includes('json');
}

async function failureOf(response: Response): Promise<RequestError> {
  let body: unknown;
  try {
    body = JSON.parse(await response.text());
  } catch {
    body = undefined;
  }
  const {message, code, id} = parseFailure(body);
  return new RequestError(message ?? `The server refused the request (${response.status}).`, {
    status: response.status,
    code,
    id,
  });
}

// Chrome, Firefox and Safari word it differently; a plain network TypeError must not match.
function isWrongReceiver(error: unknown): boolean {
  return (
    error instanceof TypeError &&
    /illegal invocation|does not implement interface|can only call|not a window/i.test(error.message)
  );
}
