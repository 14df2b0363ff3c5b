/**
 * A Lit directive for Transition: animates elements that a render has resized or moved.
 *
 * Uses the FLIP technique: positions are measured before and after a render, and the browser animates between them.
 * Nothing is measured per frame; animations leave no styles behind, and a new one starts from the current position.
 */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';

const TIMING = {duration: 150, easing: 'ease-out'};

/** Limits for the elements that are measured; deeper ones move along with their ancestors. */
const MAX_DEPTH = 4;
const MAX_ELEMENTS = 150;

interface Places {
  readonly box: DOMRect;
  readonly inside: ReadonlyMap<Element, DOMRect>;
}

class LayoutAnimation extends Directive {
  #node: unknown;
  #before: Places | undefined;
  #running: readonly Animation[] = [];

  override update({element}: ElementPart, [node, isStreaming]: [unknown, boolean]): unknown {
    const isSame = node === this.#node;
    this.#node = node;
    // While a widget streams, most renders concern other components.
    if (this.#before || (isSame && isStreaming) || !canAnimate(element)) return noChange;
    // Children are rendered after this directive, so the old component is still there.
    this.#before = measurePlaces(element.firstElementChild);
    if (this.#before === undefined) return noChange;
    queueMicrotask(() => {
      const box = element.firstElementChild;
      if (box === null) {
        this.#before = undefined;
        return;
      }
      // Called before the next paint, when everything is rendered and laid out.
      const observer = new ResizeObserver(() => {
        observer.disconnect();
        this.#animate(box);
      });
      observer.observe(box);
    });
    return noChange;
  }

  #animate(box: Element): void {
    const before = this.#before;
    this.#before = undefined;
    for (const animation of this.#running) animation.cancel();
    this.#running = [];
    if (before === undefined || !box.isConnected) return;
    const after = box.getBoundingClientRect();
    const isResized = !isNear(before.box.width, after.width) || !isNear(before.box.height, after.height);
    if (isResized) this.#running = [box.animate([before.box, after].map(sizeKeyframe), TIMING)];
    // Measured at the size that the animation starts with, since resizing moves the elements too.
    const moves = findMoves(before, measurePlaces(box));
    this.#running = [
      ...this.#running,
      ...moves.map(([element, x, y]) => element.animate([{translate: `${x}px ${y}px`}, {translate: '0px'}], TIMING)),
    ];
  }

  render(_node: unknown, _isStreaming: boolean): unknown {
    return noChange;
  }
}

function canAnimate(element: Element): boolean {
  return 'animate' in element && !matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Whether two lengths differ by less than half a pixel, which is not visible. */
function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) < 0.5;
}

function sizeKeyframe({width, height}: DOMRect): Keyframe {
  return {
    width: `${width}px`,
    height: `${height}px`,
    minWidth: '0px',
    minHeight: '0px',
    maxWidth: 'none',
    maxHeight: 'none',
    flex: 'none',
    overflow: 'clip',
  };
}

function measurePlaces(box: Element | null): Places | undefined {
  if (box === null) return;
  const inside = new Map<Element, DOMRect>();
  let level = [...box.children];
  for (let depth = 0; depth < MAX_DEPTH && inside.size < MAX_ELEMENTS; depth += 1) {
    for (const element of level.slice(0, MAX_ELEMENTS - inside.size))
      inside.set(element, element.getBoundingClientRect());
    level = level.flatMap(element => (element instanceof SVGElement ? [] : [...element.children]));
  }
  return {box: box.getBoundingClientRect(), inside};
}

/** Returns how far elements have moved within their box, beyond the movement of their parents. */
function findMoves(before: Places, now: Places | undefined): readonly (readonly [Element, number, number])[] {
  const moves: (readonly [Element, number, number])[] = [];
  const shifts = new Map<Element | null, readonly [number, number]>();
  for (const [element, place] of now?.inside ?? []) {
    const parentShift = shifts.get(element.parentElement) ?? [0, 0];
    const old = before.inside.get(element);
    if (old === undefined || now === undefined || isEmpty(old) || isEmpty(place)) {
      shifts.set(element, parentShift);
      continue;
    }
    const x = old.left - before.box.left - (place.left - now.box.left);
    const y = old.top - before.box.top - (place.top - now.box.top);
    shifts.set(element, [x, y]);
    if (!isNear(x, parentShift[0]) || !isNear(y, parentShift[1])) {
      moves.push([element, x - parentShift[0], y - parentShift[1]]);
    }
  }
  return moves;
}

function isEmpty({width, height}: DOMRect): boolean {
  return width === 0 && height === 0;
}

/** Animates the only child of its element; while the widget streams, only if `node` has changed. */
export const layoutAnimation = directive(LayoutAnimation);
