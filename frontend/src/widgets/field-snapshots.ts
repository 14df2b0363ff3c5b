/** Keeps values, selection and focus of fields when a new tree renders them elsewhere. */
import {type Draft, draftOf, faceOf, setDraft, updateFace} from './faces.js';
import {controlsOf, defaultStateOf, FIELD_ATTRIBUTE, fieldPath, fieldValue, partsOf, resetField} from './fields.js';

interface FieldSnapshot {
  readonly element: Element;
  readonly value: unknown;
  readonly initial: string;
  readonly isEdited: boolean;
  readonly draft: Draft | undefined;
  readonly selection: readonly [number | null, number | null] | undefined;
  readonly hasFocus: boolean;
}

export type FieldSnapshots = ReadonlyMap<string, FieldSnapshot>;

function fieldsOf(root: ParentNode): readonly HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(`[${FIELD_ATTRIBUTE}]`)];
}

/** Snapshots all fields by path, before the new tree is rendered. */
export function snapshotFields(root: ParentNode): FieldSnapshots {
  const active = (root as ShadowRoot).activeElement ?? null;
  return new Map(
    fieldsOf(root).map(element => {
      const hasFocus = active !== null && (element.contains(active) || active === faceOf(element));
      return [
        fieldPath(element),
        {
          element,
          value: fieldValue(element),
          initial: describeDefault(element),
          isEdited: isEdited(element),
          draft: draftOf(element),
          selection: hasFocus ? selectionOf(faceOf(element) ?? element) : undefined,
          hasFocus,
        },
      ];
    }),
  );
}

/**
 * Restores the user's input in each field, and resets elements that belonged to another field before.
 *
 * @param origins The old path of each field that existed before, by its new path.
 * @param isSent Whether a field's value was submitted; the field then keeps its default.
 */
export function restoreFields(
  root: ParentNode,
  snapshots: FieldSnapshots,
  origins: ReadonlyMap<string, string>,
  isSent: (path: string, value: unknown) => boolean,
): void {
  const before = new Set([...snapshots.values()].map(({element}) => element));
  for (const field of fieldsOf(root)) {
    const origin = origins.get(fieldPath(field)) ?? '';
    const snapshot = snapshots.get(origin);
    if (snapshot?.element === field) continue;
    if (before.has(field)) resetField(field);
    const isKept =
      snapshot !== undefined && snapshot.initial === describeDefault(field) && !isSent(origin, snapshot.value);
    if (isKept && snapshot.isEdited) setValue(field, snapshot.value);
    updateFace(field);
    setDraft(field, isKept ? snapshot.draft : undefined);
    if (snapshot?.hasFocus) restoreFocus(field, snapshot.selection);
  }
}

function selectionOf(field: Element): FieldSnapshot['selection'] {
  return field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement
    ? [field.selectionStart, field.selectionEnd]
    : undefined;
}

function restoreFocus(field: Element, selection: FieldSnapshot['selection']): void {
  const control = faceOf(field) ?? controlsOf(field)[0];
  control?.focus({preventScroll: true});
  const [start = null, end = null] = selection ?? [];
  // Number and email inputs have no selection.
  if (start !== null) (control as HTMLInputElement).setSelectionRange(start, end);
}

/** Whether a field's value differs from the server's default. */
function isEdited(field: Element): boolean {
  return partsOf(field).some(part => {
    const state = defaultStateOf(part);
    return state !== undefined && (part as unknown as Record<string, unknown>)[state.state] !== state.value;
  });
}

/** Returns the server's default of a field as a string, to compare it with another. */
function describeDefault(field: Element): string {
  const parts = partsOf(field);
  const own = parts.length === 1 && parts[0] === field ? defaultStateOf(field)?.value : undefined;
  const chosen = parts.filter(part => defaultStateOf(part)?.value === true);
  return String(own ?? chosen.map(part => part.getAttribute('value')));
}

/** Sets a field's value, without an event. */
function setValue(field: Element, value: unknown): void {
  if (!field.matches('input, textarea, select')) {
    for (const radio of controlsOf(field)) (radio as HTMLInputElement).checked = radio.value === value;
  } else if ((field as HTMLInputElement).type === 'checkbox') (field as HTMLInputElement).checked = value === true;
  else (field as HTMLInputElement).value = typeof value === 'string' ? value : '';
}
