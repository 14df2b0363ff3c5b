/** A queue for public events: holds them back until listeners that arrive with the first frame can hear them. */

/** A hidden tab draws no frame; it is ready after this. */
const FRAME_LIMIT_MS = 250;

/** React attaches its listeners after the effect that sets the options, so whatever is sent earlier is lost. */
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

  /** Sends what waits one task after the next frame, in order, and from then on everything at once. */
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
    // A listener may cause further events; they line up behind those that wait.
    for (let event = this.#waiting?.shift(); event; event = this.#waiting?.shift()) this.#target.dispatchEvent(event);
    this.#waiting = undefined;
  }
}
