/** Maps names of Lucide’s icons to keys, and keys to lazy parts. Also used by the build, so: no DOM. */

const PART_COUNT = 16;

/** Names of the lazy parts, each with about a sixteenth of the icons. */
export const LUCIDE_PARTS: readonly string[] = Array.from({length: PART_COUNT}, (_, at) => `lucide-${at.toString(16)}`);

/**
 * Returns the same key for `trash-2` and Lucide's `Trash2`; `undefined` if it cannot be a name.
 *
 * Hyphens are removed, because `Trash2` does not show where they were; except before a single last letter, which
 * distinguishes `letter-s` from `letters`.
 */
export function toLucideKey(name: string): string | undefined {
  const body = name.replaceAll('-', '').toLowerCase();
  if (!/^[a-z0-9]{1,60}$/.test(body)) return undefined;
  return /.(?:[A-Z]|-[a-z])$/.test(name) ? `${body.slice(0, -1)}-${body.slice(-1)}` : body;
}

/** Returns the name of the lazy part that contains the icon, if it exists. */
export function lucidePartOf(key: string): string {
  let sum = 0;
  for (let at = 0; at < key.length; at += 1) sum = (sum * 31 + key.charCodeAt(at)) % 65_521;
  return `lucide-${(sum % PART_COUNT).toString(16)}`;
}
