/**
 * Faces: what a person sees and uses in place of a native picker.
 *
 * The native control stays, invisible, under its face. It holds the value, the default and the validity, gives the face
 * its size, and is there by itself until the lazy part with the faces has come.
 */

/** The face that covers a field, or null. */
export function faceOf(field: Element): HTMLElement | null {
  const face = field.parentElement?.querySelector<HTMLElement>(':scope > .face') ?? null;
  return field.matches('select, input[type=date]') ? face : null;
}

/** Shows on its face what a field holds now; a text that a person is typing is left alone. */
export function updateFace(field: Element): void {
  const face = faceOf(field);
  if (face === null) {
    return;
  }
  const {value} = field as HTMLSelectElement | HTMLInputElement;
  field.parentElement?.toggleAttribute('data-filled', value !== '');
  face.dispatchEvent(new CustomEvent('field-value', {detail: value}));
}

/** To be called after each render: defaults that have changed show then. */
export function updateFaces(root: ParentNode): void {
  for (const field of root.querySelectorAll('.has-face > [data-field]')) {
    updateFace(field);
  }
}

/** Text that was typed into the face of a date and is no day yet, with the sentence that was said about it. */
export interface Draft {
  readonly text: string;
  readonly problem: string;
}

/** The text in a face that its field does not hold, if there is one. */
export function draftOf(field: Element): Draft | undefined {
  const face = faceOf(field);
  if (!(face instanceof HTMLInputElement) || face.value === (face.dataset.shown ?? '')) {
    return undefined;
  }
  const {validity, validationMessage} = field as HTMLInputElement;
  return {text: face.value, problem: validity.customError ? validationMessage : ''};
}

/** Shows on a face what its field holds, or the draft that belongs there, whatever another field has left on it. */
export function setDraft(field: Element, draft: Draft | undefined): void {
  const face = faceOf(field);
  if (!(face instanceof HTMLInputElement)) {
    return;
  }
  (field as HTMLInputElement).setCustomValidity(draft?.problem ?? '');
  face.toggleAttribute('data-unread', (draft?.problem ?? '') !== '');
  delete face.dataset.shown;
  updateFace(field);
  if (draft) {
    face.value = draft.text;
  }
}
