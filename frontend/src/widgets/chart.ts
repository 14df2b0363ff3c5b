/** The renderer of Chart: bars as boxes, lines and areas as SVG, a tooltip for pointer and keyboard, a table to read. */
import {html, nothing, svg} from 'lit';
import {buildChart, type ChartData, type Series} from './chart-data.js';
import {curveThrough, type Point} from './chart-path.js';
import {numberOf} from './nodes.js';
import type {Rendered, Renderer, Scope} from './scope.js';
import {styled} from './styled.js';
import {blockStyle} from './values.js';

const HINT = 'Use the arrow keys to read the values.';

/** Positions in per cent of the plot, so that the chart needs no measuring and follows its box. */
interface Plot {
  readonly data: ChartData;
  readonly hasBars: boolean;
  x(index: number): number;
  y(value: number): number;
  format(value: number): string;
}

function plotOf(data: ChartData, locale: string | undefined): Plot {
  const count = data.categories.length;
  const hasBars = data.series.some(series => series.kind === 'bar');
  const numbers = new Intl.NumberFormat(locale, {maximumFractionDigits: 2});
  return {
    data,
    hasBars,
    // Bars stand in the middle of their share; lines run from edge to edge.
    x: index => (hasBars || count === 1 ? ((index + 0.5) / count) * 100 : (index / (count - 1)) * 100),
    y: value => ((data.max - value) / (data.max - data.min)) * 100,
    format: value => numbers.format(value),
  };
}

export const renderChart: Renderer<'Chart'> = (node, scope) => {
  const data = buildChart(node);
  if (data === null) {
    return nothing;
  }
  const {host, path} = scope;
  const plot = plotOf(data, host.locale);
  const active = indexOf(host.recall(path), data.categories.length);
  const names = data.series.map(series => series.label).join(', ');
  const hasTooltip = node.showTooltip !== false;
  const hasLegend = node.showLegend === true || (node.showLegend !== false && data.series.length > 1);
  const bars = {gap: numberOf(node.barGap) ?? 4, categoryGap: numberOf(node.barCategoryGap)};
  return html`<figure
    class="chart ${node.height === undefined && node.size === undefined && node.aspectRatio === undefined ? 'auto-height' : ''}"
    ${styled(blockStyle(node))}
  >
    <div class="chart-main">
      ${node.showYAxis === true ? yAxis(plot) : nothing}
      <div
        class="plot"
        tabindex="0"
        role="group"
        aria-label="${host.messages.chart(names)}. ${HINT}"
        @pointermove=${(event: PointerEvent) => point(event, plot, scope)}
        @pointerleave=${() => host.remember(path, undefined)}
        @keydown=${(event: KeyboardEvent) => step(event, plot, scope)}
        @blur=${() => host.remember(path, undefined)}
      >
        ${gridOf(plot)}${barsOf(plot, active, bars)}${curvesOf(plot)}${active === undefined ? nothing : cursorOf(plot, active)}
        ${dotsOf(plot, active)}${active !== undefined && hasTooltip ? tooltipOf(plot, active) : nothing}
      </div>
      ${data.isAxisHidden ? nothing : xAxis(plot)}
    </div>
    ${hasLegend ? legendOf(data.series) : nothing}
    <span class="visually-hidden" role="status">${active === undefined ? '' : spoken(plot, active)}</span>
    ${tableOf(plot, host.messages.chart(names))}
  </figure>`;
};

function indexOf(value: unknown, count: number): number | undefined {
  return typeof value === 'number' && value >= 0 && value < count ? value : undefined;
}

function point(event: PointerEvent, plot: Plot, {host, path}: Scope): void {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  const count = plot.data.categories.length;
  const share = box.width === 0 ? 0 : (event.clientX - box.left) / box.width;
  const index = plot.hasBars ? Math.floor(share * count) : Math.round(share * (count - 1));
  host.remember(path, Math.max(0, Math.min(count - 1, index)));
}

function step(event: KeyboardEvent, plot: Plot, {host, path}: Scope): void {
  const count = plot.data.categories.length;
  const now = indexOf(host.recall(path), count);
  const targets: Readonly<Record<string, number | undefined>> = {
    ArrowRight: Math.min(count - 1, (now ?? -1) + 1),
    ArrowLeft: Math.max(0, (now ?? count) - 1),
    Home: 0,
    End: count - 1,
    Escape: undefined,
  };
  if (Object.hasOwn(targets, event.key)) {
    event.preventDefault();
    host.remember(path, targets[event.key]);
  }
}

function gridOf({data, y}: Plot): Rendered {
  return html`${data.ticks.map(
    tick => html`<div class="grid-line ${tick === 0 ? 'zero' : ''}" ${styled({top: `${y(tick)}%`})}></div>`,
  )}`;
}

