/** Fits a widget into its width: rows wrap, wide boxes shrink, scrolling tables become tab stops. */
import type {ReactiveController, ReactiveElement} from 'lit';

/** Marks a row that wraps because its components are wider than it. */
const WRAPS = 'data-wraps';
/** Marks a widget in which requested sizes and spaces are limited to the available width. */
const TIGHT = 'data-tight';

const BLOCKS =
  '.box,.field,.control,.check,.list-content,.card,.card-body,.table-scroll,.chart,.image,button,.badge,' +
  '.divider,.spacer,.text,.title,.caption,.label';

const waiting = new Set<() => void>();

/** Runs a function before the next paint, once and together with all others, so that layout is computed once. */
function runBeforePaint(call: () => void): void {
  if (waiting.size === 0) {
    requestAnimationFrame(() => {
      const calls = [...waiting];
      waiting.clear();
      for (const waitingCall of calls) waitingCall();
    });
  }
  waiting.add(call);
}

/** Fits a widget after each render, and when its size or the page's text direction changes. */
export class FitController implements ReactiveController {
  readonly #host: ReactiveElement;
  readonly #scheduleFit = () => runBeforePaint(this.#fit);
  readonly #sizeObserver = typeof ResizeObserver === 'undefined' ? undefined : new ResizeObserver(this.#scheduleFit);
  /** A change of the page's direction does not resize anything, so it needs an observer of its own. */
  readonly #directionObserver = new MutationObserver(this.#scheduleFit);

  constructor(host: ReactiveElement) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#sizeObserver?.observe(this.#host);
    this.#directionObserver.observe(document.documentElement, {attributeFilter: ['dir']});
  }

  hostDisconnected(): void {
    this.#sizeObserver?.disconnect();
    this.#directionObserver.disconnect();
  }

  hostUpdated(): void {
    this.#scheduleFit();
  }

  readonly #fit = () => {
    const root = this.#host.renderRoot.querySelector('.root');
    if (root === null) return;
    const marked = [...root.querySelectorAll(`[${WRAPS}]`), ...(root.hasAttribute(TIGHT) ? [root] : [])];
    // Nothing is written if nothing is marked, so that layout is computed once for any number of widgets.
    const {style} = this.#host;
    // Keeps the height: the thread would lose its scroll position if it became shorter for a moment.
    if (marked.length > 0) style.minHeight = `${this.#host.offsetHeight}px`;
    for (const element of marked) {
      element.removeAttribute(WRAPS);
      element.removeAttribute(TIGHT);
    }
    wrapRows(root);
    if (hasOverflow(root)) {
      root.setAttribute(TIGHT, '');
      wrapRows(root);
    }
    for (const table of root.querySelectorAll('.table-scroll')) makeReachable(table);
    if (marked.length > 0) style.removeProperty('min-height');
  };
}

function wrapRows(root: Element): void {
  // From the outside in: wrapped components have more room.
  for (const row of root.querySelectorAll('.row')) {
    if (row.hasAttribute(WRAPS)) continue;
    const {paddingLeft, paddingRight} = getComputedStyle(row);
    const padding = [Number.parseFloat(paddingLeft) || 0, Number.parseFloat(paddingRight) || 0] as const;
    if (rowItems(row).some(part => isOverflowing(part, row, padding))) row.setAttribute(WRAPS, '');
  }
}

function rowItems(row: Element): readonly Element[] {
  return [...row.children].flatMap(child => (child.matches('.transition') ? [...child.children] : [child]));
}

function hasOverflow(root: Element): boolean {
  return [...root.querySelectorAll(BLOCKS)].some(block => {
    if (block.parentElement?.closest('.table-scroll')) return false;
    return isOverflowing(block, block.parentElement?.closest('.card') ?? root);
  });
}

function isOverflowing(inner: Element, outer: Element, [left, right]: readonly [number, number] = [0, 0]): boolean {
  const one = inner.getBoundingClientRect();
  const other = outer.getBoundingClientRect();
  return one.width > 0 && (one.left < other.left + left - 1 || one.right > other.right - right + 1);
}

/** Makes a table a tab stop only while it scrolls, or has the focus. */
function makeReachable(table: Element): void {
  const isReachable = table.scrollWidth > table.clientWidth || table.matches(':focus');
  if (isReachable) table.setAttribute('tabindex', '0');
  else table.removeAttribute('tabindex');
}
