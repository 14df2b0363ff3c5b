/** The time budget of drawing: how much one frame may spend on it, so that input is never kept waiting. */

/** Milliseconds of a frame for drawing; styles, layout and paint of what was drawn come on top. */
const SLICE_MS = 8;
/** A hidden tab has no frames. */
const LONGEST_FRAME_MS = 100;
const MAX_FRAMES = 600;

/** One frame, or a little longer where there are no frames. */
export function nextFrame(): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(finish, LONGEST_FRAME_MS);
    const frame = requestAnimationFrame(finish);
    function finish(): void {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      resolve();
    }
  });
}

/** Time for drawing, which all that draw share. */
export interface Slices {
  /** Whether there is time left before the next frame. */
  hasTime(): boolean;
  /** Calls when there is time again, the newest first: what stands last is what people look at. Gives what calls it off. */
  later(run: () => void): () => void;
}

export class FrameSlices implements Slices {
  readonly #now: () => number;
  readonly #frame: () => Promise<void>;
  readonly #waiting = new Set<() => void>();
  #end: number | undefined;

  constructor(now: () => number = () => performance.now(), frame: () => Promise<void> = nextFrame) {
    this.#now = now;
    this.#frame = frame;
  }

  hasTime(): boolean {
    const now = this.#now();
    if (this.#end === undefined) this.#begin(now);
    return now < (this.#end ?? 0);
  }

  later(run: () => void): () => void {
    // A function of its own, so that one that is handed in twice counts twice.
    const call = (): void => run();
    this.#waiting.add(call);
    if (this.#end === undefined) this.#begin(this.#now());
    return () => void this.#waiting.delete(call);
  }

  /** Comes when everything that waits has been drawn, or after `MAX_FRAMES`. */
  async settled(): Promise<void> {
    for (let frame = 0; frame < MAX_FRAMES; frame += 1) {
      await this.#frame();
      if (this.#waiting.size === 0) return;
    }
  }

  #begin(now: number): void {
    this.#end = now + SLICE_MS;
    void this.#frame().then(() => this.#run());
  }

  #run(): void {
    this.#end = undefined;
    while (this.#waiting.size > 0 && this.hasTime()) {
      const last = [...this.#waiting].at(-1);
      if (!last) return;
      this.#waiting.delete(last);
      last();
    }
  }
}

/** The slices of the page's frames. */
export const frameSlices: FrameSlices = new FrameSlices();
