/** Colour arithmetic for themes: reading CSS colours, contrast, and a gray ramp tinted in OKLCH. */

/** Red, green and blue, each 0 to 255. */
export type RGB = readonly [red: number, green: number, blue: number];

const HEX = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;
const RGB_FUNCTION = /^rgba?\(\s*(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)/i;
const HSL_FUNCTION = /^hsla?\(\s*(-?\d+(?:\.\d+)?)(?:deg)?[\s,]+(\d+(?:\.\d+)?)%[\s,]+(\d+(?:\.\d+)?)%/i;

/** The colour of `#hex`, `rgb()` or `hsl()` notation, alpha dropped; `undefined` for every other notation. */
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
  return undefined;
}

/** As `parseColor`, and in a browser every other notation of CSS as well. */
export function resolveColor(value: string): RGB | undefined {
  return parseColor(value) ?? paint(value);
}

/** What the browser paints for a colour: names, `oklch()` and what is yet to come. */
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

/** OKLab lightness of a gray, 0 to 1. Source: Ottosson 2020; for grays it is the cube root of the luminance. */
export function grayLightness(hex: string): number {
  const color = parseColor(hex) ?? [0, 0, 0];
  return Math.cbrt(luminance(color));
}

/**
 * One step of the gray ramp, tinted.
 *
 * @param tint 0 (neutral) to 9; how much of the hue shows.
 * @param shade -4 to 4; positive is lighter.
 */
export function tintGray(hex: string, hue: number, tint: number, shade: number): string {
  const lightness = Math.min(1, Math.max(0, grayLightness(hex) + shade * 0.012));
  // Very light and very dark grays carry less colour, or the page would look dyed.
  const chroma = tint * 0.0042 * (1 - Math.abs(lightness - 0.5));
  return `oklch(${(lightness * 100).toFixed(2)}% ${chroma.toFixed(4)} ${hue})`;
}
