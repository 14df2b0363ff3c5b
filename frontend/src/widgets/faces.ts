/**
 * Faces: custom controls that are shown in place of native pickers.
 *
 * The native control stays under its face, invisible. It holds the value, the default and the validity, gives the face
 * its size, and is used itself until the lazy part with the faces is loaded.
 */

/** Returns the face that covers a field, or null. */
export function faceOf(field: Element): HTMLElement | null {
  const face = field.parentElement?.querySelector<HTMLElement>(':scope > .face') ?? null;
  return field.matches('select, input[type=date]') ? face : null;
}

/** Updates the face to the field's value; text that the user is typing is left alone. */
export function updateFace(field: Element): void {
  const face = faceOf(field);
  if (face === null) {
    return;
  }
  const {value} = field as HTMLSelectElement | HTMLInputElement;
  field.parentElement?.toggleAttribute('data-filled', value !== '');
  face.dispatchEvent(new CustomEvent('field-value', {detail: value}));
}

/** Updates all faces; must be called after each render, since defaults may have changed. */
export function updateFaces(root: ParentNode): void {
  for (const field of root.querySelectorAll('.has-face > [data-field]')) {
    updateFace(field);
  }
}

/** Text typed into a date's face that is not a valid day yet, and the error that is shown for it. */
export interface Draft {
  readonly text: string;
  readonly problem: string;
}

/** Returns text in a face that differs from its field's value, if there is any. */
export function draftOf(field: Element): Draft | undefined {
  const face = faceOf(field);
  if (!(face instanceof HTMLInputElement) || face.value === (face.dataset.shown ?? '')) {
    return undefined;
  }
  const {validity, validationMessage} = field as HTMLInputElement;
  return {text: face.value, problem: validity.customError ? validationMessage : ''};
}

/** Shows a draft on a face, or the field's value without one; overwrites text that another field has left there. */
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
