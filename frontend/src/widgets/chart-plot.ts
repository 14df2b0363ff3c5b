/** Positions in the plot in percent, so that a chart resizes without measuring, and formatted numbers. */
import type {ChartData} from './chart-data.js';

export interface Plot {
  readonly data: ChartData;
  readonly hasBars: boolean;
  x(index: number): number;
  y(value: number): number;
  format(value: number): string;
  /** The label of each tick; no two are equal. */
  readonly tickLabels: readonly string[];
}

/** Numbers of the axis from here on are shortened, as in 2M. */
const COMPACT_FROM = 1_000_000;
const MAX_FRACTION_DIGITS = 20;

export function plotOf(data: ChartData, locale: string | undefined): Plot {
  const count = data.categories.length;
  const hasBars = data.series.some(series => series.kind === 'bar');
  const step = (data.ticks[1] ?? 1) - (data.ticks[0] ?? 0);
  // Enough to distinguish two ticks, and one more for values between them.
  const digits = Math.min(MAX_FRACTION_DIGITS, Math.max(2, Math.ceil(-Math.log10(Math.abs(step) || 1)) + 1));
  const numbers = new Intl.NumberFormat(locale, {maximumFractionDigits: digits});
  return {
    data,
    hasBars,
    // Bars are centered in their share of the width; lines run from edge to edge.
    x: index => (hasBars || count === 1 ? ((index + 0.5) / count) * 100 : (index / (count - 1)) * 100),
    y: value => ((data.max - value) / (data.max - data.min)) * 100,
    format: value => numbers.format(value),
    tickLabels: tickLabelsOf(data.ticks, numbers, locale),
  };
}

function tickLabelsOf(ticks: readonly number[], numbers: Intl.NumberFormat, locale: string | undefined) {
  const fullLabels = ticks.map(tick => numbers.format(tick));
  if (!ticks.some(tick => Math.abs(tick) >= COMPACT_FROM)) return fullLabels;
  const compact = new Intl.NumberFormat(locale, {notation: 'compact', maximumFractionDigits: 2});
  const labels = ticks.map(tick => compact.format(tick));
  return new Set(labels).size === labels.length ? labels : fullLabels;
}
