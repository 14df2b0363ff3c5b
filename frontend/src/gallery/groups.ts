/** Groups of widgets to look at, as the server tells them, with their mistakes. */

export interface Finding {
  readonly path: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

export interface Exhibit {
  readonly name: string;
  /** The JSON of a widget, or null where there is none. */
  readonly widget: unknown;
  readonly note: string;
  readonly findings: readonly Finding[];
}

export interface Group {
  /** The name of a use case, or null for the components. */
  readonly name: string | null;
  readonly title: string;
  readonly widgets: readonly Exhibit[];
}

/** @throws Error where the answer is none of a gallery. */
export function parseGallery(answer: unknown): readonly Group[] {
  const {groups} = answer as {groups?: unknown};
  if (!Array.isArray(groups)) throw new Error('the answer is no list of widgets');
  return groups as readonly Group[];
}
