/** Keyboard navigation of the transcript: a single tab stop; arrow keys, Home and End move between turns. */

const STEPS: Readonly<Record<string, number>> = {ArrowUp: -1, ArrowDown: 1};
/** Space above a turn, for its focus outline. */
const GAP_PX = 8;

/** Moves the focus between `turns` for a key that was pressed on `scroller` or on one of them. */
export function moveBetweenTurns(event: KeyboardEvent, scroller: HTMLElement, turns: readonly HTMLElement[]): void {
  const {key, target} = event;
  // A focused control inside a turn, a field for example, needs these keys itself.
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  const at = turns.indexOf(target as HTMLElement);
  if (at < 0 && target !== scroller) return;
  const next = turns[findNext(key, at, turns.length) ?? -1];
  // A turn taller than the view is scrolled through first, which the browser does by default.
  if (!next || (at >= 0 && reachesBeyond(turns[at], scroller, STEPS[key]))) return;
  event.preventDefault();
  next.focus({preventScroll: true});
  scroller.scrollBy({top: next.getBoundingClientRect().top - scroller.getBoundingClientRect().top - GAP_PX});
}

function findNext(key: string, at: number, count: number): number | undefined {
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const step = STEPS[key];
  if (step === undefined) return undefined;
  // From the list itself, up goes to the newest turn, where people read.
  if (at < 0) return step < 0 ? count - 1 : undefined;
  return Math.min(count - 1, Math.max(0, at + step));
}

function reachesBeyond(turn: HTMLElement | undefined, scroller: HTMLElement, step: number | undefined): boolean {
  if (!turn || step === undefined) return false;
  const [inner, outer] = [turn.getBoundingClientRect(), scroller.getBoundingClientRect()];
  return step > 0 ? inner.bottom > outer.bottom + 1 : inner.top < outer.top - 1;
}
