/** Converts widget values to CSS: units, colours, borders. Rejects anything that could load, escape or inject. */
import type {Border} from './component-types.js';
import {boundLengths, MAX_LENGTH_PX, ratioOf} from './lengths.js';
import {type Choice, type Every, isRecord, numberOf, oneOf, textOf} from './nodes.js';
import type {Declarations} from './styled.js';

export type Scheme = 'light' | 'dark';

const MAX_UNITS = 1000;
const MAX_CSS_CHARS = 300;

/** CSS functions that only compute, unlike `url()`, `image-set()`, `attr()` and others that load or leak. */
const SAFE_FUNCTIONS = new Set(
  (
    'rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark linear-gradient radial-gradient ' +
    'conic-gradient repeating-linear-gradient repeating-radial-gradient repeating-conic-gradient ' +
    'calc min max clamp var fit-content minmax'
  ).split(' '),
);

/** Returns a CSS string if it is safe as the value of one property, else undefined. */
export function safeCss(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_CSS_CHARS || !/^[\w\s#%.,()+*/-]+$/.test(value)) {
    return undefined;
  }
  if (value.includes('/*') || value.trim() === '') {
    return undefined;
  }
  for (const [, name = ''] of value.matchAll(/([\w-]*)\(/g)) {
    if (name !== '' && !SAFE_FUNCTIONS.has(name.toLowerCase())) {
      return undefined;
    }
  }
  return value.trim();
}

function safeLengths(value: unknown): string | undefined {
  const safe = safeCss(value);
  return safe === undefined ? undefined : boundLengths(safe);
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^\s*-?\d*\.?\d+\s*$/.test(value));
}

/** Converts a size; numbers are pixels. */
export function lengthOf(value: unknown): string | undefined {
  if (!isNumeric(value)) {
    return safeLengths(value);
  }
  const number = numberOf(value);
  return number === undefined || number < 0 ? undefined : `${Math.min(number, MAX_LENGTH_PX)}px`;
}

/** Converts a gap, padding, margin or spacing; numbers are units of 4 px. */
export function spacingOf(value: unknown): string | undefined {
  if (!isNumeric(value)) {
    return safeLengths(value);
  }
  const number = numberOf(value);
  if (number === undefined) {
    return undefined;
  }
  // One unit is 4 px at normal density.
  return `calc(var(--chatkit-space) * ${Math.max(-MAX_UNITS / 64, Math.min(number, MAX_UNITS))})`;
}

const SIDES = ['top', 'right', 'bottom', 'left'] as const;

/** Converts `padding` or `margin`, a single value or one per side; a side overrides its axis. */
export function spacingSides(property: 'padding' | 'margin', value: unknown): Declarations {
  if (!isRecord(value)) {
    return {[property]: spacingOf(value)};
  }
  const declarations: Record<string, string | undefined> = {};
  for (const side of SIDES) {
    const axis = side === 'top' || side === 'bottom' ? value.y : value.x;
    declarations[`${property}-${side}`] = spacingOf(value[side] ?? axis);
  }
  return declarations;
}

/**
 * Converts the padding of a container, and how far `flush` components in it extend.
 *
 * @param other The padding of sides that are not set; undefined leaves it to the style sheet.
 */
export function paddingOf(value: unknown, other?: string): Declarations {
  const sides = spacingSides('padding', value);
  if (isRecord(value)) {
    return {...sides, ...Object.fromEntries(SIDES.map(side => [`--flush-${side}`, sides[`padding-${side}`] ?? other]))};
  }
  if (sides.padding === undefined) return sides;
  // One to four lengths, as in CSS; a computed one is never split.
  const lengths = sides.padding.includes('(') ? [sides.padding] : sides.padding.split(/ +/);
  const [top, right = top, bottom = top, left = right] = lengths;
  return {...sides, '--flush-top': top, '--flush-right': right, '--flush-bottom': bottom, '--flush-left': left};
}

