/** The HTTP client of a ChatKit server: one POST per request, answered by a stream of events or one JSON document. */
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {isObject, parseEvent} from '../protocol/parsing.js';
import type {JSONRequest, StreamEvent, StreamingRequest} from '../protocol/types.js';
import {strings} from '../strings.js';
import {ClientSecret, type ReadClientSecret, type Report} from './client-secret.js';
import {abortable, Deadline} from './deadline.js';
import {
  isUnknownOperation,
  NO_RUN,
  normalizeError,
  RequestError,
  readRequestError,
  toSignedOutError,
} from './request-error.js';
import {readEventStream} from './sse.js';

/** A stream is given up after this much silence. Slow models think for minutes. */
const STREAM_SILENCE_MS = 300_000;
/** A server that numbers its events also sends a comment every 15 s: after this much silence the connection is dead. */
const RUN_SILENCE_MS = 45_000;
const JSON_TIMEOUT_MS = 60_000;
/** For one file: large files take long on slow connections. */
const UPLOAD_TIMEOUT_MS = 900_000;

type MeasuredUploads = Pick<typeof import('./measured-upload.js'), 'canMeasure' | 'sendMeasured'>;

const measuredUploads = new LazyPart<MeasuredUploads>(attempt => fetchPart('measured-upload', attempt));

export interface Endpoint {
  readonly url: string;
  /** Called detached, as the bare global would be; `undefined` means the page's own fetch. */
  readonly fetch: typeof fetch | undefined;
  /** The single value of Accept-Language. */
  readonly locale: string;
  /** Hosted mode: asks the page for a short-lived secret, which is sent to `url` only. */
  readonly getClientSecret?: ReadClientSecret | undefined;
}

/** The position up to which a client has read a run. */
export interface RunCursor {
  /** Number of the last event; `undefined` until the server has shown that it numbers them. */
  last: number | undefined;
  /** Number of the event being yielded; `undefined` for a frame without an id. */
  current?: number | undefined;
  /** The id of the run; `undefined` until the server has sent one. */
  runId?: string | undefined;
  /** Number of the last event before the current stream was opened, if the server sent it: the end of the replay. */
  replayEnd?: number | undefined;
}

/** The upload of one file to the address that the server gave. */
export interface UploadRequest {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: File | FormData;
  /** Called with the share that has been sent, 0 to 1, if the browser reports it. */
  readonly onProgress?: (share: number) => void;
}

interface AuthorizedInit {
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
   * Sets the server of all further requests; running requests are not affected.
   *
   * @param expectsResume Whether the page says that the server supports resuming runs.
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

  /** In hosted mode, requests the first secret, once; rejects when the page has none. Pages wait for that call. */
  async prepare(): Promise<void> {
    await this.#secret?.prepare();
  }

  /** In hosted mode, requests a new secret from the page, even if the current one is still valid. */
  async renew(): Promise<void> {
    await this.#secret?.renew();
  }

  /**
   * Whether the server supports `runs.attach` and `runs.stop`: true once it has numbered an event, false once it has
   * refused to attach; `undefined` until then.
   */
  get resumes(): boolean | undefined {
    return this.#resumes;
  }

  /** Origins of images in answers that the server allows, from its latest response. */
  get imageDomains(): readonly string[] {
    return this.#imageDomains;
  }

