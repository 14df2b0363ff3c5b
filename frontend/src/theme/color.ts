/** Colour arithmetic for themes: parsing CSS colours, contrast, and tinted grays in OKLCH. */

/** Red, green and blue, each 0 to 255. */
export type RGB = readonly [red: number, green: number, blue: number];

const HEX = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;
const RGB_FUNCTION = /^rgba?\(\s*(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)/i;
const HSL_FUNCTION = /^hsla?\(\s*(-?\d+(?:\.\d+)?)(?:deg)?[\s,]+(\d+(?:\.\d+)?)%[\s,]+(\d+(?:\.\d+)?)%/i;
const OKLCH_FUNCTION = /^oklch\(\s*(\d+(?:\.\d+)?)%\s+(\d*\.?\d+)\s+(-?\d+(?:\.\d+)?)(?:deg)?\s*[)/]/i;

/** Parses `#hex`, `rgb()`, `hsl()` or `oklch()`, without alpha; `undefined` for any other notation. */
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

/** Parses a colour like `parseColor`, and in a browser also any other CSS notation. */
export function resolveColor(value: string): RGB | undefined {
  return parseColor(value) ?? paintColor(value);
}

/** Returns the colour that the browser paints for a CSS value, for example for a named colour. */
function paintColor(value: string): RGB | undefined {
  const canvas = document.createElement('canvas');
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext?.('2d');
  if (!context) return undefined;
  // An invalid value leaves `fillStyle` unchanged.
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
  const amplitude = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const step = (((offset + hue / 30) % 12) + 12) % 12;
    return Math.round(255 * (lightness - amplitude * Math.max(-1, Math.min(step - 3, 9 - step, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Source of the numbers: Ottosson 2020. Colours outside sRGB are clipped. */
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

function toLinear(channel: number): number {
  const share = channel / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

/** Relative luminance: 0 is black, 1 is white. Source: WCAG 2.2. */
export function luminance([red, green, blue]: RGB): number {
  return 0.2126 * toLinear(red) + 0.7152 * toLinear(green) + 0.0722 * toLinear(blue);
}

/** Contrast ratio, 1 to 21. Source: WCAG 2.2. */
export function contrast(one: RGB, other: RGB): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Returns white or black, whichever is readable on `background`; one of them always reaches 4.5:1. */
export function readableOn(background: RGB): '#ffffff' | '#0d0d0d' | '#000000' {
  // White is preferred where it passes: designers expect it on a saturated brand colour.
  if (contrast(background, [255, 255, 255]) >= 4.5) return '#ffffff';
  return contrast(background, [13, 13, 13]) >= 4.5 ? '#0d0d0d' : '#000000';
}

/** Moves a colour towards black or white until its contrast to all `surfaces` is at least `least`; returns `#hex`. */
export function ensureContrast(color: RGB, surfaces: readonly RGB[], least: number): string {
  const ink = parseColor(readableOn(surfaces[0] ?? [255, 255, 255])) ?? color;
  for (let share = 0; ; share += 0.01) {
    const mixed = color.map((channel, at) =>
      Math.round(channel + ((ink[at] ?? 0) - channel) * share),
    ) as unknown as RGB;
    if (share >= 1 || surfaces.every(surface => contrast(mixed, surface) >= least))
      return `#${mixed.map(channel => channel.toString(16).padStart(2, '0')).join('')}`;
  }
}

/** OKLab lightness of a gray, 0 to 1: the cube root of its luminance. Source: Ottosson 2020. */
export function grayLightness(hex: string): number {
  const color = parseColor(hex) ?? [0, 0, 0];
  return Math.cbrt(luminance(color));
}

/**
 * Tints one step of the gray ramp.
 *
 * @param hue Hue of `hsl()`, 0 to 360: 0 is red, 220 a slate blue.
 * @param tint Strength of the hue, 0 (neutral) to 9.
 * @param shade -4 to 4; positive is lighter.
 */
export function tintGray(hex: string, hue: number, tint: number, shade: number): string {
  const gray = grayLightness(hex);
  // White and black move half as far as medium grays.
  const lightness = Math.min(1, Math.max(0, gray + shade * 0.012 * (1 - Math.abs(gray - 0.5))));
  // Almost white grays get hardly any colour, or the page would look dyed; almost black ones get a little less.
  const chroma = tint * 0.005 * Math.min(1, (1 - lightness) / 0.35 + 0.04, lightness / 0.15);
  return `oklch(${(lightness * 100).toFixed(2)}% ${chroma.toFixed(4)} ${toOKLCHHue(hue).toFixed(1)})`;
}

/** Converts a hue of `hsl()` to OKLCH, for a saturated colour; they differ by up to 40 degrees. */
function toOKLCHHue(hue: number): number {
  const [red, green, blue] = fromHSL(hue, 0.6, 0.5).map(toLinear) as [number, number, number];
  const [long, medium, short] = [
    Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue),
    Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue),
    Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue),
  ] as const;
  const a = 1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short;
  const b = 0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short;
  return ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
}
