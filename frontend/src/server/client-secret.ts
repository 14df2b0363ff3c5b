/** The short-lived client secret of hosted mode: requested early, only in memory, renewed once for all requests. */

import {strings} from '../strings.js';

export type ReadClientSecret = (current: string | null) => unknown;
/** Reports an event by its kind to the page, never the contents of requests. */
export type Report = (name: string, data: Record<string, unknown>) => void;

/** The page's callback failed or returned no secret. The message is for the user; `cause` has the details. */
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

  /** Replaces the callback and keeps the secret: frameworks set equal options with every render. */
  configure(read: ReadClientSecret): void {
    this.#read = read;
  }

  /** Requests the first secret before any request needs it; only once, even if that fails. */
  async prepare(): Promise<void> {
    if (!this.#hasAsked) await this.get();
  }

  /** Returns the secret for the next request; requests one from the page if there is none yet. */
  get(): Promise<string> {
    return this.#value === undefined ? this.#renew(null) : Promise.resolve(this.#value);
  }

  /** Returns a newer secret than `refused`. Requests refused at the same time share one renewal. */
  refresh(refused: string): Promise<string> {
    if (this.#value !== undefined && this.#value !== refused) return Promise.resolve(this.#value);
    return this.#renew(refused);
  }

  /** Requests a new secret from the page because the user wants to try again. */
  renew(): Promise<string> {
    return this.#renew(this.#value ?? null);
  }

  #renew(current: string | null): Promise<string> {
    this.#pending ??= this.#requestSecret(current).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #requestSecret(current: string | null): Promise<string> {
    this.#hasAsked = true;
    let answer: unknown;
    try {
      // Called detached: React may have passed a wrapper that is bound already.
      const read = this.#read;
      answer = await read(current);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#buildError(current, `The option api.getClientSecret failed: ${reason}`, error);
    }
    if (typeof answer !== 'string' || answer === '')
      throw this.#buildError(current, 'The option api.getClientSecret returned no secret.');
    this.#value = answer;
    return answer;
  }

  #buildError(current: string | null, reason: string, cause?: unknown): ClientSecretError {
    this.#report(current === null ? 'client_secret.missing' : 'client_secret.not_renewed', {reason});
    const message = current === null ? strings.notSignedIn : strings.signedOut;
    return new ClientSecretError(message, {cause: new Error(reason, {cause})});
  }
}
