/** The time budget for rendering in each frame, which keeps the page responsive. */

/** Rendering time per frame; style, layout and paint come on top. */
const SLICE_MS = 8;
/** Longest wait for a frame: a hidden tab has none. */
const LONGEST_FRAME_MS = 100;
const MAX_FRAMES = 600;

/** Resolves with the next frame, or after a short time if there are no frames. */
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

/** Rendering time, shared by all views of the page. */
export interface Slices {
  /** Whether there is rendering time left in this frame. */
  hasTime(): boolean;
  /**
   * Calls `run` when there is time again; the newest call first, because users look at the end of the transcript.
   *
   * @returns A function that cancels the call.
   */
  schedule(run: () => void): () => void;
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
    if (this.#end === undefined) this.#startSlice(now);
    return now < (this.#end ?? 0);
  }

  schedule(run: () => void): () => void {
    // A new function, so that the same one can be scheduled twice.
    const call = (): void => run();
    this.#waiting.add(call);
    if (this.#end === undefined) this.#startSlice(this.#now());
    return () => void this.#waiting.delete(call);
  }

  /** Resolves when all scheduled calls are done, or after `MAX_FRAMES`. */
  async settled(): Promise<void> {
    for (let frame = 0; frame < MAX_FRAMES; frame += 1) {
      await this.#frame();
      if (this.#waiting.size === 0) return;
    }
  }

  #startSlice(now: number): void {
    this.#end = now + SLICE_MS;
    void this.#frame().then(() => this.#runScheduled());
  }

  #runScheduled(): void {
    this.#end = undefined;
    while (this.#waiting.size > 0 && this.hasTime()) {
      const last = [...this.#waiting].at(-1);
      if (!last) return;
      this.#waiting.delete(last);
      last();
    }
  }
}

/** The rendering time of the page. */
export const frameSlices: FrameSlices = new FrameSlices();
