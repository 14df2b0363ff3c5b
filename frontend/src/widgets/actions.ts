/** Widget actions: parses their configuration, chooses the loading state, merges form values into the payload. */
import {isRecord} from './nodes.js';

/** An action to run, with form values merged into its payload. */
export interface WidgetAction {
  readonly type: string;
  readonly payload: unknown;
  readonly handler: 'server' | 'client';
  readonly loadingBehavior: 'auto' | 'none' | 'self' | 'container';
  /** False if the server responds at once with a new widget, even while an answer is streaming. */
  readonly streaming: boolean;
}

/** Detail of `widget-action`. */
export interface WidgetActionDetail {
  readonly action: WidgetAction;
  readonly itemId: string;
  /** The JSON that the widget was rendered from. */
  readonly widget: unknown;
  /**
   * Keeps the loading state until `promise` settles or a new widget arrives. It must be called while the event is being
   * dispatched; otherwise the action counts as done at once. A rejection resets a changed control to the server's
   * value.
   */
  done(promise: Promise<unknown>): void;
}

/** The gesture that fired an action. It decides what `loadingBehavior: "auto"` means. */
export type Trigger = 'click' | 'row' | 'change' | 'submit' | 'confirm' | 'cancel';

export type Loading = 'none' | 'self' | 'container';

/** Parses an action and fills in its defaults; null when `value` is not an action. */
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
    // ChatKit's documentation shows the string in places, so servers send it.
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

/** Whether a running answer prevents the action from being sent. */
export function isBlockedBy(action: WidgetAction, isBusy: boolean): boolean {
  return isBusy && action.handler === 'server' && action.streaming;
}

/** The name and value of a field. */
export interface FormEntry {
  readonly name: string;
  readonly value: unknown;
}

export interface MergedPayload {
  readonly payload: unknown;
  /** A message for each value that was left out. */
  readonly problems: readonly string[];
}

/** Names that would access an object's prototype. */
const FORBIDDEN_SEGMENTS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Adds form values to the payload: dots in a name create nested objects, and existing values of the payload are kept.
 * Of several fields with the same name, the first one counts.
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
    const problem = insertValue(merged, name, value);
    if (problem !== null) {
      problems.push(problem);
    }
  }
  return {payload: merged, problems};
}

function insertValue(target: Record<string, unknown>, name: string, value: unknown): string | null {
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

/** Copies the plain objects in `value`, so that the stored widget JSON is never modified. */
function cloneRecord(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) {
    // JSON may contain the key "__proto__"; assigning it would set the prototype.
    if (!FORBIDDEN_SEGMENTS.has(key)) {
      copy[key] = isRecord(entry) ? cloneRecord(entry) : entry;
    }
  }
  return copy;
}