  /**
   * Sends a streaming request and yields its events until the response ends.
   *
   * @param cursor Advanced after each event that the caller has consumed.
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
      const response = await this.#post(this.#markResumable(request), silence.signal);
      if (response.body === null) return;
      if (!isEventStream(response)) throw await this.#toStreamError(response);
      cursor.runId = response.headers?.get('parlor-run') ?? cursor.runId;
      cursor.replayEnd = toNumber(response.headers?.get('parlor-run-last'));
      const onBytes = (): void => silence.postpone(cursor.last === undefined ? STREAM_SILENCE_MS : RUN_SILENCE_MS);
      for await (const {data, id} of readEventStream(response.body, onBytes)) {
        if (data === '' || data === '[DONE]') continue;
        const number = toNumber(id);
        const json = this.#parseJSON(data);
        // A truncated frame counts as not received: its number must not be skipped.
        if (json === undefined) continue;
        const event = this.#parseEvent(json);
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
      throw normalizeError(error, signal);
    } finally {
      silence.release();
    }
  }

  /** Sends a JSON request and returns its response unvalidated. Throws as `stream` does. */
  async send(request: JSONRequest, signal?: AbortSignal): Promise<unknown> {
    const deadline = new Deadline(JSON_TIMEOUT_MS, signal);
    try {
      const response = await this.#post(this.#dropMetadata(request), deadline.signal);
      const text = await response.text();
      return text === '' ? {} : JSON.parse(text);
    } catch (error) {
      throw normalizeError(error, signal);
    } finally {
      deadline.release();
    }
  }

  /**
   * Sends a file through the page's fetch; resolves to the JSON of the response, `undefined` if it has none. Sends
   * neither the client's secret nor headers of ours, since the URL may belong to another host. Throws as `stream` does.
   */
  async upload({url, method, headers, body, onProgress}: UploadRequest, signal?: AbortSignal): Promise<unknown> {
    const deadline = new Deadline(UPLOAD_TIMEOUT_MS, signal);
    const init = {method, headers, body, signal: deadline.signal};
    try {
      // Without the lazy part the file is uploaded without progress.
      const measuring = onProgress && !this.#endpoint?.fetch ? await measuredUploads.load() : undefined;
      const response: unknown = await (onProgress && measuring?.canMeasure(url, method)
        ? measuring.sendMeasured(url, init, share => {
            deadline.postpone(UPLOAD_TIMEOUT_MS);
            onProgress(share);
          })
        : this.#callFetch(url, init));
      if (!isResponse(response)) throw new RequestError(strings.noResponse);
      if (!response.ok) throw await readRequestError(response);
      const text = await response.text();
      return isJSON(text) ? JSON.parse(text) : undefined;
    } catch (error) {
      throw normalizeError(error, signal);
    } finally {
      deadline.release();
    }
  }

  /**
   * Fetches a Parlor server's description of a file, with fresh URLs; `undefined` from other servers. Throws as
   * `stream` does.
   */
  async describeFile(id: string, signal?: AbortSignal): Promise<unknown> {
    const filesUrl = findFilesUrl(this.#endpoint, this.#isParlor);
    if (filesUrl === undefined) return undefined;
    const deadline = new Deadline(JSON_TIMEOUT_MS, signal);
    try {
      const url = `${filesUrl}${encodeURIComponent(id)}`;
      const response = await this.#fetchAuthorized(url, {
        signal: deadline.signal,
        headers: {Accept: 'application/json'},
      });
      return await response.json();
    } catch (error) {
      throw normalizeError(error, signal);
    } finally {
      deadline.release();
    }
  }

