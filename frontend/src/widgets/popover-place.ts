/** The place of a popover: beside its anchor, inside the viewport, on the other side when there is more room. */
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

export interface Wish {
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

export function placePopover(anchor: Box, size: Size, viewport: Size, wish: Wish): Place {
  const side = sideFor(anchor, size, viewport, wish.side);
  const room = roomAt(side, anchor, viewport);
  const isBeside = side === 'left' || side === 'right';
  const maxHeight = Math.max(0, isBeside ? viewport.height - 2 * MARGIN_PX : room);
  const height = Math.min(size.height, maxHeight);
  const align = !isBeside && wish.isRightToLeft ? mirrored(wish.align) : wish.align;
  const places = {
    top: () => anchor.top - GAP_PX - height,
    bottom: () => anchor.top + anchor.height + GAP_PX,
    left: () => anchor.left - GAP_PX - size.width,
    right: () => anchor.left + anchor.width + GAP_PX,
  };
  const left = isBeside ? places[side]() : aligned(align, anchor.left, anchor.width, size.width);
  const top = isBeside ? aligned(align, anchor.top, anchor.height, height) : places[side]();
  return {
    left: within(left, size.width, viewport.width),
    top: within(top, height, viewport.height),
    maxHeight,
  };
}

function mirrored(align: Align): Align {
  return align === 'center' ? align : align === 'start' ? 'end' : 'start';
}

/** How far a popover may reach at that side. */
function roomAt(side: Side, anchor: Box, viewport: Size): number {
  const rooms = {
    top: anchor.top,
    bottom: viewport.height - anchor.top - anchor.height,
    left: anchor.left,
    right: viewport.width - anchor.left - anchor.width,
  };
  return rooms[side] - GAP_PX - MARGIN_PX;
}

function sideFor(anchor: Box, size: Size, viewport: Size, wished: Side): Side {
  const needs = (side: Side) => (side === 'left' || side === 'right' ? size.width : size.height);
  const fits = (side: Side) => roomAt(side, anchor, viewport) >= needs(side);
  const order: readonly Side[] = [wished, OPPOSITE[wished], 'bottom', 'top'];
  return order.find(fits) ?? (roomAt('bottom', anchor, viewport) >= roomAt('top', anchor, viewport) ? 'bottom' : 'top');
}

function aligned(align: Align, start: number, length: number, own: number): number {
  return align === 'start' ? start : align === 'end' ? start + length - own : start + (length - own) / 2;
}

function within(place: number, length: number, limit: number): number {
  return Math.max(MARGIN_PX, Math.min(place, limit - MARGIN_PX - length));
}
