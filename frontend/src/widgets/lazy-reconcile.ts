/** Carries the user's changes over to a new tree; the code for it is fetched at the first interaction. */
import {fetchPart, LazyPart} from '../lazy-parts.js';

/** The user's changes in the old tree, kept while the new one is rendered. */
export interface Reconciliation {
  /** Returns the errors by their new paths. */
  moveErrors(errors: ReadonlyMap<string, string>): ReadonlyMap<string, string>;
  /** Restores fields; must be called after the new tree was rendered. */
  restore(sent: {has(path: string, value: unknown): boolean}): void;
}

interface ReconcilePart {
  /** Whether a value may match a pattern. */
  readonly mayMatch: (pattern: string, value: string) => boolean;
  readonly reconcile: (
    before: unknown,
    after: unknown,
    root: ParentNode,
    memory: Map<string, unknown>,
  ) => Reconciliation;
}

export const reconcilePart = new LazyPart<ReconcilePart>(attempt => fetchPart<ReconcilePart>('reconcile', attempt));

/** Fetches the part when the user first interacts with the widget; before, there is nothing to carry over. */
export function prefetchOnUse(view: EventTarget): void {
  for (const type of ['focusin', 'click']) view.addEventListener(type, () => void reconcilePart.load(), {once: true});
}

export function reconcile(
  before: unknown,
  after: unknown,
  root: ParentNode,
  memory: Map<string, unknown>,
): Reconciliation | undefined {
  return before ? reconcilePart.value?.reconcile(before, after, root, memory) : undefined;
}