// biome-ignore format: a list
const BORDER_STYLES: Every<NonNullable<Border['style']>> = {
  solid: 1, dashed: 1, dotted: 1, double: 1, groove: 1, ridge: 1, inset: 1, outset: 1,
};

function borderLine(value: unknown): string | undefined {
  const size = numberOf(isRecord(value) ? value.size : value);
  if (size === undefined || size < 0) {
    return undefined;
  }
  const line = isRecord(value) ? value : {};
  const style = oneOf(line.style, BORDER_STYLES, 'solid');
  const color = colorOf(line.color, 'border');
  // An invalid colour would invalidate the whole border.
  const isKnown = color !== undefined && (/^(?:var|light-dark)\(/.test(color) || isColor(color));
  return `${Math.min(size, 64)}px ${style} ${isKnown ? color : 'var(--chatkit-border-default)'}`;
}

function isColor(value: string): boolean {
  return typeof CSS === 'undefined' || typeof CSS.supports !== 'function' || CSS.supports('color', value);
}

/** Converts a border for all sides, or one per side; a side overrides its axis. */
export function borderSides(value: unknown): Declarations {
  if (!isRecord(value) || 'size' in value) {
    return {border: borderLine(value)};
  }
  const declarations: Record<string, string | undefined> = {};
  for (const side of SIDES) {
    const axis = side === 'top' || side === 'bottom' ? value.y : value.x;
    declarations[`border-${side}`] = borderLine(value[side] ?? axis);
  }
  return declarations;
}

// biome-ignore format: a list
const RADII: Every<Exclude<Choice<'Box' | 'Image', 'radius'>, 'none' | '100%'>> = {
  '2xs': 1, xs: 1, sm: 1, md: 1, lg: 1, xl: 1, '2xl': 1, '3xl': 1, '4xl': 1, full: 1,
};

export function radiusOf(value: unknown): string | undefined {
  if (typeof value !== 'string') {
    return isNumeric(value) ? lengthOf(value) : undefined;
  }
  if (Object.hasOwn(RADII, value)) {
    return `var(--chatkit-radius-${value})`;
  }
  return value === 'none' ? '0' : safeLengths(value);
}

export type ColorFamily = 'text' | 'background' | 'border' | 'chart';

/** Names a server may use, with the step of the ramp for chart colours. */
const TOKENS: Readonly<Record<ColorFamily, readonly [names: RegExp, property: (name: string) => string]>> = {
  text: [
    /^(?:prose|primary|emphasis|secondary|tertiary|success|warning|danger)$/,
    name => `var(--chatkit-text-${name})`,
  ],
  background: [/^surface(?:-secondary|-tertiary|-elevated|-elevated-secondary)?$/, name => `var(--chatkit-${name})`],
  border: [/^(?:default|subtle|strong)$/, name => `var(--chatkit-border-${name})`],
  chart: [/^(?:blue|purple|orange|green|red|yellow|pink)$/, name => `var(--chatkit-${name}-400)`],
};

const STEPS = '0|25|50|75|100|150|200|250|300|400|500|600|700|800|900|1000';
const PRIMITIVE = new RegExp(`^(?:(?:gray|green|red|pink|orange|yellow|purple|blue)-(?:${STEPS})|alpha-\\d{2})$`);

/** Converts a shade of a hue (`red-100`) or gray (`gray-500`), or a share of the text colour (`alpha-10`). */
function primitiveOf(value: string): string | undefined {
  return PRIMITIVE.test(value) ? `var(--chatkit-${value})` : undefined;
}

/** Converts a colour: a token of `family`, a primitive, a CSS colour, or `{light, dark}` of these. */
export function colorOf(value: unknown, family: ColorFamily): string | undefined {
  if (isRecord(value)) {
    const light = colorOf(value.light, family);
    const dark = colorOf(value.dark, family);
    return light !== undefined && dark !== undefined ? `light-dark(${light}, ${dark})` : (light ?? dark);
  }
  if (typeof value !== 'string') {
    return undefined;
  }
  const [names, property] = TOKENS[family];
  return names.test(value) ? property(value) : (primitiveOf(value) ?? safeCss(value));
}

/** Converts a colour or gradient. `light-dark()` supports colours only, so gradients are chosen by `scheme`. */
export function backgroundOf(value: unknown, scheme: Scheme): string | undefined {
  const isGradient = isRecord(value) && [value.light, value.dark].some(side => textOf(side).includes('gradient('));
  return colorOf(isGradient ? value[scheme] : value, 'background');
}

/** Converts the sizes of a block. `size` and its minimum and maximum set both axes; a single axis overrides them. */
export function blockStyle(node: Readonly<Record<string, unknown>>): Declarations {
  return {
    width: lengthOf(node.width ?? node.size),
    height: lengthOf(node.height ?? node.size),
    'min-width': lengthOf(node.minWidth ?? node.minSize),
    'min-height': lengthOf(node.minHeight ?? node.minSize),
    'max-width': maxWidthOf(node.maxWidth ?? node.maxSize),
    'max-height': lengthOf(node.maxHeight ?? node.maxSize),
    'aspect-ratio': ratioOf(node.aspectRatio),
    'border-radius': radiusOf(node.radius),
    flex: flexOf(node.flex),
    // A width in pixels must not shrink in favour of its neighbours.
    'flex-shrink': node.flex === undefined && typeof (node.width ?? node.size) === 'number' ? '0' : undefined,
    ...spacingSides('margin', node.margin),
  };
}

/** Converts a maximum width, limited to the width of the thread. */
function maxWidthOf(value: unknown): string | undefined {
  const width = lengthOf(value);
  return width === undefined ? undefined : `min(100%, ${width === 'none' ? '100%' : width})`;
}

export function flexOf(value: unknown): string | undefined {
  const number = numberOf(value);
  return number !== undefined && isNumeric(value) ? `${Math.max(0, number)} 1 0%` : safeLengths(value);
}

const ALIGN: Readonly<Record<Choice<'Box' | 'Basic' | 'ListViewItem', 'align'>, string>> = {
  start: 'flex-start',
  center: 'center',
  end: 'flex-end',
  baseline: 'baseline',
  stretch: 'stretch',
};
const JUSTIFY: Readonly<Record<Choice<'Box' | 'Basic', 'justify'>, string>> = {
  start: 'flex-start',
  center: 'center',
  end: 'flex-end',
  between: 'space-between',
  around: 'space-around',
  evenly: 'space-evenly',
  stretch: 'stretch',
};

function lookUp(table: Readonly<Record<string, string>>, value: unknown): string | undefined {
  return typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : undefined;
}

/** Converts the flex props of Box, Row, Col, Form, Basic and list items. */
export function flexStyle(node: Readonly<Record<string, unknown>>): Declarations {
  return {
    gap: spacingOf(node.gap),
    'align-items': lookUp(ALIGN, node.align),
    'justify-content': lookUp(JUSTIFY, node.justify),
    'flex-wrap': oneOf<Choice<'Box', 'wrap'>>(node.wrap, {nowrap: 1, wrap: 1, 'wrap-reverse': 1}, undefined),
    ...paddingOf(node.padding, '0px'),
  };
}

/** Converts all style props of a box: flex, block, border and background. */
export function boxStyle(node: Readonly<Record<string, unknown>>, scheme: Scheme): Declarations {
  return {
    ...blockStyle(node),
    ...flexStyle(node),
    ...borderSides(node.border),
    background: backgroundOf(node.background, scheme),
  };
}

const SAFE_IMAGE = /^(?:https?:\/\/|data:image\/[\w.+-]+[;,]|\.{0,2}\/(?!\/)|[\w-]+\/)/i;

/** Returns a URL that an `<img>` may load, else undefined: http(s), relative, our origin's blobs, and image data. */
export function imageSource(value: unknown): string | undefined {
  const source = typeof value === 'string' ? value.trim() : '';
  return SAFE_IMAGE.test(source) || source.startsWith(`blob:${location.origin}/`) ? source : undefined;
}
