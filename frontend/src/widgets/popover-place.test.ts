import {describe, expect, test} from 'vitest';
import {placePopover} from './popover-place.js';

const VIEWPORT = {width: 400, height: 600};
const WISH = {side: 'bottom', align: 'start', isRightToLeft: false} as const;
const anchorAt = (left: number, top: number) => ({left, top, width: 100, height: 30});

describe('the place of a popover', () => {
  test('is below its anchor, from edge to edge', () => {
    expect(placePopover(anchorAt(50, 100), {width: 200, height: 300}, VIEWPORT, WISH)).toMatchObject({
      left: 50,
      top: 134,
    });
  });

  test('is above when only there is room', () => {
    expect(placePopover(anchorAt(50, 500), {width: 200, height: 300}, VIEWPORT, WISH).top).toBe(196);
  });

  test('takes the larger side and the room that it has when neither is enough', () => {
    const place = placePopover(anchorAt(50, 200), {width: 200, height: 900}, VIEWPORT, WISH);
    expect(place).toMatchObject({top: 234, maxHeight: 358});
  });

  test('begins where its anchor ends on a page from right to left', () => {
    const wish = {...WISH, isRightToLeft: true};
    expect(placePopover(anchorAt(250, 100), {width: 200, height: 90}, VIEWPORT, wish).left).toBe(150);
  });

  test.each(['top', 'bottom', 'left', 'right'] as const)('stays in the viewport at the side %s', side => {
    for (const align of ['start', 'center', 'end'] as const) {
      for (const left of [-50, 0, 150, 390]) {
        const place = placePopover(anchorAt(left, 280), {width: 250, height: 200}, VIEWPORT, {...WISH, side, align});
        expect(place.left).toBeGreaterThanOrEqual(8);
        expect(place.left + 250).toBeLessThanOrEqual(392);
        expect(place.top).toBeGreaterThanOrEqual(8);
        expect(place.top + Math.min(200, place.maxHeight)).toBeLessThanOrEqual(592);
      }
    }
  });
});
