/** Markup that all form fields share: attributes, error message, Enter key, initial focus. */
import {html, noChange, nothing} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';
import {FIELD_ATTRIBUTE, onMounted, PATH_ATTRIBUTE} from './fields.js';
import {flagOf, nameOf, textOf} from './nodes.js';
import type {Rendered, Scope} from './scope.js';

/** Attributes by name; null removes one. */
type Attributes = Readonly<Record<string, string | null>>;

export interface FieldParts {
  readonly id: string;
  /** The accessible name if no Label refers to the field. */
  readonly label: string;
  /** Attributes of the element that represents the field. */
  readonly attributes: Attributes;
  /** Additional attributes of text fields. */
  readonly textAttributes: Attributes;
  readonly invalid: 'true' | typeof nothing;
  readonly describedBy: string | typeof nothing;
  readonly error: Rendered;
  readonly onInput: () => void;
  readonly onEnter: (event: KeyboardEvent) => void;
}

/** Builds an id from a path: unique in the shadow root, and without spaces, which would split ARIA references. */
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
  // Browsers suggest stored passwords and addresses by field name; only fields that ask for it allow that.
  const allowsAutofill = flagOf(node.allowAutofillExtensions) || node.inputType === 'password';
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
      autocomplete: nameOf(node.autoComplete) ?? (allowsAutofill ? 'on' : 'off'),
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

/** Sets the attributes that all fields share, and additional ones of this field. */
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

/** Submits the form on Enter, unless an input method is composing. */
function submitOnEnter(event: KeyboardEvent, {form, host}: Scope): void {
  if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229 || form === null) {
    return;
  }
  event.preventDefault();
  const element = event.currentTarget as Element;
  const formElement = element.closest('form');
  const buttons = [...(formElement?.querySelectorAll<HTMLButtonElement>('button[type=submit]') ?? [])];
  const button = buttons.find(candidate => candidate.closest('form') === formElement);
  if (button === undefined) {
    host.submit(form, element);
  } else {
    button.click();
  }
}

/** Applies `autoFocus` and `autoSelect` once, when the field appears, and only if the user is active in this widget. */
export function focusOnMount(node: Readonly<Record<string, unknown>>, {host}: Scope) {
  if (!flagOf(node.autoFocus) && !flagOf(node.autoSelect)) {
    return onMounted(null);
  }
  return onMounted(element => {
    if (flagOf(node.autoFocus) && host.mayFocus()) {
      element.focus({preventScroll: true});
    }
    // In some browsers, selecting also moves the focus.
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
