/** The data of a chart: rows, series, stacks and a round scale from its props. Pure, and tolerant of every hole. */
import {CURVES, type Curve} from './chart-path.js';
import type {AreaSeries, BarSeries, LineSeries} from './component-types.js';
import {isRecord, nameOf, numberOf, oneOf, textOf, type WidgetNode} from './nodes.js';
import {colorOf} from './values.js';

/** More cannot be told apart at the width of a thread. */
const MAX_POINTS = 2000;
const MAX_SERIES = 24;
/** The most values that are drawn, all series together: more would cost layout time. */
const MAX_MARKS = 12_000;
const PALETTE = ['blue', 'purple', 'orange', 'green', 'red', 'yellow', 'pink'] as const;
/** Steps of a hue, one for each time that the palette has been gone through. */
const STEPS = [400, 700, 200, 900] as const;
const TICK_COUNT = 4;

type SeriesSpec = BarSeries | AreaSeries | LineSeries;

/** One value in the plot: drawn between `from` and `to`, which differ from 0 and the value in stacks. */
export interface Mark {
  readonly value: number | null;
  readonly from: number;
  readonly to: number;
}

export interface Series {
  readonly kind: SeriesSpec['type'];
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
  /** How many there are, of which some may not be drawn. */
  readonly rowCount: number;
  readonly seriesCount: number;
}

function colorFor(index: number): string {
  const step = STEPS[Math.floor(index / PALETTE.length) % STEPS.length] ?? 400;
  return `var(--chatkit-${PALETTE[index % PALETTE.length] ?? 'blue'}-${step})`;
}

/** The chart to draw, or null when there is nothing. */
export function buildChart(node: WidgetNode<'Chart'>): ChartData | null {
  const allRows = (Array.isArray(node.data) ? node.data : []).filter(isRecord);
  const allSpecs = (Array.isArray(node.series) ? node.series : [])
    .filter(isRecord)
    .filter(({dataKey}) => nameOf(dataKey) !== undefined);
  const specs = allSpecs.slice(0, MAX_SERIES);
  const rows = allRows.slice(0, Math.min(MAX_POINTS, Math.floor(MAX_MARKS / Math.max(1, specs.length))));
  const axis = isRecord(node.xAxis) ? node.xAxis : {dataKey: node.xAxis};
  const xKey = textOf(axis.dataKey);
  const names = isRecord(axis.labels) ? axis.labels : {};
  const stacks = new Map<string, {up: number; down: number}[]>();
  const series = specs.map((spec, index): Series => {
    const key = textOf(spec.dataKey);
    const kind = oneOf<SeriesSpec['type']>(spec.type, {bar: 1, line: 1, area: 1}, 'bar');
    const stack = kind === 'line' ? undefined : (nameOf(spec.stack) ?? undefined);
    const piles = stack === undefined ? undefined : pilesOf(stacks, `${kind}:${stack}`, rows.length);
    return {
      kind,
      label: nameOf(spec.label) ?? key,
      color: colorOf(spec.color, 'chart') ?? colorFor(index),
      curve: oneOf(spec.curveType, CURVES, 'monotoneX'),
      stack,
      marks: rows.map((row, at) => markOf(own(row, key), piles?.[at])),
    };
  });
  if (!series.some(({marks}) => marks.some(({value}) => value !== null))) {
    return null;
  }
  return {
    categories: rows.map(row => {
      const raw = textOf(own(row, xKey));
      return nameOf(own(names, raw)) ?? raw;
    }),
    series,
    isAxisHidden: axis.hide === true,
    rowCount: allRows.length,
    seriesCount: allSpecs.length,
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
  const isWhole = series.every(({marks}) => marks.every(({value}) => value === null || Number.isInteger(value)));
  const rough = roundStep((high - low) / TICK_COUNT);
  // Half a visitor is none.
  const step = isWhole ? Math.max(1, rough) : rough;
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
