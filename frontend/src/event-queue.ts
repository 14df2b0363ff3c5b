/** A queue for public events, which are held back until listeners added in the first frame can receive them. */

/** Longest wait for a frame: a hidden tab has none. */
const FRAME_LIMIT_MS = 250;

/** Queues events until `openAfterFrame`: React adds listeners after the options, and would miss earlier events. */
export class EventQueue {
  readonly #target: EventTarget;
  #waiting: CustomEvent[] | undefined = [];
  #isOpening = false;

  constructor(target: EventTarget) {
    this.#target = target;
  }

  emit(name: string, detail: unknown): void {
    const event = new CustomEvent(name, {detail});
    if (this.#waiting) this.#waiting.push(event);
    else this.#target.dispatchEvent(event);
  }

  /** Dispatches the queued events in order after the next frame; later events are dispatched at once. */
  openAfterFrame(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    const open = (): void => {
      clearTimeout(limit);
      cancelAnimationFrame(frame);
      setTimeout(() => this.#open(), 0);
    };
    const limit = setTimeout(open, FRAME_LIMIT_MS);
    const frame = requestAnimationFrame(open);
  }

  #open(): void {
    // Listeners may emit further events, which are queued behind the others.
    for (let event = this.#waiting?.shift(); event; event = this.#waiting?.shift()) this.#target.dispatchEvent(event);
    this.#waiting = undefined;
  }
}
