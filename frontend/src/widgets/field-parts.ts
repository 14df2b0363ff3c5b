/** Markup that all form fields share: attributes, error text, Enter, focus on first sight. */
import {html, noChange, nothing} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';
import {FIELD_ATTRIBUTE, onMounted, PATH_ATTRIBUTE} from './fields.js';
import {flagOf, nameOf, textOf} from './nodes.js';
import type {Rendered, Scope} from './scope.js';

/** Attributes by name; null takes one away. */
type Attributes = Readonly<Record<string, string | null>>;

export interface FieldParts {
  readonly id: string;
  /** The accessible name when no Label points here. */
  readonly label: string;
  /** The attributes of the element that stands for the field, whichever it is. */
  readonly attributes: Attributes;
  /** The attributes that one which is typed into has besides. */
  readonly textAttributes: Attributes;
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
  const label = nameOf(node.ariaLabel) ?? nameOf(node.placeholder) ?? name.replaceAll(/[._-]+/g, ' ');
  const error = host.errorAt(path);
  const placeholder = textOf(node.placeholder);
  const isDisabled = flagOf(node.disabled);
  // Browsers offer stored passwords and addresses by name; only fields that ask for it get them.
  const mayFill = flagOf(node.allowAutofillExtensions) || node.inputType === 'password';
  return {
    id,
    label,
    attributes: {
      id,
      [FIELD_ATTRIBUTE]: name,
      [PATH_ATTRIBUTE]: path,
      'data-label': label,
      'data-disabled': isDisabled ? '' : null,
      disabled: isDisabled ? '' : null,
      required: flagOf(node.required) ? '' : null,
      'aria-invalid': error === undefined ? null : 'true',
      'aria-describedby': error === undefined ? null : `${id}-error`,
    },
    textAttributes: {
      dir: 'auto',
      placeholder,
      autocomplete: nameOf(node.autoComplete) ?? (mayFill ? 'on' : 'off'),
      'data-pattern': nameOf(node.pattern) ?? null,
    },
    invalid: error === undefined ? nothing : 'true',
    describedBy: error === undefined ? nothing : `${id}-error`,
    error:
      error === undefined ? nothing : html`<span class="field-error" id="${id}-error" role="alert">${error}</span>`,
    onInput: () => host.clearError(path),
    onEnter: event => submitOnEnter(event, scope),
  };
}

/** Sets the attributes that all fields share, and those of this one. */
class FieldDirective extends Directive {
  override update({element}: ElementPart, [{attributes}, own]: [FieldParts, Attributes?]): unknown {
    for (const [name, value] of Object.entries({...attributes, ...own})) {
      if (value === null) element.removeAttribute(name);
      else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
    }
    return noChange;
  }

  render(_parts: FieldParts, _own?: Attributes): unknown {
    return noChange;
  }
}

export const asField = directive(FieldDirective);

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
