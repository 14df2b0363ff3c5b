/**
 * Requests of an exported page to its server at another origin, with a token that identifies the browser.
 *
 * A cookie would not work: browsers that block third-party cookies would send every request as a new user.
 */
import {isObject} from '../protocol/parsing.js';
import {isServerElsewhere, serverAddress} from './server-address.js';

const TOKEN_KEY = 'parlor.token';
const TOKEN_TIMEOUT_MS = 15_000;

type Fetch = typeof globalThis.fetch;

/** Builds a `fetch` for a server at another origin; `undefined` for the page's own server, which sets a cookie. */
export function buildServerFetch(fetch: Fetch, storage: () => Storage = () => localStorage): Fetch | undefined {
  return isServerElsewhere() ? new TokenFetch(fetch, storage).send : undefined;
}

/** Adds the token to requests to the server; requests a token if there is none, and a new one when it has expired. */
class TokenFetch {
  readonly #fetch: Fetch;
  readonly #storage: () => Storage;
  readonly #origin = new URL(serverAddress('/')).origin;
  /** The token in memory, for browsers that block the storage. */
  #token: string | undefined;
  #renewal: Promise<string> | undefined;

  constructor(fetch: Fetch, storage: () => Storage) {
    this.#fetch = fetch;
    this.#storage = storage;
  }

  readonly send: Fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, document.baseURI);
    // Other origins, for example a storage bucket, must not receive the token.
    if (url.origin !== this.#origin) return this.#fetch(input, init);
    const sendWith = (token: string): Promise<Response> => {
      const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
      headers.set('Authorization', `Bearer ${token}`);
      return this.#fetch(input instanceof Request ? input.clone() : input, {...init, headers});
    };
    const token = this.#readToken() ?? (await this.#renew(undefined));
    const response = await sendWith(token);
    return response.status === 401 ? sendWith(await this.#renew(token)) : response;
  };

  /** Returns a newer token than `expired`; concurrent requests share it, and so do tabs. */
  async #renew(expired: string | undefined): Promise<string> {
    this.#renewal ??= this.#withLock(async () => {
      const stored = this.#readToken();
      if (stored !== undefined && stored !== expired) return stored;
      const token = (await this.#requestToken(stored)) ?? (await this.#requestToken(undefined));
      if (token === undefined) throw new TypeError('The server gives this page no token.');
      this.#storeToken(token);
      return token;
    }).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /** @param previous The expired token, so that the user stays the same. */
  async #requestToken(previous: string | undefined): Promise<string | undefined> {
    const response = await this.#fetch(serverAddress('/api/browser-token'), {
      method: 'POST',
      // A user with a cookie stays the same user.
      credentials: 'include',
      ...(previous !== undefined && {headers: {Authorization: `Bearer ${previous}`}}),
      signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
    });
    if (!response.ok) return undefined;
    const body: unknown = await response.json();
    return isObject(body) && typeof body.token === 'string' ? body.token : undefined;
  }

  /** Holds a lock across tabs: two tabs that start at once would become two users. Locks need a secure context. */
  async #withLock(renew: () => Promise<string>): Promise<string> {
    const locks = (navigator as {readonly locks?: LockManager | null}).locks;
    return locks ? locks.request(TOKEN_KEY, renew) : renew();
  }

  #readToken(): string | undefined {
    try {
      return this.#storage().getItem(TOKEN_KEY) ?? this.#token;
    } catch {
      return this.#token;
    }
  }

  #storeToken(token: string): void {
    this.#token = token;
    try {
      this.#storage().setItem(TOKEN_KEY, token);
    } catch {
      // The storage is blocked: the token stays in memory.
    }
  }
}
