/** SVG paths through points: the curves of line and area charts. */
import type {Curve} from './chart-data.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

function at(points: readonly Point[], index: number): Point {
  return points[index] ?? {x: 0, y: 0};
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function cubic(x1: number, y1: number, x2: number, y2: number, end: Point): string {
  return `C${round(x1)},${round(y1)} ${round(x2)},${round(y2)} ${round(end.x)},${round(end.y)}`;
}

/** The commands from the first point (already reached) to the last. */
export function curveThrough(points: readonly Point[], curve: Curve): string {
  const slopes = curve === 'smooth' ? monotoneSlopes(points) : [];
  let path = '';
  for (let index = 1; index < points.length; index += 1) {
    const start = at(points, index - 1);
    const end = at(points, index);
    const middle = (start.x + end.x) / 2;
    const third = (end.x - start.x) / 3;
    switch (curve) {
      case 'linear':
        path += `L${round(end.x)},${round(end.y)}`;
        break;
      case 'step':
        path += `H${round(middle)}V${round(end.y)}H${round(end.x)}`;
        break;
      case 'stepBefore':
        path += `V${round(end.y)}H${round(end.x)}`;
        break;
      case 'stepAfter':
        path += `H${round(end.x)}V${round(end.y)}`;
        break;
      case 'bump':
        path += cubic(middle, start.y, middle, end.y, end);
        break;
      case 'smooth':
        path += cubic(
          start.x + third,
          start.y + third * (slopes[index - 1] ?? 0),
          end.x - third,
          end.y - third * (slopes[index] ?? 0),
          end,
        );
        break;
      default:
        curve satisfies never;
    }
  }
  return path;
}

/**
 * Slopes for a cubic that never overshoots its points: a maximum in the curve is a maximum in the data.
 * Source: Fritsch and Carlson, Monotone Piecewise Cubic Interpolation, 1980.
 */
function monotoneSlopes(points: readonly Point[]): readonly number[] {
  const secants = points.slice(1).map((end, index) => {
    const start = at(points, index);
    return (end.y - start.y) / (end.x - start.x || 1);
  });
  const slopes = points.map((_, index) => {
    const before = secants[index - 1];
    const after = secants[index];
    if (before === undefined || after === undefined) {
      return before ?? after ?? 0;
    }
    return before * after <= 0 ? 0 : (before + after) / 2;
  });
  for (const [index, secant] of secants.entries()) {
    const first = secant === 0 ? 0 : (slopes[index] ?? 0) / secant;
    const second = secant === 0 ? 0 : (slopes[index + 1] ?? 0) / secant;
    const length = Math.hypot(first, second);
    if (secant === 0) {
      slopes[index] = 0;
      slopes[index + 1] = 0;
    } else if (length > 3) {
      slopes[index] = (3 / length) * first * secant;
      slopes[index + 1] = (3 / length) * second * secant;
    }
  }
  return slopes;
}
