/** The renderer of Chart: bars as boxes, lines and areas as SVG, a tooltip for pointer and keyboard, a hidden table. */
import {html, nothing, svg} from 'lit';
import {xAxis, yAxis} from './chart-axes.js';
import {buildChart, type ChartData, type Series} from './chart-data.js';
import {areaBelow, isVisible, lineThrough, type Point} from './chart-path.js';
import {type Plot, plotOf} from './chart-plot.js';
import {chartStrings} from './chart-strings.js';
import {numberOf} from './nodes.js';
import type {Rendered, Renderer, Scope} from './scope.js';
import {styled} from './styled.js';
import {blockStyle} from './values.js';

export const renderChart: Renderer<'Chart'> = (node, scope) => {
  const data = buildChart(node);
  const {host, path} = scope;
  const hasOwnHeight = [node.height, node.size, node.aspectRatio].some(size => size !== undefined && size !== null);
  const frame = `chart ${hasOwnHeight ? '' : 'auto-height'}`;
  if (data === null) {
    return html`<figure class="${frame} empty" ${styled(blockStyle(node))}>
      <p class="chart-note">${chartStrings.noData}</p>
    </figure>`;
  }
  const plot = plotOf(data, host.locale);
  const active = toIndex(host.recall(path), data.categories.length);
  const names = data.series.map(series => series.label).join(', ');
  const hasTooltip = node.showTooltip !== false;
  const hasLegend = node.showLegend === true || (node.showLegend !== false && data.series.length > 1);
  const bars = {gap: numberOf(node.barGap) ?? 4, categoryGap: numberOf(node.barCategoryGap)};
  return html`<figure
    class=${frame}
    ${styled(blockStyle(node))}
  >
    <div class="chart-main">
      ${node.showYAxis === true ? yAxis(plot) : nothing}
      <div
        class="plot"
        tabindex="0"
        role="group"
        aria-label="${host.messages.chart(names)}. ${chartStrings.hint}"
        @pointermove=${(event: PointerEvent) => activatePointed(event, plot, scope)}
        @pointerleave=${() => host.remember(path, undefined)}
        @keydown=${(event: KeyboardEvent) => moveActive(event, plot, scope)}
        @blur=${() => host.remember(path, undefined)}
      >
        ${renderGrid(plot)}${renderBars(plot, active, bars)}${renderCurves(plot)}${active === undefined ? nothing : renderCursor(plot, active)}
        ${renderDots(plot, active)}${active !== undefined && hasTooltip ? renderTooltip(plot, active) : nothing}
      </div>
      ${data.isAxisHidden ? nothing : xAxis(plot)}
    </div>
    ${hasLegend ? renderLegend(data.series) : nothing}${truncationNote(data)}
    <span class="visually-hidden" role="status">${active === undefined ? '' : describeValues(plot, active)}</span>
    ${renderTable(plot, host.messages.chart(names))}
  </figure>`;
};

/** Renders a note on rows and series that are not shown. */
function truncationNote({categories, series, rowCount, seriesCount}: ChartData): Rendered {
  const notes = [
    rowCount > categories.length ? chartStrings.someRows(categories.length, rowCount) : '',
    seriesCount > series.length ? chartStrings.someSeries(series.length, seriesCount) : '',
  ].join(' ');
  return notes.trim() === '' ? nothing : html`<p class="chart-note">${notes}</p>`;
}

function toIndex(value: unknown, count: number): number | undefined {
  return typeof value === 'number' && value >= 0 && value < count ? value : undefined;
}

function activatePointed(event: PointerEvent, plot: Plot, {host, path}: Scope): void {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  const count = plot.data.categories.length;
  const share = box.width === 0 ? 0 : (event.clientX - box.left) / box.width;
  const index = plot.hasBars ? Math.floor(share * count) : Math.round(share * (count - 1));
  host.remember(path, Math.max(0, Math.min(count - 1, index)));
}

