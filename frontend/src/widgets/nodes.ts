/** Widget JSON: which components exist, which props each may carry, and how to read them without trusting them. */
import type {Components} from './component-types.js';

/** The `type` of every component this client draws. */
export type WidgetType = keyof Components;

/** A component whose props are known by name only: every value may be missing, null or of a wrong type. */
export type WidgetNode<T extends WidgetType = WidgetType> = {
  readonly [K in keyof Components[T]]?: unknown;
} & {readonly type: T};

/** Any JSON object with a string `type`; the type may be unknown to us. */
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

/** The components in `children`: an array, a single object, null or nothing. Strays are left out. */
export function childNodes(children: unknown): readonly AnyNode[] {
  const list: readonly unknown[] = Array.isArray(children) ? children : [children];
  return list.filter(isNode);
}

/** Text to show. Numbers and booleans count: servers send both where text is documented. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** A field's or an item's name: a non-empty string, or undefined. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A finite number, also when it was sent as text. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** True for `true` and the text "true"; everything else is false. */
export function flagOf(value: unknown): boolean {
  return value === true || value === 'true';
}

/** The texts that a prop may be, by the catalogue. */
export type Choice<T extends WidgetType, P extends keyof Components[T]> = Extract<Components[T][P], string>;

/** All of them, as keys: with one left out, or one too many, it does not compile. */
export type Every<C extends string> = Readonly<Record<C, unknown>>;

/** `value` when it is a key of `choices`, else `fallback`. */
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
 * Keys for siblings, unique and stable over updates: `key`, then `id`, then type with the field's name or with its
 * ordinal among siblings of that type. They decide which element, and so which typed text, survives a new tree.
 */
export function siblingKeys(nodes: readonly AnyNode[]): readonly string[] {
  const seen = new Map<string, number>();
  return nodes.map(node => {
    const own = nameOf(node.key) ?? nameOf(node.id);
    const base = own === undefined ? `${node.type}:${nameOf(node.name) ?? ''}` : `=${own}`;
    const count = seen.get(base) ?? 0;
    seen.set(base, count + 1);
    return count === 0 ? base : `${base}#${count}`;
  });
}
