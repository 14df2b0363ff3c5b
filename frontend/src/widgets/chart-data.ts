/** The data of a chart: rows, series, stacks and a round scale from its props. Pure, and tolerant of every hole. */
import {isRecord, nameOf, numberOf, oneOf, textOf, type WidgetNode} from './nodes.js';
import {colorOf} from './values.js';

/** More cannot be told apart at the width of a thread, and would cost layout time. */
const MAX_POINTS = 1000;
const MAX_SERIES = 12;
const PALETTE = ['blue', 'purple', 'orange', 'green', 'red', 'yellow', 'pink'] as const;
const TICK_COUNT = 4;

/** Curves by shape. The families of splines differ by a hair at this size and share one. */
export type Curve = 'linear' | 'smooth' | 'bump' | 'step' | 'stepBefore' | 'stepAfter';

/** One value in the plot: drawn between `from` and `to`, which differ from 0 and the value in stacks. */
export interface Mark {
  readonly value: number | null;
  readonly from: number;
  readonly to: number;
}

export interface Series {
  readonly kind: 'bar' | 'line' | 'area';
  readonly label: string;
  readonly color: string;
  readonly curve: Curve;
  readonly stack: string | undefined;
  readonly marks: readonly Mark[];
}

export interface ChartData {
  readonly categories: readonly string[];
  readonly series: readonly Series[];
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  readonly isAxisHidden: boolean;
}

function curveOf(value: unknown): Curve {
  const name = textOf(value);
  if (name === 'step' || name === 'stepBefore' || name === 'stepAfter') {
    return name;
  }
  if (name.startsWith('bump')) {
    return 'bump';
  }
  return name.startsWith('linear') ? 'linear' : 'smooth';
}

/** The chart to draw, or null when there is nothing. */
export function buildChart(node: WidgetNode<'Chart'>): ChartData | null {
  const rows = (Array.isArray(node.data) ? node.data : []).filter(isRecord).slice(0, MAX_POINTS);
  const specs = (Array.isArray(node.series) ? node.series : []).filter(isRecord).slice(0, MAX_SERIES);
  const axis = isRecord(node.xAxis) ? node.xAxis : {dataKey: node.xAxis};
  const xKey = textOf(axis.dataKey);
  const names = isRecord(axis.labels) ? axis.labels : {};
  const stacks = new Map<string, {up: number; down: number}[]>();
  const series = specs.flatMap((spec, index): Series[] => {
    const key = nameOf(spec.dataKey);
    if (key === undefined) {
      return [];
    }
    const kind = oneOf(spec.type, ['bar', 'line', 'area'], 'bar');
    const stack = kind === 'line' ? undefined : (nameOf(spec.stack) ?? undefined);
    const piles = stack === undefined ? undefined : pilesOf(stacks, `${kind}:${stack}`, rows.length);
    return [
      {
        kind,
        label: nameOf(spec.label) ?? key,
        color: colorOf(spec.color, 'chart') ?? `var(--chatkit-${PALETTE[index % PALETTE.length] ?? 'blue'}-400)`,
        curve: curveOf(spec.curveType),
        stack,
        marks: rows.map((row, at) => markOf(own(row, key), piles?.[at])),
      },
    ];
  });
  if (rows.length === 0 || series.length === 0) {
    return null;
  }
  return {
    categories: rows.map(row => {
      const raw = textOf(own(row, xKey));
      return nameOf(own(names, raw)) ?? raw;
    }),
    series,
    isAxisHidden: axis.hide === true,
    ...scaleOf(series),
  };
}

function own(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function pilesOf(stacks: Map<string, {up: number; down: number}[]>, name: string, count: number) {
  const piles = stacks.get(name) ?? Array.from({length: count}, () => ({up: 0, down: 0}));
  stacks.set(name, piles);
  return piles;
}

/** Positive and negative values of a stack grow away from zero on their own sides. */
function markOf(raw: unknown, pile: {up: number; down: number} | undefined): Mark {
  const value = numberOf(raw) ?? null;
  if (pile === undefined) {
    return {value, from: 0, to: value ?? 0};
  }
  const side = (value ?? 0) < 0 ? 'down' : 'up';
  const from = pile[side];
  pile[side] += value ?? 0;
  return {value, from, to: pile[side]};
}

/** Round limits and ticks around all marks. Bars and areas start at zero, or their size would lie. */
function scaleOf(series: readonly Series[]): Pick<ChartData, 'min' | 'max' | 'ticks'> {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const {kind, marks} of series) {
    for (const {value, from, to} of marks) {
      if (value !== null) {
        low = Math.min(low, to, kind === 'line' ? to : from);
        high = Math.max(high, to, kind === 'line' ? to : from);
      }
    }
  }
  if (low > high) {
    return {min: 0, max: 1, ticks: [0, 1]};
  }
  if (low === high) {
    const room = Math.abs(low) / 10 || 1;
    low -= low === 0 ? 0 : room;
    high += room;
  }
  const step = roundStep((high - low) / TICK_COUNT);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  // Multiplying keeps 0.1 steps exact enough for labels; adding them up would not.
  const ticks = Array.from({length: last - first + 1}, (_, index) => (first + index) * step);
  return {min: first * step, max: last * step, ticks};
}

function roundStep(rough: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const share = rough / magnitude;
  return magnitude * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}
