/** The HTTP client of a ChatKit server: one POST per request, answered by a stream of events or one JSON document. */
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {isObject, parseEvent} from '../protocol/parsing.js';
import type {JSONRequest, StreamEvent, StreamingRequest} from '../protocol/types.js';
import {strings} from '../strings.js';
import {ClientSecret, type ReadClientSecret, type Report} from './client-secret.js';
import {Deadline, orAborted} from './deadline.js';
import {explainFailure, failureOf, isUnknownOperation, NO_RUN, RequestError, signedOut} from './request-error.js';
import {readEventStream} from './sse.js';

/** A stream that says nothing for so long is given up. Slow models think for minutes. */
const STREAM_SILENCE_MS = 300_000;
/** A server that numbers its events also sends a comment every 15 s, so that this much silence is a dead connection. */
const RUN_SILENCE_MS = 45_000;
const JSON_TIMEOUT_MS = 60_000;
/** For one file; large ones take long on slow lines. */
const UPLOAD_TIMEOUT_MS = 900_000;

type MeasuredUploads = Pick<typeof import('./measured-upload.js'), 'canMeasure' | 'sendMeasured'>;

const measuredUploads = new LazyPart<MeasuredUploads>(attempt => fetchPart('measured-upload', attempt));

export interface Endpoint {
  readonly url: string;
  /** Called detached, as the bare global would be; `undefined` means the page's own fetch. */
  readonly fetch: typeof fetch | undefined;
  /** The single value of Accept-Language. */
  readonly locale: string;
  /** Hosted mode: asks the page for a short-lived secret, which goes to `url` and nowhere else. */
  readonly getClientSecret?: ReadClientSecret | undefined;
}

/** The place up to which a client has read a run. */
export interface RunCursor {
  /** Number of the last event; `undefined` until the server has shown that it numbers them. */
  last: number | undefined;
  /** Number of the event that is being handed over; one of several frames may have none. */
  current?: number | undefined;
  /** The id of the run, where the server tells it. */
  runId?: string | undefined;
  /** Number of the last event that had happened when the server opened the current stream, where it says so. */
  replayEnd?: number | undefined;
}

/** The bytes of one file on their way to a place that the server named. */
export interface UploadRequest {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: File | FormData;
  /** Called with the share that is on its way, 0 to 1, where the browser tells it. */
  readonly onProgress?: (share: number) => void;
}

interface Asking {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export class ChatKitClient {
  readonly #report: Report;
  #endpoint: Endpoint | undefined;
  #secret: ClientSecret | undefined;
  #resumes: boolean | undefined;
  #expectsResume = false;
  #imageDomains: readonly string[] = [];

  constructor(report: Report = () => {}) {
    this.#report = report;
  }

