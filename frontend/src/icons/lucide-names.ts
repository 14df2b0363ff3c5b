/** Names of Lucide’s icons: the key of each, and the lazy part that holds it. The build reads it too, so: no DOM. */

const PART_COUNT = 16;

/** Names of the lazy parts, each with about a sixteenth of the icons. */
export const LUCIDE_PARTS: readonly string[] = Array.from({length: PART_COUNT}, (_, at) => `lucide-${at.toString(16)}`);

/**
 * The key that `trash-2` and Lucide's own `Trash2` have in common; `undefined` for what cannot be a name.
 *
 * Hyphens do not count, because numbers do not tell where one was; but for a last letter, `letters` is not `letter-s`.
 */
export function toLucideKey(name: string): string | undefined {
  const body = name.replaceAll('-', '').toLowerCase();
  if (!/^[a-z0-9]{1,60}$/.test(body)) return undefined;
  return /.(?:[A-Z]|-[a-z])$/.test(name) ? `${body.slice(0, -1)}-${body.slice(-1)}` : body;
}

/** The part that has the icon, if any has. */
export function lucidePartOf(key: string): string {
  let sum = 0;
  for (let at = 0; at < key.length; at += 1) sum = (sum * 31 + key.charCodeAt(at)) % 65_521;
  return `lucide-${(sum % PART_COUNT).toString(16)}`;
}
