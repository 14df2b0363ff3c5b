/** Keeps values, selection and focus of fields when a new tree draws them elsewhere. */
import {type Draft, draftOf, faceOf, setDraft, updateFace} from './faces.js';
import {controlsOf, FIELD_ATTRIBUTE, fieldPath, fieldValue, partsOf, resetField, startOf} from './fields.js';

interface Kept {
  readonly element: Element;
  readonly value: unknown;
  readonly start: unknown;
  readonly isEdited: boolean;
  readonly draft: Draft | undefined;
  readonly selection: readonly [number | null, number | null] | undefined;
  readonly hasFocus: boolean;
}

export type KeptFields = ReadonlyMap<string, Kept>;

function fieldsOf(root: ParentNode): readonly HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(`[${FIELD_ATTRIBUTE}]`)];
}

/** Keeps all fields by their path, before the new tree is drawn. */
export function keepFields(root: ParentNode): KeptFields {
  const active = (root as ShadowRoot).activeElement ?? null;
  return new Map(
    fieldsOf(root).map(element => {
      const hasFocus = active !== null && (element.contains(active) || active === faceOf(element));
      return [
        fieldPath(element),
        {
          element,
          value: fieldValue(element),
          start: defaultOf(element),
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
 * Gives each field back what was done in it, and takes from it what was done in another one that stood there.
 *
 * @param origins The old path of each field that was there before, by its new path.
 * @param isSent Whether what a field held was submitted: it starts afresh then.
 */
export function restoreFields(
  root: ParentNode,
  kept: KeptFields,
  origins: ReadonlyMap<string, string>,
  isSent: (path: string, value: unknown) => boolean,
): void {
  const before = new Set([...kept.values()].map(({element}) => element));
  for (const field of fieldsOf(root)) {
    const origin = origins.get(fieldPath(field)) ?? '';
    const own = kept.get(origin);
    if (own?.element === field) continue;
    if (before.has(field)) resetField(field);
    const isKept = own !== undefined && own.start === defaultOf(field) && !isSent(origin, own.value);
    if (isKept && own.isEdited) setField(field, own.value);
    updateFace(field);
    setDraft(field, isKept ? own.draft : undefined);
    if (own === undefined) continue;
    if (own.hasFocus) focus(field, own.selection);
  }
}

function selectionOf(field: Element): Kept['selection'] {
  return field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement
    ? [field.selectionStart, field.selectionEnd]
    : undefined;
}

function focus(field: Element, selection: Kept['selection']): void {
  const control = faceOf(field) ?? controlsOf(field)[0];
  control?.focus({preventScroll: true});
  const [start = null, end = null] = selection ?? [];
  // Numbers and addresses have no selection that could be read.
  if (start !== null) (control as HTMLInputElement).setSelectionRange(start, end);
}

/** Whether a field holds something else than the server's default. */
function isEdited(field: Element): boolean {
  return partsOf(field).some(part => {
    const start = startOf(part);
    return start !== undefined && (part as unknown as Record<string, unknown>)[start.state] !== start.value;
  });
}

/** The server's default of a field, to be compared with that of another. */
function defaultOf(field: Element): string {
  const parts = partsOf(field);
  const own = parts.length === 1 && parts[0] === field ? startOf(field)?.value : undefined;
  const chosen = parts.filter(part => startOf(part)?.value === true);
  return String(own ?? chosen.map(part => part.getAttribute('value')));
}

/** Puts a value in as a person would, without an event. */
function setField(field: Element, value: unknown): void {
  if (!field.matches('input, textarea, select')) {
    for (const radio of controlsOf(field)) (radio as HTMLInputElement).checked = radio.value === value;
  } else if ((field as HTMLInputElement).type === 'checkbox') (field as HTMLInputElement).checked = value === true;
  else (field as HTMLInputElement).value = typeof value === 'string' ? value : '';
}
