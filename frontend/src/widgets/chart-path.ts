/** SVG paths through points: the curves of line and area charts, as d3-shape draws them. */
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

/** A value in the plot, in per cent of its sides; an area reaches from `floor` to `y`. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly floor: number;
}

// Time runs along x: the names without an axis mean that one.
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

/** Whether a path leads anywhere: through one point, and through too few for some curves, nothing is seen of it. */
export function isVisible(path: string): boolean {
  return /[CHLQV]/.test(path);
}
