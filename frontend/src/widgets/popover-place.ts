/** Places a popover next to its anchor and inside the viewport, on another side if it does not fit. */
import type {Choice} from './nodes.js';

export type Side = Choice<'DatePicker', 'side'>;
export type Align = Choice<'DatePicker', 'align'>;

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface PreferredPlacement {
  readonly side: Side;
  readonly align: Align;
  readonly isRightToLeft: boolean;
}

export interface Place {
  readonly left: number;
  readonly top: number;
  readonly maxHeight: number;
}

const GAP_PX = 4;
const MARGIN_PX = 8;
const OPPOSITE = {top: 'bottom', bottom: 'top', left: 'right', right: 'left'} as const;

export function placePopover(anchor: Box, size: Size, viewport: Size, preferred: PreferredPlacement): Place {
  const side = chooseSide(anchor, size, viewport, preferred.side);
  const room = spaceAt(side, anchor, viewport);
  const isBeside = side === 'left' || side === 'right';
  const maxHeight = Math.max(0, isBeside ? viewport.height - 2 * MARGIN_PX : room);
  const height = Math.min(size.height, maxHeight);
  const align = !isBeside && preferred.isRightToLeft ? mirror(preferred.align) : preferred.align;
  const places = {
    top: () => anchor.top - GAP_PX - height,
    bottom: () => anchor.top + anchor.height + GAP_PX,
    left: () => anchor.left - GAP_PX - size.width,
    right: () => anchor.left + anchor.width + GAP_PX,
  };
  const left = isBeside ? places[side]() : alignTo(align, anchor.left, anchor.width, size.width);
  const top = isBeside ? alignTo(align, anchor.top, anchor.height, height) : places[side]();
  return {
    left: clampInside(left, size.width, viewport.width),
    top: clampInside(top, height, viewport.height),
    maxHeight,
  };
}

function mirror(align: Align): Align {
  return align === 'center' ? align : align === 'start' ? 'end' : 'start';
}

/** Returns the space for a popover on that side. */
function spaceAt(side: Side, anchor: Box, viewport: Size): number {
  const rooms = {
    top: anchor.top,
    bottom: viewport.height - anchor.top - anchor.height,
    left: anchor.left,
    right: viewport.width - anchor.left - anchor.width,
  };
  return rooms[side] - GAP_PX - MARGIN_PX;
}

function chooseSide(anchor: Box, size: Size, viewport: Size, preferred: Side): Side {
  const needs = (side: Side) => (side === 'left' || side === 'right' ? size.width : size.height);
  const fits = (side: Side) => spaceAt(side, anchor, viewport) >= needs(side);
  const order: readonly Side[] = [preferred, OPPOSITE[preferred], 'bottom', 'top'];
  return (
    order.find(fits) ?? (spaceAt('bottom', anchor, viewport) >= spaceAt('top', anchor, viewport) ? 'bottom' : 'top')
  );
}

function alignTo(align: Align, start: number, length: number, own: number): number {
  return align === 'start' ? start : align === 'end' ? start + length - own : start + (length - own) / 2;
}

function clampInside(place: number, length: number, limit: number): number {
  return Math.max(MARGIN_PX, Math.min(place, limit - MARGIN_PX - length));
}
