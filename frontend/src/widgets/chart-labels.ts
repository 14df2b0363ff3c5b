/** Names below a chart: all of them, or every so-manieth where there is no room; none is cut, and none covers another. */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';

const GAP_PX = 8;

/** Place of a label, in pixels from the left end of the axis. */
export interface Placed {
  readonly index: number;
  readonly left: number;
}

/**
 * Chooses labels and places them: around their point, and where that would lead over an end of the axis, at the end.
 *
 * @param centres The places where the labels belong, in pixels.
 * @param widths The widths of the labels, in pixels.
 * @param room The length of the axis.
 */
export function chooseLabels(centres: readonly number[], widths: readonly number[], room: number): readonly Placed[] {
  const count = centres.length;
  for (let step = 1; step < count; step += 1) {
    const placed = everySoManieth(count, step).map(index => {
      const width = widths[index] ?? 0;
      return {index, left: Math.max(0, Math.min(room - width, (centres[index] ?? 0) - width / 2))};
    });
    if (placed.every(({index, left}, at) => at === 0 || left >= endOf(placed[at - 1], widths) + (index ? GAP_PX : 0))) {
      return placed;
    }
  }
  return count === 0
    ? []
    : [{index: 0, left: Math.max(0, Math.min(room - (widths[0] ?? 0), (centres[0] ?? 0) - (widths[0] ?? 0) / 2))}];
}

function endOf(label: Placed | undefined, widths: readonly number[]): number {
  return label === undefined ? 0 : label.left + (widths[label.index] ?? 0);
}

/** The first and the last in any case: between them they say what the axis spans. */
function everySoManieth(count: number, step: number): readonly number[] {
  const indexes = Array.from({length: Math.ceil(count / step)}, (_, at) => at * step);
  const last = count - 1;
  if (indexes.at(-1) !== last && indexes.length > 1) indexes.pop();
  return indexes.at(-1) === last ? indexes : [...indexes, last];
}

/** Fits what an axis says into it anew: when it is drawn, and when the axis gets longer or shorter. */
abstract class FitDirective extends Directive {
  #observer: ResizeObserver | undefined;

  override update({element}: ElementPart, _values: unknown[]): unknown {
    const fit = () => this.fit(element as HTMLElement);
    // The labels are drawn after the tag that this stands in.
    queueMicrotask(fit);
    this.#observer ??= observed(element, fit);
    return noChange;
  }

  render(..._values: unknown[]): unknown {
    return noChange;
  }

  protected abstract fit(axis: HTMLElement): void;
}

/** Places the names below a chart. */
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
    // Two that are too long for one line stand below one another's edge: they are broken, not cut.
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
    const wanted = height === 0 ? '' : `${height}px`;
    if (axis.style.getPropertyValue('--w-labels') !== wanted) axis.style.setProperty('--w-labels', wanted);
  }
}

/** Shows as many numbers of the axis at the side as have room, the first of them always. */
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

function observed(element: Element, resized: () => void): ResizeObserver | undefined {
  if (typeof ResizeObserver === 'undefined') return undefined;
  const observer = new ResizeObserver(resized);
  observer.observe(element);
  return observer;
}

export const fitLabels = directive(FitLabelsDirective);
export const fitNumbers = directive(FitNumbersDirective);
