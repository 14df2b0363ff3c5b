/** The short-lived secret of hosted mode: asked for at once, kept in memory only, renewed once for all who need it. */

import {strings} from '../strings.js';

export type ReadClientSecret = (current: string | null) => unknown;
/** Reports kinds of events to the page, never contents. */
export type Report = (name: string, data: Record<string, unknown>) => void;

/** The page's callback failed or gave nothing. In words for a person; those for who builds the page are in `cause`. */
export class ClientSecretError extends Error {
  override readonly name = 'ClientSecretError';
}

export class ClientSecret {
  readonly #report: Report;
  #read: ReadClientSecret;
  #value: string | undefined;
  #pending: Promise<string> | undefined;
  #hasAsked = false;

  constructor(read: ReadClientSecret, report: Report) {
    this.#read = read;
    this.#report = report;
  }

  /** Options come again with every render of the page; the secret stays. */
  configure(read: ReadClientSecret): void {
    this.#read = read;
  }

  /** Asks for the first secret, before any request needs it; once, even when that fails. */
  async prepare(): Promise<void> {
    if (!this.#hasAsked) await this.get();
  }

  /** The secret for the next request; asks the page when there is none yet. */
  get(): Promise<string> {
    return this.#value === undefined ? this.#renew(null) : Promise.resolve(this.#value);
  }

  /** A newer secret than `refused`. Requests that were refused together wait for one renewal. */
  refresh(refused: string): Promise<string> {
    if (this.#value !== undefined && this.#value !== refused) return Promise.resolve(this.#value);
    return this.#renew(refused);
  }

  /** Asks the page for another secret, because a person wants to try again. */
  renew(): Promise<string> {
    return this.#renew(this.#value ?? null);
  }

  #renew(current: string | null): Promise<string> {
    this.#pending ??= this.#ask(current).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #ask(current: string | null): Promise<string> {
    this.#hasAsked = true;
    let answer: unknown;
    try {
      // Called detached: through React it may be a wrapper that is bound already.
      const read = this.#read;
      answer = await read(current);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#failure(current, `The option api.getClientSecret failed: ${reason}`, error);
    }
    if (typeof answer !== 'string' || answer === '')
      throw this.#failure(current, 'The option api.getClientSecret returned no secret.');
    this.#value = answer;
    return answer;
  }

  #failure(current: string | null, reason: string, cause?: unknown): ClientSecretError {
    this.#report(current === null ? 'client_secret.missing' : 'client_secret.not_renewed', {reason});
    const message = current === null ? strings.notSignedIn : strings.signedOut;
    return new ClientSecretError(message, {cause: new Error(reason, {cause})});
  }
}
