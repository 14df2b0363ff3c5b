/** Carries what a person has done over to a new tree: the code for it is fetched when they first do something. */
import {fetchPart, LazyPart} from '../lazy-parts.js';

/** Deeds of a person in the tree before, while the new one is drawn. */
export interface Carried {
  /** Returns a map by path under the new paths. */
  moved(errors: ReadonlyMap<string, string>): ReadonlyMap<string, string>;
  /** To be called when the new tree is drawn. */
  restore(sent: {has(path: string, value: unknown): boolean}): void;
}

interface CarryingPart {
  /** Whether a value can be one for a pattern. */
  readonly mayMatch: (pattern: string, value: string) => boolean;
  readonly carry: (before: unknown, after: unknown, root: ParentNode, memory: Map<string, unknown>) => Carried;
}

export const carryingPart = new LazyPart<CarryingPart>(attempt => fetchPart<CarryingPart>('carrying', attempt));

/** Fetches the part when somebody comes into a widget: nothing needs to be carried before. */
export function expectTouch(view: EventTarget): void {
  for (const type of ['focusin', 'click']) view.addEventListener(type, () => void carryingPart.load(), {once: true});
}

export function carry(
  before: unknown,
  after: unknown,
  root: ParentNode,
  memory: Map<string, unknown>,
): Carried | undefined {
  return before ? carryingPart.value?.carry(before, after, root, memory) : undefined;
}
