/** Matches field patterns, but only if that is certain to be fast; everything else is left to the server. */

/** A number of steps that takes no noticeable time. */
const MAX_STEPS = 1_000_000;
/** Quantifiers that match text of any length, or of many lengths. */
const REPEATS = /[*+]|\{\d+,\d*\}/g;
/** Optional quantifiers and alternatives. */
const CHOICES = /[?|]/g;
/** Repeated groups that can match in several ways, backreferences and lookarounds. */
const AMBIGUOUS = /\([^()]*(?:[*+?|{(])[\s\S]*?\)\s*(?:[*+?{])|\\[1-9k]|\(\?[=!<]/;

/** Whether `value` may match the pattern; true as well if that cannot be decided quickly, or the pattern is invalid. */
export function mayMatch(pattern: string, value: string): boolean {
  // Escaped characters and character classes contain no quantifiers.
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
    // Like browsers: an invalid pattern is ignored.
    return true;
  }
}