interface BarGaps {
  readonly gap: number;
  readonly categoryGap: number | undefined;
}

/** Each category is a row of slots, one per stack; the gaps shrink before the bars vanish. */
function barsOf({data, hasBars, y}: Plot, active: number | undefined, {gap, categoryGap}: BarGaps): Rendered {
  if (!hasBars) {
    return nothing;
  }
  const slots = new Map<string, Series[]>();
  for (const series of data.series.filter(candidate => candidate.kind === 'bar')) {
    const slot = series.stack === undefined ? `own:${slots.size}` : `stack:${series.stack}`;
    slots.set(slot, [...(slots.get(slot) ?? []), series]);
  }
  const share = 100 / data.categories.length;
  const padding =
    categoryGap === undefined ? `${share * 0.16}%` : `min(${share * 0.4}%, ${Math.max(0, categoryGap) / 2}px)`;
  return html`${data.categories.map(
    (_, index) =>
      html`<div
        class="band ${active !== undefined && active !== index ? 'is-dimmed' : ''}"
        ${styled({
          left: `${index * share}%`,
          width: `${share}%`,
          'padding-inline': padding,
          'column-gap': `min(10%, ${Math.max(0, gap)}px)`,
        })}
      >
        ${[...slots.values()].map(
          stack => html`<div class="slot">${stack.map(series => barOf(series, index, stack, y))}</div>`,
        )}
      </div>`,
  )}`;
}

function barOf(series: Series, index: number, stack: readonly Series[], y: (value: number) => number): Rendered {
  const mark = series.marks[index];
  if (mark === undefined || mark.value === null) {
    return nothing;
  }
  const isNegative = mark.value < 0;
  // Only the end of a pile is round.
  const isEnd = !stack.some(other => {
    const end = other.marks[index];
    return end !== undefined && end.value !== null && (isNegative ? end.to < mark.to : end.to > mark.to);
  });
  const top = y(Math.max(mark.from, mark.to));
  return html`<div
    class="bar ${isEnd ? (isNegative ? 'end-down' : 'end-up') : ''}"
    ${styled({top: `${top}%`, height: `${y(Math.min(mark.from, mark.to)) - top}%`, background: series.color})}
  ></div>`;
}

/** Runs of neighbouring values; a hole in the data is a hole in the line. */
function runsOf(series: Series): readonly (readonly number[])[] {
  const runs: number[][] = [[]];
  for (const [index, mark] of series.marks.entries()) {
    if (mark.value === null) {
      runs.push([]);
    } else {
      runs.at(-1)?.push(index);
    }
  }
  return runs.filter(run => run.length > 0);
}

function curvesOf({data, x, y}: Plot): Rendered {
  const curves = data.series.filter(series => series.kind !== 'bar');
  if (curves.length === 0) {
    return nothing;
  }
  const shapes = curves.flatMap(series =>
    runsOf(series).map(run => {
      const tops = run.map((index): Point => ({x: x(index), y: y(series.marks[index]?.to ?? 0)}));
      const first = tops[0] ?? {x: 0, y: 0};
      const line = `M${first.x},${first.y}${curveThrough(tops, series.curve)}`;
      const stroke = svg`<path class="curve" d=${line} ${styled({stroke: series.color})}></path>`;
      if (series.kind === 'line') {
        return stroke;
      }
      const floors = run.map((index): Point => ({x: x(index), y: y(series.marks[index]?.from ?? 0)})).reverse();
      const back = floors[0] ?? first;
      const area = `${line}L${back.x},${back.y}${curveThrough(floors, mirrored(series.curve))}Z`;
      return svg`<path class="curve-fill" d=${area} ${styled({fill: series.color})}></path>${stroke}`;
    }),
  );
  return html`<svg class="curves" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">${shapes}</svg>`;
}

/** The lower edge is drawn from right to left, where "before" and "after" change places. */
function mirrored(curve: Series['curve']): Series['curve'] {
  return curve === 'stepBefore' ? 'stepAfter' : curve === 'stepAfter' ? 'stepBefore' : curve;
}

/** Dots are boxes: the stretched SVG would make ellipses of circles. */
function dotsOf({data, x, y}: Plot, active: number | undefined): Rendered {
  const dots = data.series
    .filter(series => series.kind !== 'bar')
    .flatMap(series => {
      const alone = runsOf(series).flatMap(run => (run.length === 1 ? run : []));
      const shown = active === undefined || alone.includes(active) ? alone : [...alone, active];
      return shown
        .filter(index => series.marks[index]?.value !== null)
        .map(
          index =>
            html`<div
              class="dot"
              ${styled({left: `${x(index)}%`, top: `${y(series.marks[index]?.to ?? 0)}%`, background: series.color})}
            ></div>`,
        );
    });
  return html`${dots}`;
}

