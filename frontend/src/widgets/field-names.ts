/** Accessible names of form fields: the Label that points at one, the words beside it, or its own name. */
import {faceOf} from './faces.js';

/** Binds labels to fields. Runs after each render: only then are all fields of a form known. */
export function nameFields(root: ParentNode): void {
  const named = new Set<Element>();
  for (const label of root.querySelectorAll<HTMLLabelElement>('label[data-label-for]')) {
    const field = fieldFor(label, root);
    if (field === undefined) {
      label.removeAttribute('for');
      continue;
    }
    named.add(field);
    if (field.role === 'radiogroup' || field.getAttribute('role') === 'radiogroup') {
      label.id = `${field.id}-label`;
      field.setAttribute('aria-labelledby', label.id);
      label.onclick = focusRadio;
    } else {
      label.onclick = null;
      label.htmlFor = (faceOf(field) ?? field).id;
    }
  }
  for (const field of root.querySelectorAll('[data-label]')) {
    const seen = faceOf(field) ?? field;
    if (named.has(field)) {
      seen.removeAttribute('aria-label');
      continue;
    }
    const words = wordsBeside(field);
    if (words === null) {
      field.removeAttribute('aria-labelledby');
      seen.setAttribute('aria-label', field.getAttribute('data-label') ?? '');
    } else {
      words.id ||= `${field.id}-words`;
      field.removeAttribute('aria-label');
      field.setAttribute('aria-labelledby', words.id);
    }
  }
}

/** A group of radios is no control that a browser would focus for its label; none of them is chosen by it. */
function focusRadio({currentTarget}: Event): void {
  const label = currentTarget as Element;
  const group = label.closest('.root')?.querySelector(`[aria-labelledby="${CSS.escape(label.id)}"]`);
  const radio = group?.querySelector('input:checked:enabled') ?? group?.querySelector('input:enabled');
  (radio as HTMLElement | null | undefined)?.focus();
}

function fieldFor(label: HTMLLabelElement, root: ParentNode): Element | undefined {
  const name = label.getAttribute('data-label-for') ?? '';
  const form = label.closest('form');
  const fields = [...(form ?? root).querySelectorAll('[data-field]')];
  return fields.find(field => field.getAttribute('data-field') === name && field.closest('form') === form);
}

/** A bare checkbox in a row is named by the row's text, as the eye does it. */
function wordsBeside(field: Element): Element | null {
  if (field.getAttribute('type') !== 'checkbox') {
    return null;
  }
  return field.closest('.row, .list-item')?.querySelector('p.text, .title') ?? null;
}
