/**
 * A Lit directive for Transition: what a drawing has made larger, smaller, or put elsewhere, goes there before the eye.
 *
 * Known as FLIP: places are read before and after, and the way between them is the browser's. It is read once per
 * drawing, never per frame; animations leave no style behind, and one that is overtaken goes on from where it was seen.
 */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';

const TIMING = {duration: 150, easing: 'ease-out'};

/** How far below the component, and how many, are told where they were: what is further in moves with what is around. */
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
    // While a widget is written, most drawings are about something else.
    if (this.#before || (isSame && isStreaming) || !canAnimate(element)) return noChange;
    // What is drawn in here comes behind this: now the old component is there.
    this.#before = placesOf(element.firstElementChild);
    if (this.#before === undefined) return noChange;
    queueMicrotask(() => {
      const box = element.firstElementChild;
      if (box === null) {
        this.#before = undefined;
        return;
      }
      // Called once, before the next frame is painted: all is drawn by then, and layout is known.
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
    if (isResized) this.#running = [box.animate([before.box, after].map(sized), TIMING)];
    // Read with the size that the animation begins with: its layout moves them too, on the rest of their way.
    const moves = movesFrom(before, placesOf(box));
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

/** Half a pixel is nothing that an eye follows. */
function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) < 0.5;
}

function sized({width, height}: DOMRect): Keyframe {
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

function placesOf(box: Element | null): Places | undefined {
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

/** The ways of elements that were there before, measured from the corner of their box, without what moves them along. */
function movesFrom(before: Places, now: Places | undefined): readonly (readonly [Element, number, number])[] {
  const moves: (readonly [Element, number, number])[] = [];
  const shifts = new Map<Element | null, readonly [number, number]>();
  for (const [element, place] of now?.inside ?? []) {
    const around = shifts.get(element.parentElement) ?? [0, 0];
    const old = before.inside.get(element);
    if (old === undefined || now === undefined || isUnseen(old) || isUnseen(place)) {
      shifts.set(element, around);
      continue;
    }
    const x = old.left - before.box.left - (place.left - now.box.left);
    const y = old.top - before.box.top - (place.top - now.box.top);
    shifts.set(element, [x, y]);
    if (!isNear(x, around[0]) || !isNear(y, around[1])) moves.push([element, x - around[0], y - around[1]]);
  }
  return moves;
}

function isUnseen({width, height}: DOMRect): boolean {
  return width === 0 && height === 0;
}

/** Animates the only child of its element; while the widget is written, only where `node` is another. */
export const layoutAnimation = directive(LayoutAnimation);
