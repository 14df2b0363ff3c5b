/** Form fields in the DOM: defaults that do not overwrite input, values, validation, reset. */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';
import type {FormEntry} from './actions.js';
import {updateFace} from './faces.js';
import {reconcilePart} from './lazy-reconcile.js';
import type {Messages} from './messages.js';

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
type State = 'value' | 'checked' | 'selected';

/** Marks the element that represents a field: the control, or the group of a radio field. */
export const FIELD_ATTRIBUTE = 'data-field';
export const PATH_ATTRIBUTE = 'data-path';

const defaults = new WeakMap<Element, {readonly state: State; readonly value: unknown}>();

function assign(element: Element, state: State, value: unknown): void {
  (element as unknown as Record<State, unknown>)[state] = value;
}

/**
 * Sets `value`, `checked` or `selected` only when the element is new or the server's default has changed, so that the
 * user's input survives every other update.
 */
class InitialDirective extends Directive {
  override update({element}: ElementPart, [state, value]: [State, unknown]): unknown {
    if (defaults.get(element)?.value !== value || !defaults.has(element)) {
      assign(element, state, value);
      defaults.set(element, {state, value});
    }
    return noChange;
  }

  render(_state: State, _value: unknown): unknown {
    return noChange;
  }
}

export const initial = directive(InitialDirective);

/** Calls back once, after the element was added to the document. */
class MountedDirective extends Directive {
  #isDone = false;

  override update({element}: ElementPart, [mounted]: [((element: HTMLElement) => void) | null]): unknown {
    if (!this.#isDone && mounted !== null) {
      queueMicrotask(() => mounted(element as HTMLElement));
    }
    this.#isDone = true;
    return noChange;
  }

  render(_mounted: ((element: HTMLElement) => void) | null): unknown {
    return noChange;
  }
}

export const onMounted = directive(MountedDirective);

/** Returns the fields inside `root` in document order, without those of nested forms. */
export function fieldsIn(root: Element): readonly HTMLElement[] {
  const fields = [...root.querySelectorAll<HTMLElement>(`[${FIELD_ATTRIBUTE}]`)];
  return fields.filter(field => root.localName !== 'form' || field.closest('form') === root);
}

export function fieldName(field: Element): string {
  return field.getAttribute(FIELD_ATTRIBUTE) ?? '';
}

export function fieldPath(field: Element): string {
  return field.getAttribute(PATH_ATTRIBUTE) ?? '';
}

function isControl(element: Element): element is Control {
  return element.localName === 'input' || element.localName === 'textarea' || element.localName === 'select';
}

/** Returns the native controls of a field: one, or the radios of a group. */
export function controlsOf(field: Element): readonly Control[] {
  return isControl(field) ? [field] : [...field.querySelectorAll('input')];
}

/**
 * Returns a field's value: a boolean for a checkbox, else a string; null when nothing is chosen (select, date, radio).
 * Dates are always `YYYY-MM-DD`, without a time zone.
 */
export function fieldValue(field: Element): unknown {
  if (!isControl(field)) {
    return controlsOf(field).find(radio => 'checked' in radio && radio.checked)?.value ?? null;
  }
  if (field.type === 'checkbox') {
    return (field as HTMLInputElement).checked;
  }
  if (field.localName === 'select') {
    const chosen = (field as HTMLSelectElement).selectedOptions[0];
    return chosen === undefined || chosen.hasAttribute('data-blank') ? null : chosen.value;
  }
  return field.type === 'date' && field.value === '' ? null : field.value;
}

/** Returns the values of all enabled fields in a form; fields with nothing chosen are left out. */
export function entriesOf(form: Element): readonly FormEntry[] {
  return fieldsIn(form)
    .filter(field => !controlsOf(field).every(control => control.hasAttribute('data-disabled')))
    .map(field => ({name: fieldName(field), value: fieldValue(field)}))
    .filter(entry => entry.name !== '' && entry.value !== null);
}

/** Returns the validation message of an invalid field, or null. */
export function problemOf(field: Element, messages: Messages): string | null {
  for (const control of controlsOf(field)) {
    if (control.hasAttribute('data-disabled')) {
      continue;
    }
    if (!control.checkValidity()) {
      return control.validationMessage || messages.valueMissing;
    }
    // Not in the attribute `pattern`, which browsers match without a time limit.
    const pattern = control.getAttribute('data-pattern');
    if (pattern !== null && control.value !== '' && reconcilePart.value?.mayMatch(pattern, control.value) === false) {
      return messages.patternMismatch;
    }
  }
  return null;
}

/** Returns the elements that hold the state of a field: options, radios, or the control itself. */
export function partsOf(field: Element): readonly Element[] {
  return field.localName === 'select' ? [...field.querySelectorAll('option')] : controlsOf(field);
}

/** Returns the server's default of such an element, and the property it belongs to; undefined without a default. */
export function defaultStateOf(part: Element): {readonly state: State; readonly value: unknown} | undefined {
  return defaults.get(part);
}

/** Resets a field to the server's default. */
export function resetField(field: Element): void {
  for (const part of partsOf(field)) {
    const defaultState = defaultStateOf(part);
    if (defaultState !== undefined) {
      assign(part, defaultState.state, defaultState.value);
    }
  }
  updateFace(field);
}