  /**
   * From the next request on; running ones are not touched.
   *
   * @param expectsResume The page says that the server offers to join runs.
   */
  configure(endpoint: Endpoint | undefined, expectsResume = false): void {
    this.#expectsResume = expectsResume;
    if (endpoint?.url !== this.#endpoint?.url) {
      this.#secret = undefined;
      this.#resumes = undefined;
      this.#imageDomains = [];
    }
    this.#endpoint = endpoint;
    const read = endpoint?.getClientSecret;
    if (!read) this.#secret = undefined;
    else if (this.#secret) this.#secret.configure(read);
    else this.#secret = new ClientSecret(read, this.#report);
  }

  /** In hosted mode, asks for the first secret, once; rejects when the page has none. Pages wait for that call. */
  async prepare(): Promise<void> {
    await this.#secret?.prepare();
  }

  /** In hosted mode, asks the page for another secret, whatever has become of the last one. */
  async renew(): Promise<void> {
    await this.#secret?.renew();
  }

  /**
   * Whether the server offers `runs.attach` and `runs.stop`: proved by the numbers of its events, or refuted by its
   * answer; `undefined` until then.
   */
  get resumes(): boolean | undefined {
    return this.#resumes;
  }

  /** Origins of pictures in answers that the server allows, as its last answer has named them. */
  get imageDomains(): readonly string[] {
    return this.#imageDomains;
  }

  /**
   * The events of a streaming operation, ending with the answer's body.
   *
   * @param cursor Is moved behind each event that the caller has taken.
   * @throws RequestError When the server refuses or the connection breaks, with the code `NO_RUN` when there is no run
   *   to attach to; the abort reason when `signal` aborts.
   */
  async *stream(
    request: StreamingRequest,
    signal: AbortSignal,
    cursor: RunCursor = {last: undefined},
  ): AsyncGenerator<StreamEvent, void, void> {
    const silence = new Deadline(STREAM_SILENCE_MS, signal);
    try {
      const response = await this.#post(this.#mark(request), silence.signal);
      if (response.body === null) return;
      if (!isEventStream(response)) throw await this.#explainDocument(response);
      cursor.runId = response.headers?.get('parlor-run') ?? cursor.runId;
      cursor.replayEnd = toNumber(response.headers?.get('parlor-run-last'));
      const onBytes = (): void => silence.postpone(cursor.last === undefined ? STREAM_SILENCE_MS : RUN_SILENCE_MS);
      for await (const {data, id} of readEventStream(response.body, onBytes)) {
        if (data === '' || data === '[DONE]') continue;
        const number = toNumber(id);
        const json = this.#parse(data);
        // A frame that was cut counts as not received: its number must not be skipped.
        if (json === undefined) continue;
        const event = this.#read(json);
        cursor.current = number;
        if (event) yield event;
        if (number !== undefined) {
          cursor.last = number;
          this.#resumes = true;
        }
      }
    } catch (error) {
      if (request.type === 'runs.attach' && error instanceof RequestError && isUnknownOperation(error)) {
        this.#resumes = false;
      }
      throw explainFailure(error, signal);
    } finally {
      silence.release();
    }
  }

  /** The answer of a JSON operation, not yet parsed. Throws as `stream` does. */
  async send(request: JSONRequest, signal?: AbortSignal): Promise<unknown> {
    const deadline = new Deadline(JSON_TIMEOUT_MS, signal);
    try {
      const response = await this.#post(this.#unmark(request), deadline.signal);
      const text = await response.text();
      return text === '' ? {} : JSON.parse(text);
    } catch (error) {
      throw explainFailure(error, signal);
    } finally {
      deadline.release();
    }
  }

  /**
   * Sends a file through the page's fetch; resolves to the answer's JSON, or `undefined` when it is anything else. Carries
   * neither the client's secret nor any header of ours: the place may be another host's. Throws as `stream` does.
   */
  async upload({url, method, headers, body, onProgress}: UploadRequest, signal?: AbortSignal): Promise<unknown> {
    const deadline = new Deadline(UPLOAD_TIMEOUT_MS, signal);
    const init = {method, headers, body, signal: deadline.signal};
    try {
      // Without the part the file is sent all the same, and only how far it is stays unknown.
      const measuring = onProgress && !this.#endpoint?.fetch ? await measuredUploads.load() : undefined;
      const response: unknown = await (onProgress && measuring?.canMeasure(url, method)
        ? measuring.sendMeasured(url, init, share => {
            deadline.postpone(UPLOAD_TIMEOUT_MS);
            onProgress(share);
          })
        : this.#call(url, init));
      if (!isResponse(response)) throw new RequestError(strings.noResponse);
      if (!response.ok) throw await failureOf(response);
      const text = await response.text();
      return isJSON(text) ? JSON.parse(text) : undefined;
    } catch (error) {
      throw explainFailure(error, signal);
    } finally {
      deadline.release();
    }
  }

  /**
   * Our server's description of a file, with fresh URLs; `undefined` from servers that describe none. Throws as `stream` does.
   */
  async describeFile(id: string, signal?: AbortSignal): Promise<unknown> {
    const place = findFilesAddress(this.#endpoint, this.#isOurs);
    if (place === undefined) return undefined;
    const deadline = new Deadline(JSON_TIMEOUT_MS, signal);
    try {
      const url = `${place}${encodeURIComponent(id)}`;
      const response = await this.#ask(url, {signal: deadline.signal, headers: {Accept: 'application/json'}});
      return await response.json();
    } catch (error) {
      throw explainFailure(error, signal);
    } finally {
      deadline.release();
    }
  }

  /** Says that a lost connection is no wish to stop: to servers that keep answers going, and to no other. */
  #mark(request: StreamingRequest): object {
    const known = this.#unmark(request);
    return this.#isOurs
      ? {...known, metadata: {...('metadata' in known ? (known.metadata as object) : {}), resumable: true}}
      : known;
  }

  /** Takes away what only servers know that offer to join runs. */
  #unmark(request: StreamingRequest | JSONRequest): object {
    if (this.#isOurs || !('metadata' in request)) return request;
    const {metadata: _, ...documented} = request;
    return documented;
  }

  get #isOurs(): boolean {
    return this.#resumes ?? this.#expectsResume;
  }

  async #post(request: object, signal: AbortSignal): Promise<Response> {
    const endpoint = this.#endpoint;
    if (!endpoint) throw new RequestError(strings.noEndpoint);
    const headers = {
      'Content-Type': 'application/json',
      Accept: accepted(),
      'Accept-Language': endpoint.locale,
    };
    return this.#ask(endpoint.url, {method: 'POST', headers, body: JSON.stringify(request, whole), signal});
  }

