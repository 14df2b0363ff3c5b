/** Patterns of fields: matched here only where that is quick for certain; everything else is for the server to say. */

/** The number of steps that takes no time worth counting. */
const MAX_STEPS = 1_000_000;
/** Quantifiers that match text of any length, or of many lengths. */
const REPEATS = /[*+]|\{\d+,\d*\}/g;
/** Quantifiers of what may be missing, and alternatives. */
const CHOICES = /[?|]/g;
/** A repeated group with something in it that can match in more than one way, and what looks around or back. */
const AMBIGUOUS = /\([^()]*(?:[*+?|{(])[\s\S]*?\)\s*(?:[*+?{])|\\[1-9k]|\(\?[=!<]/;

/** Whether `value` can be one for the pattern: also true where nobody can say so quickly, or the pattern is none. */
export function mayMatch(pattern: string, value: string): boolean {
  // Neither an escaped sign nor one in brackets repeats anything.
  const bare = pattern
    .replace(/\\[^1-9k]/g, '_')
    .replace(/\[[^\]]*\]/g, '_')
    .replace(/\(\?:/g, '(');
  const repeats = bare.match(REPEATS)?.length ?? 0;
  const choices = bare.match(CHOICES)?.length ?? 0;
  const steps = Math.max(2, value.length) ** Math.max(1, repeats) * 2 ** choices;
  if (AMBIGUOUS.test(bare) || steps > MAX_STEPS) return true;
  try {
    return new RegExp(`^(?:${pattern})$`, 'v').test(value);
  } catch {
    // As browsers do: a pattern that is no expression constrains nothing.
    return true;
  }
}
