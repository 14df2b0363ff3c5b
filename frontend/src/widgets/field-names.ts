/** Accessible names of form fields: their Label, the text next to them, or their own name. */
import {faceOf} from './faces.js';

/** Binds labels to fields. Called after each render, when all fields of a form exist. */
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
    const visible = faceOf(field) ?? field;
    if (named.has(field)) {
      visible.removeAttribute('aria-label');
      continue;
    }
    const text = findAdjacentText(field);
    if (text === null) {
      field.removeAttribute('aria-labelledby');
      visible.setAttribute('aria-label', field.getAttribute('data-label') ?? '');
    } else {
      text.id ||= `${field.id}-words`;
      field.removeAttribute('aria-label');
      field.setAttribute('aria-labelledby', text.id);
    }
  }
}

/** Focuses a radio when its group's label is clicked, which browsers do for single controls only. */
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

/** Finds the text that names a checkbox without a label: the title or text of its row. */
function findAdjacentText(field: Element): Element | null {
  if (field.getAttribute('type') !== 'checkbox') {
    return null;
  }
  return field.closest('.row, .list-item')?.querySelector('p.text, .title') ?? null;
}