function moveActive(event: KeyboardEvent, plot: Plot, {host, path}: Scope): void {
  const count = plot.data.categories.length;
  const current = toIndex(host.recall(path), count);
  const targets: Readonly<Record<string, number | undefined>> = {
    ArrowRight: Math.min(count - 1, (current ?? -1) + 1),
    ArrowLeft: Math.max(0, (current ?? count) - 1),
    Home: 0,
    End: count - 1,
    Escape: undefined,
  };
  if (Object.hasOwn(targets, event.key)) {
    event.preventDefault();
    host.remember(path, targets[event.key]);
  }
}

function renderGrid({data, y}: Plot): Rendered {
  return html`${data.ticks.map(
    tick => html`<div class="grid-line ${tick === 0 ? 'zero' : ''}" ${styled({top: `${y(tick)}%`})}></div>`,
  )}`;
}

interface BarGaps {
  readonly gap: number;
  readonly categoryGap: number | undefined;
}

/** Renders each category as a row of slots, one per stack; gaps shrink before bars disappear. */
function renderBars({data, hasBars, y}: Plot, active: number | undefined, {gap, categoryGap}: BarGaps): Rendered {
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
          stack => html`<div class="slot">${stack.map(series => renderBar(series, index, stack, y))}</div>`,
        )}
      </div>`,
  )}`;
}

function renderBar(series: Series, index: number, stack: readonly Series[], y: (value: number) => number): Rendered {
  const mark = series.marks[index];
  if (mark === undefined || mark.value === null) {
    return nothing;
  }
  const isNegative = mark.value < 0;
  // Only the outer end of a stack has rounded corners.
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

/** Returns the runs of adjacent values; missing values interrupt the line. */
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

function renderCurves({data, x, y}: Plot): Rendered {
  const curves = data.series.filter(series => series.kind !== 'bar');
  if (curves.length === 0) {
    return nothing;
  }
  const shapes = curves.flatMap(series =>
    runsOf(series).map(run => {
      const points = pointsOf(series, run, {x, y});
      const stroke = svg`<path class="curve" d=${lineThrough(points, series.curve)} ${styled({stroke: series.color})}></path>`;
      if (series.kind === 'line') {
        return stroke;
      }
      const below = areaBelow(points, series.curve);
      return svg`<path class="curve-fill" d=${below} ${styled({fill: series.color})}></path>${stroke}`;
    }),
  );
  return html`<svg class="curves" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">${shapes}</svg>`;
}

function pointsOf({marks}: Series, run: readonly number[], {x, y}: Pick<Plot, 'x' | 'y'>): readonly Point[] {
  return run.map(index => ({x: x(index), y: y(marks[index]?.to ?? 0), floor: y(marks[index]?.from ?? 0)}));
}

/** Renders dots as boxes: the stretched SVG would turn circles into ellipses. */
function renderDots({data, x, y}: Plot, active: number | undefined): Rendered {
  const dots = data.series
    .filter(series => series.kind !== 'bar')
    .flatMap(series => {
      // Curves with too few points are invisible, so their points are shown as dots.
      const isolated = runsOf(series).flatMap(run =>
        isVisible(lineThrough(pointsOf(series, run, {x, y}), series.curve)) ? [] : run,
      );
      const shown = active === undefined || isolated.includes(active) ? isolated : [...isolated, active];
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

function renderCursor({hasBars, x}: Plot, active: number): Rendered {
  return hasBars ? nothing : html`<div class="cursor" ${styled({left: `${x(active)}%`})}></div>`;
}

function renderTooltip({data, x, format}: Plot, active: number): Rendered {
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

function describeValues({data, format}: Plot, active: number): string {
  const values = data.series.map(series => {
    const value = series.marks[active]?.value ?? null;
    return `${series.label} ${value === null ? '–' : format(value)}`;
  });
  return `${data.categories[active]}: ${values.join(', ')}`;
}

function renderLegend(series: readonly Series[]): Rendered {
  return html`<div class="legend" aria-hidden="true">
    ${series.map(
      ({label, color}) =>
        html`<span class="legend-item"><span class="swatch" ${styled({background: color})}></span>${label}</span>`,
    )}
  </div>`;
}

function renderTable({data, format}: Plot, caption: string): Rendered {
  // The wrapper is hidden, not the table: Firefox shows the caption of a clipped table.
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
