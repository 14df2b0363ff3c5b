/** Groups of sample widgets with their findings, as the server sends them. */

export interface Finding {
  readonly path: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

export interface Exhibit {
  readonly name: string;
  /** The JSON of a widget, or null if there is none. */
  readonly widget: unknown;
  readonly note: string;
  readonly findings: readonly Finding[];
}

export interface Group {
  /** The name of a use case, or null for the group of components. */
  readonly name: string | null;
  readonly title: string;
  readonly widgets: readonly Exhibit[];
}

/** @throws Error If the answer has no list of groups. */
export function parseGallery(answer: unknown): readonly Group[] {
  const {groups} = answer as {groups?: unknown};
  if (!Array.isArray(groups)) throw new Error('the answer is no list of widgets');
  return groups as readonly Group[];
}
