/** Time limits of requests, as `AbortSignal`s. */

/** A signal that aborts after `limitMs`, or when `outer` aborts. `release` removes its timer and its listener. */
export class Deadline {
  readonly #controller = new AbortController();
  #limitMs: number;
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout>;

  constructor(limitMs: number, outer: AbortSignal | undefined) {
    this.#limitMs = limitMs;
    this.#outer = outer;
    this.#timer = this.#start();
    if (outer?.aborted) this.#onOuterAbort();
    else outer?.addEventListener('abort', this.#onOuterAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  postpone(limitMs: number): void {
    this.#limitMs = limitMs;
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(new DOMException('The time is up.', 'TimeoutError')), this.#limitMs);
  }

  #onOuterAbort = (): void => this.#controller.abort(this.#outer?.reason);
}

/** Settles as `promise` does, or rejects as soon as `signal` aborts: a callback of the page may never settle. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    // Nobody waits for the promise any more: its rejection must not be reported as unhandled.
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  let onAbort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}