  /** Asks our own server, in hosted mode with the client's secret, which is renewed once when it is refused. */
  async #ask(url: string, init: Asking): Promise<Response> {
    const secret = this.#secret;
    let token = secret && (await orAborted(secret.get(), init.signal));
    for (let attempt = 0; ; attempt += 1) {
      const response: unknown = await this.#call(url, {
        ...init,
        headers: {...init.headers, ...(token === undefined ? {} : {Authorization: `Bearer ${token}`})},
      });
      if (!isResponse(response)) throw new RequestError(strings.noResponse);
      if (response.ok) {
        this.#readImageDomains(response, url);
        return response;
      }
      if (response.status !== 401 || !secret || token === undefined) throw await failureOf(response);
      if (attempt > 0) throw signedOut(await failureOf(response));
      token = await orAborted(secret.refresh(token), init.signal);
    }
  }

  #readImageDomains(response: Response, url: string): void {
    if (url !== this.#endpoint?.url) return;
    const names = response.headers?.get('parlor-image-domains') ?? '';
    if (names !== this.#imageDomains.join(', ')) this.#imageDomains = names === '' ? [] : names.split(', ');
  }

  async #call(url: string, init: RequestInit): Promise<unknown> {
    const own = this.#endpoint?.fetch;
    if (!own) return globalThis.fetch(url, init);
    try {
      return await own(url, init);
    } catch (error) {
      if (!isWrongReceiver(error)) throw error;
      // The bare global, handed over through React, is called as a method of the options. Nothing was sent.
      this.#report('api.fetch_receiver', {
        hint: 'api.fetch was called with a wrong `this`: pass (url, init) => fetch(url, init).',
      });
      return globalThis.fetch(url, init);
    }
  }

  #parse(data: string): unknown {
    try {
      return JSON.parse(data);
    } catch {
      this.#report('stream.malformed_event', {length: data.length});
      return undefined;
    }
  }

  async #explainDocument(response: Response): Promise<RequestError> {
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => undefined);
    if (isObject(body) && 'run' in body) return new RequestError('There is no run.', {status: 200, code: NO_RUN});
    return failureOf(response);
  }

  #read(json: unknown): StreamEvent | undefined {
    const event = parseEvent(json);
    if (!event) this.#report('stream.unknown_event', {type: String((json as {type?: unknown} | null)?.type)});
    return event;
  }
}

/**
 * The `Accept` header: an answer that can be joined again, too; and in which time zone the person is. Its parameter
 * reaches any server: of a header of our own the browser would ask a server of another origin first, and one that is
 * not ours might refuse it.
 */
function accepted(): string {
  const {timeZone} = new Intl.DateTimeFormat().resolvedOptions();
  const zone = timeZone ? `;time-zone=${encodeURIComponent(timeZone)}` : '';
  return `text/event-stream;resumable=1${zone}, application/json, */*;q=0.1`;
}

/** Half of an emoji, as a cut text may end in, is no text for a server. */
function whole(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value;
}

/**
 * The address at which a server of ours describes its files, by that of its chat: `/chatkit` is also what others call
 * it, and is asked only when the server is known to be ours, or has given the secret by which a hosted page knows it.
 */
function findFilesAddress(endpoint: Endpoint | undefined, isOurs: boolean): string | undefined {
  const [, root, useCase] = /^(.*)\/chatkit(\/[^/?#]+)?\/?(?:[?#].*)?$/s.exec(endpoint?.url ?? '') ?? [];
  if (root === undefined) return undefined;
  return useCase !== undefined || isOurs || endpoint?.getClientSecret ? `${root}/api/attachments/` : undefined;
}

function toNumber(text: string | null | undefined): number | undefined {
  return text && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function isJSON(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

// Not `instanceof`: a page may hand in a fetch that builds its own Response class.
function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'ok' in value && 'text' in value;
}

function isEventStream(response: Response): boolean {
  return !(response.headers?.get('content-type') ?? 'text/event-stream').includes('json');
}

// Chrome, Firefox and Safari word it differently; a plain network TypeError must not match.
function isWrongReceiver(error: unknown): boolean {
  return (
    error instanceof TypeError &&
    /illegal invocation|does not implement interface|can only call|not a window/i.test(error.message)
  );
}
