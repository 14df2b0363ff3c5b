/** Tracks the surroundings of a chat: its width, and whether the browser is online. */
import type {ReactiveController, ReactiveControllerHost} from 'lit';

/** Enough for a column of messages and one of threads. */
const WIDE_PX = 1000;
const CONNECTION_EVENTS = ['online', 'offline'];

export class Surroundings implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  #sizeObserver: ResizeObserver | undefined;
  #isWide = false;
  #isOffline = !navigator.onLine;

  constructor(host: ReactiveControllerHost & HTMLElement) {
    this.#host = host;
    host.addController(this);
  }

  /** Whether there is room for the history beside the chat. */
  get isWide(): boolean {
    return this.#isWide;
  }

  get isOffline(): boolean {
    return this.#isOffline;
  }

  hostConnected(): void {
    for (const name of CONNECTION_EVENTS) addEventListener(name, this.#onConnection);
    this.#onConnection();
    if (typeof ResizeObserver === 'undefined') return;
    this.#sizeObserver ??= new ResizeObserver(this.#onSize);
    this.#sizeObserver.observe(this.#host);
  }

  hostDisconnected(): void {
    this.#sizeObserver?.disconnect();
    for (const name of CONNECTION_EVENTS) removeEventListener(name, this.#onConnection);
  }

  #onSize = (): void => {
    const isWide = this.#host.clientWidth >= WIDE_PX;
    if (isWide === this.#isWide) return;
    this.#isWide = isWide;
    this.#host.requestUpdate();
  };

  #onConnection = (): void => {
    const isOffline = !navigator.onLine;
    if (isOffline === this.#isOffline) return;
    this.#isOffline = isOffline;
    this.#host.requestUpdate();
  };
}
