/** Markup that all form fields share: id, name, error text, Enter, focus on first sight. */
import {html, nothing} from 'lit';
import {onMounted} from './fields.js';
import {flagOf, nameOf, textOf} from './nodes.js';
import type {Rendered, Scope} from './scope.js';

export interface FieldParts {
  readonly id: string;
  readonly name: string;
  /** The accessible name when no Label points here. */
  readonly label: string;
  readonly autocomplete: string;
  readonly invalid: 'true' | typeof nothing;
  readonly describedBy: string | typeof nothing;
  readonly error: Rendered;
  readonly onInput: () => void;
  readonly onEnter: (event: KeyboardEvent) => void;
}

/** An id from a path: unique in the view's shadow root, and without spaces, which would split ARIA references. */
export function fieldId(path: string): string {
  return `f${path.replaceAll(/[^\w-]/g, character => `_${character.charCodeAt(0).toString(36)}_`)}`;
}

export function fieldParts(node: Readonly<Record<string, unknown>>, scope: Scope): FieldParts {
  const {host, path} = scope;
  const id = fieldId(path);
  const name = textOf(node.name);
  const error = host.errorAt(path);
  return {
    id,
    name,
    label: nameOf(node.ariaLabel) ?? nameOf(node.placeholder) ?? name.replaceAll(/[._-]+/g, ' '),
    // Browsers offer stored passwords and addresses by name; only fields that ask for it get them.
    autocomplete: flagOf(node.allowAutofillExtensions) || node.inputType === 'password' ? 'on' : 'off',
    invalid: error === undefined ? nothing : 'true',
    describedBy: error === undefined ? nothing : `${id}-error`,
    error:
      error === undefined ? nothing : html`<span class="field-error" id="${id}-error" role="alert">${error}</span>`,
    onInput: () => host.clearError(path),
    onEnter: event => submitOnEnter(event, scope),
  };
}

/** Enter sends the form once; while an input method composes, it belongs to the input method. */
function submitOnEnter(event: KeyboardEvent, {form, host}: Scope): void {
  if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229 || form === null) {
    return;
  }
  event.preventDefault();
  const element = event.currentTarget as Element;
  const around = element.closest('form');
  const buttons = [...(around?.querySelectorAll<HTMLButtonElement>('button[type=submit]') ?? [])];
  const button = buttons.find(candidate => candidate.closest('form') === around);
  if (button === undefined) {
    host.submit(form, element);
  } else {
    button.click();
  }
}

/** `autoFocus` and `autoSelect`: once, when the field appears, and only when the person is busy in this widget. */
export function focusOnMount(node: Readonly<Record<string, unknown>>, {host}: Scope) {
  if (!flagOf(node.autoFocus) && !flagOf(node.autoSelect)) {
    return onMounted(null);
  }
  return onMounted(element => {
    if (flagOf(node.autoFocus) && host.mayFocus()) {
      element.focus({preventScroll: true});
    }
    // In some browsers a selection takes the focus along.
    if (
      element.matches(':focus') &&
      flagOf(node.autoSelect) &&
      'select' in element &&
      typeof element.select === 'function'
    ) {
      element.select();
    }
  });
}
