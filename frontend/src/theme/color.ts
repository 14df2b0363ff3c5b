/** Colour arithmetic for themes: reading CSS colours, contrast, and a gray ramp tinted in OKLCH. */

/** Red, green and blue, each 0 to 255. */
export type RGB = readonly [red: number, green: number, blue: number];

const HEX = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;
const RGB_FUNCTION = /^rgba?\(\s*(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)/i;
const HSL_FUNCTION = /^hsla?\(\s*(-?\d+(?:\.\d+)?)(?:deg)?[\s,]+(\d+(?:\.\d+)?)%[\s,]+(\d+(?:\.\d+)?)%/i;
const OKLCH_FUNCTION = /^oklch\(\s*(\d+(?:\.\d+)?)%\s+(\d*\.?\d+)\s+(-?\d+(?:\.\d+)?)(?:deg)?\s*[)/]/i;

/** The colour of `#hex`, `rgb()`, `hsl()` or `oklch()` notation, alpha dropped; `undefined` for every other notation. */
export function parseColor(value: string): RGB | undefined {
  const text = value.trim();
  const hex = HEX.exec(text)?.[1];
  if (hex !== undefined) {
    const digits = hex.length < 6 ? [...hex].map(digit => digit + digit).join('') : hex;
    const channel = (at: number): number => Number.parseInt(digits.slice(at, at + 2), 16);
    return [channel(0), channel(2), channel(4)];
  }
  const rgb = RGB_FUNCTION.exec(text);
  if (rgb) return [Number(rgb[1]), Number(rgb[2]), Number(rgb[3])];
  const hsl = HSL_FUNCTION.exec(text);
  if (hsl) return fromHSL(Number(hsl[1]), Number(hsl[2]) / 100, Number(hsl[3]) / 100);
  const oklch = OKLCH_FUNCTION.exec(text);
  if (oklch) return fromOKLCH(Number(oklch[1]) / 100, Number(oklch[2]), (Number(oklch[3]) * Math.PI) / 180);
  return undefined;
}

/** Reads a colour as `parseColor` does, and in a browser every other notation of CSS as well. */
export function resolveColor(value: string): RGB | undefined {
  return parseColor(value) ?? paint(value);
}

/** The colour that the browser paints for a value: names, `oklch()` and what is yet to come. */
function paint(value: string): RGB | undefined {
  const canvas = document.createElement('canvas');
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext?.('2d');
  if (!context) return undefined;
  // What is no colour leaves the one before.
  context.fillStyle = '#010203';
  context.fillStyle = value;
  if (context.fillStyle === '#010203') return undefined;
  const simple = typeof context.fillStyle === 'string' ? parseColor(context.fillStyle) : undefined;
  if (simple) return simple;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

function fromHSL(hue: number, saturation: number, lightness: number): RGB {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const step = (((offset + hue / 30) % 12) + 12) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(step - 3, 9 - step, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Source of the numbers: Ottosson 2020. What no screen can show is cut off. */
function fromOKLCH(lightness: number, chroma: number, angle: number): RGB {
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)];
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const encode = (share: number): number => {
    const value = share <= 0.0031308 ? 12.92 * share : 1.055 * share ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, value)));
  };
  return [
    encode(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    encode(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    encode(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

function linear(channel: number): number {
  const share = channel / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

/** Source: WCAG 2.2, relative luminance. 0 is black, 1 is white. */
export function luminance([red, green, blue]: RGB): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** Source: WCAG 2.2, contrast ratio, 1 to 21. */
export function contrast(one: RGB, other: RGB): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** White or black, whichever reads better on `background`; one of the two always reaches 4.5:1. */
export function readableOn(background: RGB): '#ffffff' | '#0d0d0d' | '#000000' {
  // White is preferred while it passes: on a saturated brand colour it is what designers expect.
  if (contrast(background, [255, 255, 255]) >= 4.5) return '#ffffff';
  return contrast(background, [13, 13, 13]) >= 4.5 ? '#0d0d0d' : '#000000';
}

/** `color`, moved towards black or white no further than it takes to stand out from all `surfaces`; as `#hex`. */
export function standOut(color: RGB, surfaces: readonly RGB[], least: number): string {
  const ink = parseColor(readableOn(surfaces[0] ?? [255, 255, 255])) ?? color;
  for (let share = 0; ; share += 0.01) {
    const mixed = color.map((channel, at) =>
      Math.round(channel + ((ink[at] ?? 0) - channel) * share),
    ) as unknown as RGB;
    if (share >= 1 || surfaces.every(surface => contrast(mixed, surface) >= least))
      return `#${mixed.map(channel => channel.toString(16).padStart(2, '0')).join('')}`;
  }
}

/** OKLab lightness of a gray, 0 to 1. Source: Ottosson 2020; for grays it is the cube root of the luminance. */
export function grayLightness(hex: string): number {
  const color = parseColor(hex) ?? [0, 0, 0];
  return Math.cbrt(luminance(color));
}

/**
 * One step of the gray ramp, tinted.
 *
 * @param hue 0 to 360 on the wheel of `hsl()`, as pages give it: 0 is red, 220 the blue of slate.
 * @param tint 0 (neutral) to 9; how much of the hue shows.
 * @param shade -4 to 4; positive is lighter.
 */
export function tintGray(hex: string, hue: number, tint: number, shade: number): string {
  const gray = grayLightness(hex);
  // White pages and black ones move half as far as what is between.
  const lightness = Math.min(1, Math.max(0, gray + shade * 0.012 * (1 - Math.abs(gray - 0.5))));
  // Nearly white carries hardly any colour, or the page would look dyed; nearly black carries a little less.
  const chroma = tint * 0.005 * Math.min(1, (1 - lightness) / 0.35 + 0.04, lightness / 0.15);
  return `oklch(${(lightness * 100).toFixed(2)}% ${chroma.toFixed(4)} ${perceivedHue(hue).toFixed(1)})`;
}

/** The hue in OKLCH of a saturated colour that has this hue in `hsl()`; the two wheels are up to 40 degrees apart. */
function perceivedHue(hue: number): number {
  const [red, green, blue] = fromHSL(hue, 0.6, 0.5).map(linear) as [number, number, number];
  const [long, medium, short] = [
    Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue),
    Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue),
    Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue),
  ] as const;
  const a = 1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short;
  const b = 0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short;
  return ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
}