  /** Tells a Parlor server not to stop the answer when the connection is lost. Other servers get the plain request. */
  #markResumable(request: StreamingRequest): object {
    const plain = this.#dropMetadata(request);
    return this.#isParlor
      ? {...plain, metadata: {...('metadata' in plain ? (plain.metadata as object) : {}), resumable: true}}
      : plain;
  }

  /** Removes `metadata` from a request to a server that is not Parlor: only Parlor documents it. */
  #dropMetadata(request: StreamingRequest | JSONRequest): object {
    if (this.#isParlor || !('metadata' in request)) return request;
    const {metadata: _, ...documented} = request;
    return documented;
  }

  get #isParlor(): boolean {
    return this.#resumes ?? this.#expectsResume;
  }

  async #post(request: object, signal: AbortSignal): Promise<Response> {
    const endpoint = this.#endpoint;
    if (!endpoint) throw new RequestError(strings.noEndpoint);
    const headers = {
      'Content-Type': 'application/json',
      Accept: buildAcceptHeader(),
      'Accept-Language': endpoint.locale,
    };
    const body = JSON.stringify(request, replaceLoneSurrogates);
    return this.#fetchAuthorized(endpoint.url, {method: 'POST', headers, body, signal});
  }

  /** Sends a request to our own server; in hosted mode with the client's secret, which is renewed once on a 401. */
  async #fetchAuthorized(url: string, init: AuthorizedInit): Promise<Response> {
    const secret = this.#secret;
    let token = secret && (await abortable(secret.get(), init.signal));
    for (let attempt = 0; ; attempt += 1) {
      const response: unknown = await this.#callFetch(url, {
        ...init,
        headers: {...init.headers, ...(token === undefined ? {} : {Authorization: `Bearer ${token}`})},
      });
      if (!isResponse(response)) throw new RequestError(strings.noResponse);
      if (response.ok) {
        this.#readImageDomains(response, url);
        return response;
      }
      if (response.status !== 401 || !secret || token === undefined) throw await readRequestError(response);
      if (attempt > 0) throw toSignedOutError(await readRequestError(response));
      token = await abortable(secret.refresh(token), init.signal);
    }
  }

  #readImageDomains(response: Response, url: string): void {
    if (url !== this.#endpoint?.url) return;
    const names = response.headers?.get('parlor-image-domains') ?? '';
    if (names !== this.#imageDomains.join(', ')) this.#imageDomains = names === '' ? [] : names.split(', ');
  }

  async #callFetch(url: string, init: RequestInit): Promise<unknown> {
    const pageFetch = this.#endpoint?.fetch;
    if (!pageFetch) return globalThis.fetch(url, init);
    try {
      return await pageFetch(url, init);
    } catch (error) {
      if (!isWrongReceiver(error)) throw error;
      // The bare global `fetch`, passed through React, was called as a method of the options. Nothing was sent yet.
      this.#report('api.fetch_receiver', {
        hint: 'api.fetch was called with a wrong `this`: pass (url, init) => fetch(url, init).',
      });
      return globalThis.fetch(url, init);
    }
  }

  #parseJSON(data: string): unknown {
    try {
      return JSON.parse(data);
    } catch {
      this.#report('stream.malformed_event', {length: data.length});
      return undefined;
    }
  }

  /** Builds the error for a JSON document that came in place of a stream. */
  async #toStreamError(response: Response): Promise<RequestError> {
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => undefined);
    if (isObject(body) && 'run' in body) return new RequestError('There is no run.', {status: 200, code: NO_RUN});
    return readRequestError(response);
  }

  #parseEvent(json: unknown): StreamEvent | undefined {
    const event = parseEvent(json);
    if (!event) this.#report('stream.unknown_event', {type: String((json as {type?: unknown} | null)?.type)});
    return event;
  }
}

/**
 * Builds the `Accept` header, which also says that streams may be resumed, and names the user's time zone. These are
 * parameters of a standard header because a custom one would cause a CORS preflight, which another server might refuse.
 */
function buildAcceptHeader(): string {
  const {timeZone} = new Intl.DateTimeFormat().resolvedOptions();
  const zone = timeZone ? `;time-zone=${encodeURIComponent(timeZone)}` : '';
  return `text/event-stream;resumable=1${zone}, application/json, */*;q=0.1`;
}

/** Replacer for `JSON.stringify`: a text cut in the middle of an emoji ends in half of it, which servers refuse. */
function replaceLoneSurrogates(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value;
}

/**
 * Derives the address of a Parlor server's file descriptions from the address of its chat. A bare `/chatkit` may be any
 * server's: it counts only if the server is known to be Parlor, or the page is in hosted mode.
 */
function findFilesUrl(endpoint: Endpoint | undefined, isParlor: boolean): string | undefined {
  const [, root, useCase] = /^(.*)\/chatkit(\/[^/?#]+)?\/?(?:[?#].*)?$/s.exec(endpoint?.url ?? '') ?? [];
  if (root === undefined) return undefined;
  return useCase !== undefined || isParlor || endpoint?.getClientSecret ? `${root}/api/attachments/` : undefined;
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
