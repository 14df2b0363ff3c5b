/** Actions: reading their configuration, choosing the loading state, merging form values into the payload. */
import {isRecord} from './nodes.js';

/** The action of a click, with form values already in the payload. */
export interface WidgetAction {
  readonly type: string;
  readonly payload: unknown;
  readonly handler: 'server' | 'client';
  readonly loadingBehavior: 'auto' | 'none' | 'self' | 'container';
  /** False: the server answers at once with the new widget, also while an answer is streaming. */
  readonly streaming: boolean;
}

/** Detail of `widget-action`. */
export interface WidgetActionDetail {
  readonly action: WidgetAction;
  readonly itemId: string;
  /** The JSON the widget was drawn from. */
  readonly widget: unknown;
  /**
   * Keeps the loading state until `promise` settles or a new widget arrives. Call it while the event is dispatched;
   * without it the action counts as done at once. A rejection puts a changed control back to what the server last said.
   */
  done(promise: Promise<unknown>): void;
}

/** The gesture that fired an action. It decides what `loadingBehavior: "auto"` means. */
export type Trigger = 'click' | 'row' | 'change' | 'submit' | 'confirm' | 'cancel';

export type Loading = 'none' | 'self' | 'container';

/** An action with its defaults filled in, or null when `value` is not one. */
export function parseAction(value: unknown): WidgetAction | null {
  if (!isRecord(value) || typeof value.type !== 'string' || value.type === '') {
    return null;
  }
  const loading = value.loadingBehavior;
  return {
    type: value.type,
    payload: value.payload,
    handler: value.handler === 'client' ? 'client' : 'server',
    loadingBehavior: loading === 'none' || loading === 'self' || loading === 'container' ? loading : 'auto',
    // The official pages print the string in places, so servers send it.
    streaming: value.streaming !== false && value.streaming !== 'false',
  };
}

const AUTO_LOADING: Readonly<Record<Trigger, Loading>> = {
  click: 'self',
  row: 'self',
  change: 'none',
  submit: 'container',
  confirm: 'container',
  cancel: 'container',
};

export function loadingOf(action: WidgetAction, trigger: Trigger): Loading {
  return action.loadingBehavior === 'auto' ? AUTO_LOADING[trigger] : action.loadingBehavior;
}

/** True when a running answer keeps the action from being sent. */
export function isBlockedBy(action: WidgetAction, isBusy: boolean): boolean {
  return isBusy && action.handler === 'server' && action.streaming;
}

/** A field's value by its name. */
export interface FormEntry {
  readonly name: string;
  readonly value: unknown;
}

export interface MergedPayload {
  readonly payload: unknown;
  /** One sentence for each value that was left out. */
  readonly problems: readonly string[];
}

/** Names that would reach an object's prototype. */
const FORBIDDEN_SEGMENTS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The payload with form values added: dots in a name nest, and what the payload already holds stays as it is.
 * The first of several fields with one name counts.
 */
export function mergeForm(payload: unknown, entries: readonly FormEntry[]): MergedPayload {
  if (entries.length === 0) {
    return {payload, problems: []};
  }
  if (payload !== undefined && payload !== null && !isRecord(payload)) {
    return {payload, problems: ['The action payload is not an object; form values were left out.']};
  }
  const merged = cloneRecord(payload ?? {});
  const problems: string[] = [];
  for (const {name, value} of entries) {
    const problem = insert(merged, name, value);
    if (problem !== null) {
      problems.push(problem);
    }
  }
  return {payload: merged, problems};
}

function insert(target: Record<string, unknown>, name: string, value: unknown): string | null {
  const segments = name.split('.');
  const last = segments.pop() ?? '';
  if ([...segments, last].some(segment => segment === '' || FORBIDDEN_SEGMENTS.has(segment))) {
    return `The field name "${name}" is not allowed; its value was left out.`;
  }
  let place = target;
  for (const segment of segments) {
    const next: unknown = Object.hasOwn(place, segment) ? place[segment] : undefined;
    if (next === undefined) {
      const created: Record<string, unknown> = {};
      place[segment] = created;
      place = created;
    } else if (isRecord(next)) {
      place = next as Record<string, unknown>;
    } else {
      return `The payload already has "${segment}"; the field "${name}" was left out.`;
    }
  }
  if (Object.hasOwn(place, last)) {
    return `The payload already has "${name}"; the field's value was left out.`;
  }
  place[last] = value;
  return null;
}

/** A copy of the plain objects in `value`, so that the stored widget JSON is never written to. */
function cloneRecord(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) {
    // JSON can carry "__proto__" as a key of its own; assigning it would set the prototype.
    if (!FORBIDDEN_SEGMENTS.has(key)) {
      copy[key] = isRecord(entry) ? cloneRecord(entry) : entry;
    }
  }
  return copy;
}
