/** Labels of chart axes: all, or every nth if there is no room, so that they are neither cut off nor overlap. */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';

const GAP_PX = 8;

/** The position of a label, in pixels from the left end of the axis. */
export interface PlacedLabel {
  readonly index: number;
  readonly left: number;
}

/**
 * Chooses labels and places them: centered on their points, but not beyond the ends of the axis.
 *
 * @param centres The positions of the points, in pixels.
 * @param widths The widths of the labels, in pixels.
 * @param room The length of the axis, in pixels.
 */
export function chooseLabels(
  centres: readonly number[],
  widths: readonly number[],
  room: number,
): readonly PlacedLabel[] {
  const count = centres.length;
  for (let step = 1; step < count; step += 1) {
    const placed = pickEveryNth(count, step).map(index => {
      const width = widths[index] ?? 0;
      return {index, left: Math.max(0, Math.min(room - width, (centres[index] ?? 0) - width / 2))};
    });
    if (
      placed.every(({index, left}, at) => at === 0 || left >= rightEdge(placed[at - 1], widths) + (index ? GAP_PX : 0))
    ) {
      return placed;
    }
  }
  return count === 0
    ? []
    : [{index: 0, left: Math.max(0, Math.min(room - (widths[0] ?? 0), (centres[0] ?? 0) - (widths[0] ?? 0) / 2))}];
}

function rightEdge(label: PlacedLabel | undefined, widths: readonly number[]): number {
  return label === undefined ? 0 : label.left + (widths[label.index] ?? 0);
}

/** Returns every nth index, always including the first and the last, which show the range of the axis. */
function pickEveryNth(count: number, step: number): readonly number[] {
  const indexes = Array.from({length: Math.ceil(count / step)}, (_, at) => at * step);
  const last = count - 1;
  if (indexes.at(-1) !== last && indexes.length > 1) indexes.pop();
  return indexes.at(-1) === last ? indexes : [...indexes, last];
}

/** Fits labels into an axis after each render, and when the axis is resized. */
abstract class FitDirective extends Directive {
  #observer: ResizeObserver | undefined;

  override update({element}: ElementPart, _values: unknown[]): unknown {
    const fit = () => this.fit(element as HTMLElement);
    // The labels are rendered after this directive.
    queueMicrotask(fit);
    this.#observer ??= observeResize(element, fit);
    return noChange;
  }

  render(..._values: unknown[]): unknown {
    return noChange;
  }

  protected abstract fit(axis: HTMLElement): void;
}

/** Places the labels below a chart. */
class FitLabelsDirective extends FitDirective {
  #places: readonly number[] = [];

  override update(part: ElementPart, values: [readonly number[]]): unknown {
    this.#places = values[0];
    return super.update(part, values);
  }

  override render(_places: readonly number[]): unknown {
    return noChange;
  }

  protected fit(axis: HTMLElement): void {
    const labels = [...axis.querySelectorAll<HTMLElement>('.x-label')];
    const room = axis.clientWidth;
    const measured = labels.map(label => Math.ceil(label.getBoundingClientRect().width));
    // Labels wider than the axis are wrapped, not cut off.
    const widths = measured.map(width => Math.min(width, room));
    const centres = this.#places.map(place => (place / 100) * room);
    const placed = new Map(chooseLabels(centres, widths, room).map(({index, left}) => [index, left]));
    let height = 0;
    for (const [index, label] of labels.entries()) {
      const left = placed.get(index);
      label.style.visibility = left === undefined ? 'hidden' : 'visible';
      label.style.left = `${left ?? 0}px`;
      if (left !== undefined) height = Math.max(height, label.offsetHeight);
    }
    const labelsHeight = height === 0 ? '' : `${height}px`;
    if (axis.style.getPropertyValue('--w-labels') !== labelsHeight) axis.style.setProperty('--w-labels', labelsHeight);
  }
}

/** Shows as many numbers beside a chart as fit, always including the first. */
class FitNumbersDirective extends FitDirective {
  protected fit(axis: HTMLElement): void {
    const labels = [...axis.querySelectorAll<HTMLElement>('.y-label')];
    const height = labels[0]?.offsetHeight ?? 0;
    const step = Math.abs((labels[1]?.offsetTop ?? 0) - (labels[0]?.offsetTop ?? 0));
    const every = height === 0 || step === 0 ? 1 : Math.ceil(height / step);
    for (const [index, label] of labels.entries()) {
      label.style.visibility = index % every === 0 ? 'visible' : 'hidden';
    }
  }
}

function observeResize(element: Element, resized: () => void): ResizeObserver | undefined {
  if (typeof ResizeObserver === 'undefined') return undefined;
  const observer = new ResizeObserver(resized);
  observer.observe(element);
  return observer;
}

export const fitLabels = directive(FitLabelsDirective);
export const fitNumbers = directive(FitNumbersDirective);
