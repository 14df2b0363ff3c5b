/** SVG paths of line and area charts, built by d3-shape. */
import {
  area,
  type CurveFactory,
  curveBasis,
  curveBasisClosed,
  curveBasisOpen,
  curveBumpX,
  curveBumpY,
  curveLinear,
  curveLinearClosed,
  curveMonotoneX,
  curveMonotoneY,
  curveNatural,
  curveStep,
  curveStepAfter,
  curveStepBefore,
  line,
} from 'd3-shape';
import type {AreaSeries, LineSeries} from './component-types.js';

export type Curve = NonNullable<(AreaSeries | LineSeries)['curveType']>;

/** A point in the plot, in percent of its size; an area reaches from `floor` to `y`. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly floor: number;
}

// Names without an axis refer to the x axis, along which time runs.
export const CURVES: Readonly<Record<Curve, CurveFactory>> = {
  basis: curveBasis,
  basisClosed: curveBasisClosed,
  basisOpen: curveBasisOpen,
  bump: curveBumpX,
  bumpX: curveBumpX,
  bumpY: curveBumpY,
  linear: curveLinear,
  linearClosed: curveLinearClosed,
  monotone: curveMonotoneX,
  monotoneX: curveMonotoneX,
  monotoneY: curveMonotoneY,
  natural: curveNatural,
  step: curveStep,
  stepAfter: curveStepAfter,
  stepBefore: curveStepBefore,
};

export function lineThrough(points: readonly Point[], curve: Curve): string {
  const draw = line<Point>(
    ({x}) => x,
    ({y}) => y,
  );
  return draw.curve(CURVES[curve])([...points]) ?? '';
}

export function areaBelow(points: readonly Point[], curve: Curve): string {
  const draw = area<Point>(
    ({x}) => x,
    ({floor}) => floor,
    ({y}) => y,
  );
  return draw.curve(CURVES[curve])([...points]) ?? '';
}

/** Whether a path is visible: a path through one point is not, nor one with too few points for its curve. */
export function isVisible(path: string): boolean {
  return /[CHLQV]/.test(path);
}
