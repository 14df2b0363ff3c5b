/** Keeps the keyboard focus when the element under it goes away: a deleted row, an inert card. */

const FOCUSABLE =
  'button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), a[href], [tabindex="0"]';

/** Says that the focus was within, and that there is nothing any more which could have it. */
export const FOCUS_LOST = 'focus-lost';

function focusablesIn(root: ParentNode): readonly HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(element => !element.inert);
}

/**
 * Remembers the focused element in `root` and gives back a function that restores it, or the one now at its place in
 * the tab order; null when the focus is elsewhere. Restoring does nothing once the person has moved on.
 */
export function keepFocus(root: ParentNode): (() => void) | null {
  const shadow = root instanceof ShadowRoot ? root : null;
  const active = shadow?.activeElement;
  if (shadow === null || !(active instanceof HTMLElement)) {
    return null;
  }
  const index = focusablesIn(root).indexOf(active);
  return () => {
    if (shadow.activeElement !== null || !isFocusFree(shadow)) {
      return;
    }
    const candidates = focusablesIn(root);
    const target = candidates.includes(active) ? active : candidates[Math.min(index, candidates.length - 1)];
    if (target) target.focus({preventScroll: true});
    else shadow.host.dispatchEvent(new Event(FOCUS_LOST, {bubbles: true}));
  };
}

/** Whether the focus fell back to the page because its element vanished. */
export function isFocusFree(shadow: ShadowRoot): boolean {
  const active = shadow.host.ownerDocument.activeElement;
  return active === null || active === shadow.host.ownerDocument.body || active.contains(outermostHost(shadow));
}

function outermostHost(shadow: ShadowRoot): Element {
  const root = shadow.host.getRootNode();
  return root instanceof ShadowRoot ? outermostHost(root) : shadow.host;
}
