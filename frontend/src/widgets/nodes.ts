/** Widget JSON: the types of components and their props, and functions to read untrusted values. */
import type {Components} from './component-types.js';

/** The `type` of every component that this client renders. */
export type WidgetType = keyof Components;

/** A component whose prop names are known, but any value may be missing, null or of a wrong type. */
export type WidgetNode<T extends WidgetType = WidgetType> = {
  readonly [K in keyof Components[T]]?: unknown;
} & {readonly type: T};

/** Any JSON object with a string `type`, known or not. */
export interface AnyNode {
  readonly type: string;
  readonly [prop: string]: unknown;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isNode(value: unknown): value is AnyNode {
  return isRecord(value) && typeof value.type === 'string';
}

/** Returns the components in `children`: an array, a single object, null or undefined. Other values are left out. */
export function childNodes(children: unknown): readonly AnyNode[] {
  const list: readonly unknown[] = Array.isArray(children) ? children : [children];
  return list.filter(isNode);
}

/** Reads text to show. Accepts numbers and booleans, which servers send where text is documented. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Reads a name: a non-empty string, or undefined. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Reads a finite number, also when it was sent as text. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Reads a flag: true for `true` and the text "true". */
export function flagOf(value: unknown): boolean {
  return value === true || value === 'true';
}

/** The string values of a prop, by the catalogue. */
export type Choice<T extends WidgetType, P extends keyof Components[T]> = Extract<Components[T][P], string>;

/** All values as keys: a missing or an additional one does not compile. */
export type Every<C extends string> = Readonly<Record<C, unknown>>;

/** Returns `value` if it is a key of `choices`, else `fallback`. */
export function oneOf<C extends string>(value: unknown, choices: {readonly [K in C]: unknown}, fallback: NoInfer<C>): C;
export function oneOf<C extends string>(
  value: unknown,
  choices: {readonly [K in C]: unknown},
  fallback: NoInfer<C> | undefined,
): C | undefined;
export function oneOf<C extends string>(value: unknown, choices: Every<C>, fallback: C | undefined): C | undefined {
  return typeof value === 'string' && Object.hasOwn(choices, value) ? (value as C) : fallback;
}

/**
 * Returns keys for siblings, unique and stable over updates: `key`, then `id`, then the type with the field's name or
 * its ordinal among siblings of that type. They decide which elements, and so which input, survive a new tree.
 */
export function siblingKeys(nodes: readonly AnyNode[]): readonly string[] {
  const seen = new Map<string, number>();
  return nodes.map(node => {
    const mark = nameOf(node.key) ?? nameOf(node.id);
    const base = mark === undefined ? `${node.type}:${nameOf(node.name) ?? ''}` : `=${mark}`;
    const count = seen.get(base) ?? 0;
    seen.set(base, count + 1);
    return count === 0 ? base : `${base}#${count}`;
  });
}
