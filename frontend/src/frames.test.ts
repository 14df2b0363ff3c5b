import {describe, expect, it} from 'vitest';
import {FrameSlices} from './frames.js';

/** A clock and frames by hand. */
function manualFrames() {
  let now = 0;
  let next: (() => void) | undefined;
  const slices = new FrameSlices(
    () => now,
    () =>
      new Promise(resolve => {
        next = resolve;
      }),
  );
  const frame = async () => {
    next?.();
    await Promise.resolve();
    await Promise.resolve();
  };
  const pass = (ms: number): void => {
    now += ms;
  };
  return {slices, frame, pass};
}

describe('time for drawing', () => {
  it('is over after a part of a frame, for all that draw, and there again in the next', async () => {
    const {slices, frame, pass} = manualFrames();
    expect(slices.hasTime()).toBe(true);
    pass(20);
    expect(slices.hasTime()).toBe(false);
    await frame();
    expect(slices.hasTime()).toBe(true);
  });

  it('goes to the newest first, and to no more than fit into one frame', async () => {
    const {slices, frame, pass} = manualFrames();
    const drawn: string[] = [];
    for (const name of ['first', 'second', 'third']) {
      slices.schedule(() => {
        drawn.push(name);
        if (name === 'second') pass(20);
      });
    }
    await frame();
    expect(drawn).toEqual(['third', 'second']);
    await frame();
    expect(drawn).toEqual(['third', 'second', 'first']);
  });

  it('is not given to what was called off', async () => {
    const {slices, frame} = manualFrames();
    const drawn: string[] = [];
    const cancel = slices.schedule(() => drawn.push('no'));
    slices.schedule(() => drawn.push('yes'));
    cancel();
    await frame();
    expect(drawn).toEqual(['yes']);
  });
});
