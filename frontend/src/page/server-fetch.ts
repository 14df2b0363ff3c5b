/**
 * Requests to the server of an exported page, which lies at another origin, with the token of this browser.
 *
 * Browsers that block third-party cookies would make every request somebody else's.
 */
import {isObject} from '../protocol/parsing.js';
import {isServerElsewhere, serverAddress} from './server-address.js';

const TOKEN_KEY = 'parlor.token';
const TOKEN_TIMEOUT_MS = 15_000;

type Fetch = typeof globalThis.fetch;

/** The way to a server that is elsewhere; undefined where the page is the server's own, which knows its cookie. */
export function serverFetch(fetch: Fetch, storage: () => Storage = () => localStorage): Fetch | undefined {
  return isServerElsewhere() ? new TokenFetch(fetch, storage).send : undefined;
}

/** Adds the token to each request to the server; gets one where there is none, and the next one when it has expired. */
class TokenFetch {
  readonly #fetch: Fetch;
  readonly #storage: () => Storage;
  readonly #origin = new URL(serverAddress('/')).origin;
  /** For where the storage is blocked: then this page's browser is somebody until it is closed. */
  #token: string | undefined;
  #asking: Promise<string> | undefined;

  constructor(fetch: Fetch, storage: () => Storage) {
    this.#fetch = fetch;
    this.#storage = storage;
  }

  readonly send: Fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, document.baseURI);
    // A bucket, or any other place, must not get it.
    if (url.origin !== this.#origin) return this.#fetch(input, init);
    const sendWith = (token: string): Promise<Response> => {
      const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
      headers.set('Authorization', `Bearer ${token}`);
      return this.#fetch(input instanceof Request ? input.clone() : input, {...init, headers});
    };
    const token = this.#read() ?? (await this.#next(undefined));
    const response = await sendWith(token);
    return response.status === 401 ? sendWith(await this.#next(token)) : response;
  };

  /** The token that comes after `expired`; requests that go at once share it, and so do tabs. */
  async #next(expired: string | undefined): Promise<string> {
    this.#asking ??= this.#exclusively(async () => {
      const known = this.#read();
      if (known !== undefined && known !== expired) return known;
      const token = (await this.#ask(known)) ?? (await this.#ask(undefined));
      if (token === undefined) throw new TypeError('The server gives this page no token.');
      this.#keep(token);
      return token;
    }).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(known: string | undefined): Promise<string | undefined> {
    const response = await this.#fetch(serverAddress('/api/browser-token'), {
      method: 'POST',
      // Who was known by a cookie stays who they are.
      credentials: 'include',
      ...(known !== undefined && {headers: {Authorization: `Bearer ${known}`}}),
      signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
    });
    if (!response.ok) return undefined;
    const body: unknown = await response.json();
    return isObject(body) && typeof body.token === 'string' ? body.token : undefined;
  }

  /** Two tabs that begin at once would be two people. Browsers have locks for that in secure pages. */
  async #exclusively(ask: () => Promise<string>): Promise<string> {
    const locks = (navigator as {readonly locks?: LockManager | null}).locks;
    return locks ? locks.request(TOKEN_KEY, ask) : ask();
  }

  #read(): string | undefined {
    try {
      return this.#storage().getItem(TOKEN_KEY) ?? this.#token;
    } catch {
      return this.#token;
    }
  }

  #keep(token: string): void {
    this.#token = token;
    try {
      this.#storage().setItem(TOKEN_KEY, token);
    } catch {
      // Private windows and blocked storage.
    }
  }
}
