/** Limits CSS lengths of servers, in any unit and notation. */

/** Larger lengths are mistakes, which would slow the layout down and distort the thread. */
export const MAX_LENGTH_PX = 4000;
/** How far a negative margin may pull a component over its neighbours. */
export const MIN_MARGIN_PX = -64;
/** Limits of aspect ratios, so that a box as wide as the thread stays within the length limit, and vice versa. */
const RATIO_RANGE = [0.2, 20] as const;

const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-z]*|%)$/i;
/** Relative units, of which up to a hundred are allowed. */
const RELATIVE = /^(?:r?(?:em|ex|ch|lh|cap|ic)|[sld]?v(?:w|h|i|b|min|max)|cq(?:w|h|i|b|min|max)|%)$/i;
const COMPUTED = /^(?:calc|min|max|clamp|var)\(.*\)$/i;
const KEYWORD = /^[a-z-]+$/i;

/** Returns `text`, lengths separated by spaces, with each within the limits; undefined if it is anything else. */
export function boundLengths(text: string): string | undefined {
  const parts = splitLengths(text).map(boundLength);
  return parts.some(part => part === undefined) ? undefined : parts.join(' ');
}

function boundLength(part: string): string | undefined {
  const [, digits, unit = ''] = NUMBER.exec(part) ?? [];
  if (digits === undefined) return KEYWORD.test(part) ? part : COMPUTED.test(part) ? clampLength(part) : undefined;
  const number = Number(digits);
  // A number without a unit is a share, as in `flex`, or not a length at all.
  if (unit === '') return part;
  if (unit.toLowerCase() === 'px') {
    return number > MAX_LENGTH_PX || number < MIN_MARGIN_PX ? `${clampPx(number)}px` : part;
  }
  return RELATIVE.test(unit) && number >= 0 && number <= 100 ? part : clampLength(part);
}

function clampLength(length: string): string {
  return `clamp(${MIN_MARGIN_PX}px, ${length}, ${MAX_LENGTH_PX}px)`;
}

function clampPx(px: number): number {
  return Math.max(MIN_MARGIN_PX, Math.min(px, MAX_LENGTH_PX));
}

/** Splits at spaces outside of parentheses. */
function splitLengths(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const char of text.trim()) {
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (depth === 0 && /\s/.test(char)) {
      if (part !== '') parts.push(part);
      part = '';
    } else part += char;
  }
  return part === '' ? parts : [...parts, part];
}

/** Returns an aspect ratio such as `1.5`, `"3/2"` or `"auto"`, within its limits; undefined for anything else. */
export function ratioOf(value: unknown): string | undefined {
  if (value === 'auto') return value;
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const [, width, height = '1'] = /^\s*(\d*\.?\d+)\s*(?:\/\s*(\d*\.?\d+)\s*)?$/.exec(String(value)) ?? [];
  const ratio = Number(width) / Number(height);
  if (!(ratio > 0 && Number.isFinite(ratio))) return undefined;
  const [least, most] = RATIO_RANGE;
  return ratio >= least && ratio <= most ? String(value).trim() : String(Math.max(least, Math.min(ratio, most)));
}
