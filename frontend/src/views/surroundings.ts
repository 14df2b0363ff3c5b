/** The surroundings of a chat: the room that it has, and whether there is a network. */
import type {ReactiveController, ReactiveControllerHost} from 'lit';

/** A column of messages and one of threads. */
const WIDE_PX = 1000;
const CONNECTION_EVENTS = ['online', 'offline'];

export class Surroundings implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  #sizes: ResizeObserver | undefined;
  #isWide = false;
  #isOffline = !navigator.onLine;

  constructor(host: ReactiveControllerHost & HTMLElement) {
    this.#host = host;
    host.addController(this);
  }

  /** There is room for the history beside the chat. */
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
    this.#sizes ??= new ResizeObserver(this.#onSize);
    this.#sizes.observe(this.#host);
  }

  hostDisconnected(): void {
    this.#sizes?.disconnect();
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
