/** Fits a widget into its place: rows go on below, wide boxes give way, tables that scroll can be reached by Tab. */
import type {ReactiveController, ReactiveElement} from 'lit';

/** A row whose components go on below, because they are wider than it together. */
const WRAPS = 'data-wraps';
/** A widget in which sizes and spaces that were asked for count no more than the place there is. */
const TIGHT = 'data-tight';

const BLOCKS =
  '.box,.field,.control,.check,.list-content,.card,.card-body,.table-scroll,.chart,.image,button,.badge,' +
  '.divider,.spacer,.text,.title,.caption,.label';

const waiting = new Set<() => void>();

/** Calls once before the next picture, together with all others that wait: layout is then asked for once. */
function beforePaint(call: () => void): void {
  if (waiting.size === 0) {
    requestAnimationFrame(() => {
      const calls = [...waiting];
      waiting.clear();
      for (const each of calls) each();
    });
  }
  waiting.add(call);
}

/** Fits what a view of a widget draws: after each drawing, and when the view has another size or the page turned around. */
export class FitController implements ReactiveController {
  readonly #host: ReactiveElement;
  readonly #refit = () => beforePaint(this.#fit);
  readonly #sizes = typeof ResizeObserver === 'undefined' ? undefined : new ResizeObserver(this.#refit);
  /** A page that is turned around changes no size. */
  readonly #turns = new MutationObserver(this.#refit);

  constructor(host: ReactiveElement) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#sizes?.observe(this.#host);
    this.#turns.observe(document.documentElement, {attributeFilter: ['dir']});
  }

  hostDisconnected(): void {
    this.#sizes?.disconnect();
    this.#turns.disconnect();
  }

  hostUpdated(): void {
    this.#refit();
  }

  readonly #fit = () => {
    const root = this.#host.renderRoot.querySelector('.root');
    if (root === null) return;
    const marked = [...root.querySelectorAll(`[${WRAPS}]`), ...(root.hasAttribute(TIGHT) ? [root] : [])];
    // Where nothing is marked, nothing is written: layout is then asked for once, however many widgets there are.
    const {style} = this.#host;
    // A thread that got shorter for a moment would lose its place.
    if (marked.length > 0) style.minHeight = `${this.#host.offsetHeight}px`;
    for (const element of marked) {
      element.removeAttribute(WRAPS);
      element.removeAttribute(TIGHT);
    }
    wrapRows(root);
    if (hasWide(root)) {
      root.setAttribute(TIGHT, '');
      wrapRows(root);
    }
    for (const table of root.querySelectorAll('.table-scroll')) makeReachable(table);
    if (marked.length > 0) style.removeProperty('min-height');
  };
}

function wrapRows(root: Element): void {
  // From the outside in: what stands below the others has more room.
  for (const row of root.querySelectorAll('.row')) {
    if (row.hasAttribute(WRAPS)) continue;
    const {paddingLeft, paddingRight} = getComputedStyle(row);
    const padding = [Number.parseFloat(paddingLeft) || 0, Number.parseFloat(paddingRight) || 0] as const;
    if (partsOf(row).some(part => isOutside(part, row, padding))) row.setAttribute(WRAPS, '');
  }
}

function partsOf(row: Element): readonly Element[] {
  return [...row.children].flatMap(child => (child.matches('.transition') ? [...child.children] : [child]));
}

function hasWide(root: Element): boolean {
  return [...root.querySelectorAll(BLOCKS)].some(block => {
    if (block.parentElement?.closest('.table-scroll')) return false;
    return isOutside(block, block.parentElement?.closest('.card') ?? root);
  });
}

function isOutside(inner: Element, outer: Element, [left, right]: readonly [number, number] = [0, 0]): boolean {
  const one = inner.getBoundingClientRect();
  const other = outer.getBoundingClientRect();
  return one.width > 0 && (one.left < other.left + left - 1 || one.right > other.right - right + 1);
}

/** Only what scrolls is a stop of the Tab key. Who is there is not sent away. */
function makeReachable(table: Element): void {
  const isReachable = table.scrollWidth > table.clientWidth || table.matches(':focus');
  if (isReachable) table.setAttribute('tabindex', '0');
  else table.removeAttribute('tabindex');
}
