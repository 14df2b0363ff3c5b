/** Keeps the keyboard focus when the focused element is removed or becomes inert. */

const FOCUSABLE =
  'button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), a[href], [tabindex="0"]';

/** Dispatched when the focus was inside, and no element is left that could take it. */
export const FOCUS_LOST = 'focus-lost';

function focusablesIn(root: ParentNode): readonly HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(element => !element.inert);
}

/**
 * Remembers the focused element in `root`, and returns a function that focuses it again, or the element now at its
 * place in the tab order; null when the focus is elsewhere. The function does nothing once the user has moved on.
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

/** Whether no element has the focus, for example because the focused one was removed. */
export function isFocusFree(shadow: ShadowRoot): boolean {
  const active = shadow.host.ownerDocument.activeElement;
  return active === null || active === shadow.host.ownerDocument.body || active.contains(outermostHost(shadow));
}

function outermostHost(shadow: ShadowRoot): Element {
  const root = shadow.host.getRootNode();
  return root instanceof ShadowRoot ? outermostHost(root) : shadow.host;
}
