/** Parses a chart's data from its props: rows, series, stacks and a scale. Pure, and tolerant of missing values. */
import {CURVES, type Curve} from './chart-path.js';
import type {AreaSeries, BarSeries, LineSeries} from './component-types.js';
import {isRecord, nameOf, numberOf, oneOf, textOf, type WidgetNode} from './nodes.js';
import {colorOf} from './values.js';

/** More points cannot be distinguished at the width of a thread. */
const MAX_POINTS = 2000;
const MAX_SERIES = 24;
/** Limit for the values of all series together: more would take too long to lay out. */
const MAX_MARKS = 12_000;
const PALETTE = ['blue', 'purple', 'orange', 'green', 'red', 'yellow', 'pink'] as const;
/** Shades of the palette's hues; each pass through the palette uses the next one. */
const STEPS = [400, 700, 200, 900] as const;
const TICK_COUNT = 4;

type SeriesSpec = BarSeries | AreaSeries | LineSeries;

/** A value in the plot, drawn between `from` and `to`: 0 and the value, unless it is stacked. */
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
  /** Number of rows in the data, of which not all may be drawn. */
  readonly rowCount: number;
  readonly seriesCount: number;
}

function colorFor(index: number): string {
  const step = STEPS[Math.floor(index / PALETTE.length) % STEPS.length] ?? 400;
  return `var(--chatkit-${PALETTE[index % PALETTE.length] ?? 'blue'}-${step})`;
}

/** Parses a chart; null when it has no values. */
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
    const piles = stack === undefined ? undefined : getPiles(stacks, `${kind}:${stack}`, rows.length);
    return {
      kind,
      label: nameOf(spec.label) ?? key,
      color: colorOf(spec.color, 'chart') ?? colorFor(index),
      curve: oneOf(spec.curveType, CURVES, 'monotoneX'),
      stack,
      marks: rows.map((row, at) => buildMark(ownValue(row, key), piles?.[at])),
    };
  });
  if (!series.some(({marks}) => marks.some(({value}) => value !== null))) {
    return null;
  }
  return {
    categories: rows.map(row => {
      const raw = textOf(ownValue(row, xKey));
      return nameOf(ownValue(names, raw)) ?? raw;
    }),
    series,
    isAxisHidden: axis.hide === true,
    rowCount: allRows.length,
    seriesCount: allSpecs.length,
    ...buildScale(series),
  };
}

function ownValue(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function getPiles(stacks: Map<string, {up: number; down: number}[]>, name: string, count: number) {
  const piles = stacks.get(name) ?? Array.from({length: count}, () => ({up: 0, down: 0}));
  stacks.set(name, piles);
  return piles;
}

/** Stacks a value: positive and negative ones grow away from zero separately. */
function buildMark(raw: unknown, pile: {up: number; down: number} | undefined): Mark {
  const value = numberOf(raw) ?? null;
  if (pile === undefined) {
    return {value, from: 0, to: value ?? 0};
  }
  const side = (value ?? 0) < 0 ? 'down' : 'up';
  const from = pile[side];
  pile[side] += value ?? 0;
  return {value, from, to: pile[side]};
}

/** Builds round limits and ticks around all marks. Bars and areas start at zero, or their sizes would mislead. */
function buildScale(series: readonly Series[]): Pick<ChartData, 'min' | 'max' | 'ticks'> {
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
  const approximate = roundStep((high - low) / TICK_COUNT);
  // Counts have no fractions.
  const step = isWhole ? Math.max(1, approximate) : approximate;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  // Multiplied rather than summed up, which would accumulate rounding errors.
  const ticks = Array.from({length: last - first + 1}, (_, index) => (first + index) * step);
  return {min: first * step, max: last * step, ticks};
}

function roundStep(approximate: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(approximate));
  const share = approximate / magnitude;
  return magnitude * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}
