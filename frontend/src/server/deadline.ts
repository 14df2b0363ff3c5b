/** Time limits of requests, which end with an `AbortSignal`. */

/** Aborts when `limitMs` pass or when `outer` aborts; releasing it leaves no timer and no listener. */
export class Deadline {
  readonly #controller = new AbortController();
  #limitMs: number;
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

  postpone(limitMs: number): void {
    this.#limitMs = limitMs;
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

/** A callback of the page may never settle; an abort must not wait for it. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    // Nobody waits for it any more, and how it ends is no news.
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