function cursorOf({hasBars, x}: Plot, active: number): Rendered {
  return hasBars ? nothing : html`<div class="cursor" ${styled({left: `${x(active)}%`})}></div>`;
}

function tooltipOf({data, x, format}: Plot, active: number): Rendered {
  const place = x(active);
  const side =
    place <= 50
      ? {left: `calc(${place}% + 12px)`, right: 'auto'}
      : {left: 'auto', right: `calc(${100 - place}% + 12px)`};
  return html`<div class="tooltip" aria-hidden="true" ${styled(side)}>
    <div class="tooltip-title">${data.categories[active]}</div>
    ${data.series.map(series => {
      const value = series.marks[active]?.value ?? null;
      return value === null
        ? nothing
        : html`<div class="tooltip-row">
            <span class="swatch" ${styled({background: series.color})}></span><span>${series.label}</span
            ><b>${format(value)}</b>
          </div>`;
    })}
  </div>`;
}

function spoken({data, format}: Plot, active: number): string {
  const values = data.series.map(series => {
    const value = series.marks[active]?.value ?? null;
    return `${series.label} ${value === null ? '–' : format(value)}`;
  });
  return `${data.categories[active]}: ${values.join(', ')}`;
}

function yAxis({data, y, format}: Plot): Rendered {
  const labels = data.ticks.map(format);
  const longest = labels.reduce((a, b) => (b.length > a.length ? b : a), '');
  return html`<div class="chart-y" aria-hidden="true">
    <span class="sizer">${longest}</span>
    ${data.ticks.map((tick, index) => html`<span class="y-label" ${styled({top: `${y(tick)}%`})}>${labels[index]}</span>`)}
  </div>`;
}

const CHARACTER_PX = 7;
const MAX_LABEL_CHARS = 13;
const WIDE_PX = 380;
const NARROW_PX = 220;

/** Chooses as many labels as fit; in a narrow box the style sheet hides more of them. */
function xAxis({data, hasBars, x}: Plot): Rendered {
  const count = data.categories.length;
  const longest = Math.min(MAX_LABEL_CHARS, Math.max(...data.categories.map(label => label.length)));
  const needed = count * (longest * CHARACTER_PX + 10);
  const step = Math.max(1, Math.ceil(needed / WIDE_PX));
  const wide = labelled(count, step);
  const narrow = labelled(count, step * Math.max(1, Math.ceil(needed / NARROW_PX / step)));
  // What is wider than its bar ends where the plot ends, so that it is not cut.
  const isWide = count > 1 && (!hasBars || longest * CHARACTER_PX > NARROW_PX / count);
  return html`<div class="chart-x" aria-hidden="true">
    <span class="sizer">0</span>
    ${data.categories.map((label, index) => {
      if (!wide.has(index)) {
        return nothing;
      }
      const edge = !isWide ? '' : index === 0 ? 'first' : index === count - 1 ? 'last' : '';
      const place = edge === '' ? x(index) : edge === 'first' ? 0 : 100;
      return html`<span
        class="x-label ${edge} ${narrow.has(index) ? '' : 'wide-only'}"
        ${styled({left: `${place}%`})}
      >${label}</span>`;
    })}
  </div>`;
}

/** Every so-manieth category, the first and the last in any case: between them they say what the axis spans. */
function labelled(count: number, step: number): ReadonlySet<number> {
  const indexes = Array.from({length: Math.ceil(count / step)}, (_, at) => at * step);
  const last = count - 1;
  if (indexes.at(-1) !== last && indexes.length > 1) indexes.pop();
  return new Set([...indexes, last]);
}

function legendOf(series: readonly Series[]): Rendered {
  return html`<div class="legend" aria-hidden="true">
    ${series.map(
      ({label, color}) =>
        html`<span class="legend-item"><span class="swatch" ${styled({background: color})}></span>${label}</span>`,
    )}
  </div>`;
}

function tableOf({data, format}: Plot, caption: string): Rendered {
  // Not the table itself: Firefox shows the caption of a table that is clipped.
  return html`<div class="visually-hidden">
    <table>
      <caption>${caption}</caption>
      <thead>
        <tr>
          <td></td>
          ${data.series.map(series => html`<th scope="col">${series.label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${data.categories.map(
          (category, index) =>
            html`<tr>
              <th scope="row">${category}</th>
              ${data.series.map(series => {
                const value = series.marks[index]?.value ?? null;
                return html`<td>${value === null ? '–' : format(value)}</td>`;
              })}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
