/** Lengths that servers write as CSS, bounded in whatever unit and notation. */

/** Larger ones are mistakes; they would cost layout time and push the thread apart. */
export const MAX_LENGTH_PX = 4000;
/** So far a margin may draw something over its neighbours. */
export const MIN_MARGIN_PX = -64;
/** The least and greatest ratio: a box of the widest thread is then no taller than the bound, and the other way round. */
const RATIO_RANGE = [0.2, 20] as const;

const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-z]*|%)$/i;
/** Units that a hundred of is not too much of. */
const RELATIVE = /^(?:r?(?:em|ex|ch|lh|cap|ic)|[sld]?v(?:w|h|i|b|min|max)|cq(?:w|h|i|b|min|max)|%)$/i;
const COMPUTED = /^(?:calc|min|max|clamp|var)\(.*\)$/i;
const KEYWORD = /^[a-z-]+$/i;

/** `text`, lengths between blanks, with none beyond the bounds; undefined when it is something else. */
export function boundLengths(text: string): string | undefined {
  const parts = split(text).map(boundLength);
  return parts.some(part => part === undefined) ? undefined : parts.join(' ');
}

function boundLength(part: string): string | undefined {
  const [, digits, unit = ''] = NUMBER.exec(part) ?? [];
  if (digits === undefined) return KEYWORD.test(part) ? part : COMPUTED.test(part) ? clamped(part) : undefined;
  const number = Number(digits);
  // Without a unit it is a share, as in `flex`, or no length at all.
  if (unit === '') return part;
  if (unit.toLowerCase() === 'px') {
    return number > MAX_LENGTH_PX || number < MIN_MARGIN_PX ? `${toBounds(number)}px` : part;
  }
  return RELATIVE.test(unit) && number >= 0 && number <= 100 ? part : clamped(part);
}

function clamped(length: string): string {
  return `clamp(${MIN_MARGIN_PX}px, ${length}, ${MAX_LENGTH_PX}px)`;
}

function toBounds(px: number): number {
  return Math.max(MIN_MARGIN_PX, Math.min(px, MAX_LENGTH_PX));
}

/** Parts between blanks that are in no brackets. */
function split(text: string): readonly string[] {
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

/** A ratio of width and height, `1.5`, `"3/2"` or `"auto"`; undefined for anything else. */
export function ratioOf(value: unknown): string | undefined {
  if (value === 'auto') return value;
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const [, width, height = '1'] = /^\s*(\d*\.?\d+)\s*(?:\/\s*(\d*\.?\d+)\s*)?$/.exec(String(value)) ?? [];
  const ratio = Number(width) / Number(height);
  if (!(ratio > 0 && Number.isFinite(ratio))) return undefined;
  const [least, most] = RATIO_RANGE;
  return ratio >= least && ratio <= most ? String(value).trim() : String(Math.max(least, Math.min(ratio, most)));
}
