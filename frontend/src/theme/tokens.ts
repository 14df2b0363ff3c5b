/** Design tokens: every `--chatkit-*` property with its light and dark default, and how theme options change it. */
import type {ColorScheme, ThemeOption} from '@openai/chatkit';
import {type CSSResult, unsafeCSS} from 'lit';
import {contrast, ensureContrast, parseColor, type RGB, readableOn, resolveColor, tintGray} from './color.js';

type Declarations = ReadonlyMap<string, string>;

const LIGHT_GRAYS: Readonly<Record<number, string>> = {
  0: '#ffffff',
  25: '#fcfcfc',
  50: '#f9f9f9',
  75: '#f3f3f3',
  100: '#ededed',
  150: '#dfdfdf',
  200: '#cdcdcd',
  250: '#b9b9b9',
  300: '#afafaf',
  400: '#8f8f8f',
  500: '#5d5d5d',
  600: '#414141',
  700: '#303030',
  800: '#212121',
  900: '#181818',
  1000: '#0d0d0d',
};
const DARK_GRAYS: Readonly<Record<number, string>> = {
  0: '#0d0d0d',
  25: '#101010',
  50: '#131313',
  75: '#161616',
  100: '#181818',
  150: '#1c1c1c',
  200: '#212121',
  250: '#282828',
  300: '#303030',
  400: '#414141',
  500: '#5d5d5d',
  600: '#8f8f8f',
  700: '#afafaf',
  800: '#cdcdcd',
  900: '#ededed',
  1000: '#ffffff',
};
/** The steps 400 and 500 of each hue; the others are mixed from them with white and black. */
const HUES: Readonly<Record<string, readonly [step400: string, step500: string]>> = {
  green: ['#04b84c', '#00a240'],
  red: ['#fa423e', '#e02e2a'],
  pink: ['#ff66ad', '#e04c91'],
  orange: ['#fb6a22', '#e25507'],
  yellow: ['#ffc300', '#e0ac00'],
  purple: ['#924ff7', '#8046d9'],
  blue: ['#0285ff', '#0169cc'],
};
const ALPHAS = [2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 20, 25, 30, 35, 40, 50, 60, 70, 80, 90];
const RADII = {'2xs': 2, xs: 4, sm: 6, md: 8, lg: 10, xl: 12, '2xl': 16, '3xl': 20, '4xl': 24};
const CONTROLS = {'3xs': 22, '2xs': 24, xs: 26, sm: 28, md: 32, lg: 36, xl: 40, '2xl': 44, '3xl': 48};
const GUTTERS = {'2xs': 6, xs: 8, sm: 10, md: 12, lg: 14, xl: 16};
const ICONS = {xs: 14, sm: 16, md: 18, lg: 20, xl: 22, '2xl': 24, '3xl': 32};
const TEXTS = {xs: [12, 18], sm: [14, 20], md: [16, 24], lg: [18, 29], xl: [20, 30]} as const;
const HEADINGS = {
  sm: [18, 26],
  md: [20, 26],
  lg: [24, 28],
  xl: [32, 38],
  '2xl': [36, 42],
  '3xl': [48, 54],
  '4xl': [60, 66],
  '5xl': [72, 78],
} as const;
const RADIUS_FACTORS = {pill: 1, round: 0.8, soft: 0.5, sharp: 0.15} as const;
const DENSITY_FACTORS = {compact: 0.75, normal: 1, spacious: 1.25} as const;
const SYSTEM_FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const MONO_FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace';

/** Builds the colours of a scheme, with the gray ramp, accent and surface of a theme. */
export function buildColors(scheme: ColorScheme, theme: ThemeOption = {}): Declarations {
  const isDark = scheme === 'dark';
  const set = new Map<string, string>([['color-scheme', scheme]]);
  const gray = theme.color?.grayscale;
  for (const [step, hex] of Object.entries(isDark ? DARK_GRAYS : LIGHT_GRAYS)) {
    set.set(
      `--chatkit-gray-${step}`,
      gray ? tintGray(hex, clamp(gray.hue, 0, 360), clamp(gray.tint, 0, 9), clamp(gray.shade, -4, 4)) : hex,
    );
  }
  for (const [hue, [step400, step500]] of Object.entries(HUES)) {
    for (const [step, share] of [
      [25, 4],
      [50, 8],
      [75, 14],
      [100, 20],
      [200, 40],
      [300, 70],
    ] as const) {
      set.set(`--chatkit-${hue}-${step}`, `color-mix(in oklab, ${step400} ${share}%, white)`);
    }
    set.set(`--chatkit-${hue}-400`, step400);
    set.set(`--chatkit-${hue}-500`, step500);
    for (const [step, share] of [
      [600, 82],
      [700, 66],
      [800, 50],
      [900, 36],
      [1000, 24],
    ] as const) {
      set.set(`--chatkit-${hue}-${step}`, `color-mix(in oklab, ${step500} ${share}%, black)`);
    }
  }
  const ink = gray ? 'var(--chatkit-gray-1000)' : isDark ? '#ffffff' : '#0d0d0d';
  for (const percent of ALPHAS) {
    set.set(
      `--chatkit-alpha-${String(percent).padStart(2, '0')}`,
      `color-mix(in srgb, ${ink} ${percent}%, transparent)`,
    );
  }
  const surfaces = isDark ? DARK_SURFACES : LIGHT_SURFACES;
  for (const [name, value] of Object.entries(surfaces)) set.set(`--chatkit-${name}`, value);
  setSurface(set, isDark, theme.color?.surface);
  setAccent(set, scheme, theme.color?.accent);
  setBorders(set);
  return set;
}

const LIGHT_SURFACES: Readonly<Record<string, string>> = {
  surface: 'var(--chatkit-gray-0)',
  'surface-secondary': 'var(--chatkit-gray-50)',
  'surface-tertiary': 'var(--chatkit-gray-75)',
  'surface-elevated': 'var(--chatkit-gray-0)',
  'surface-elevated-secondary': 'var(--chatkit-gray-25)',
  'text-prose': 'var(--chatkit-gray-1000)',
  'text-primary': 'var(--chatkit-gray-1000)',
  'text-emphasis': 'var(--chatkit-gray-1000)',
  'text-secondary': 'var(--chatkit-gray-500)',
  // The sibling library's gray-400 misses 4.5:1 on white.
  'text-tertiary': 'color-mix(in oklab, var(--chatkit-gray-500) 80%, var(--chatkit-gray-400))',
  'text-success': '#00712c',
  'text-warning': '#8f4100',
  'text-danger': '#ba1c18',
  'text-info': '#0158ab',
  'text-discovery': '#6f38c5',
  'border-subtle': 'var(--chatkit-alpha-06)',
  'border-default': 'var(--chatkit-alpha-10)',
  'border-strong': 'var(--chatkit-alpha-15)',
  bubble: 'var(--chatkit-alpha-05)',
  hover: 'var(--chatkit-alpha-05)',
  active: 'var(--chatkit-alpha-10)',
  scrim: 'rgb(0 0 0 / 30%)',
  link: '#0158ab',
  'success-soft': '#e5f6eb',
  'warning-soft': '#fff1e0',
  'danger-soft': '#fdeceb',
  'info-soft': '#e7f2fe',
  'shadow-1': '0 1px 2px -1px rgb(0 0 0 / 8%)',
  'shadow-2': '0 2px 4px -1px rgb(0 0 0 / 8%)',
  'shadow-3': '0 4px 8px -2px rgb(0 0 0 / 10%), 0 0 1px rgb(0 0 0 / 18%)',
  'shadow-4': '0 8px 16px -4px rgb(0 0 0 / 14%), 0 0 1px rgb(0 0 0 / 22%)',
};
const DARK_SURFACES: Readonly<Record<string, string>> = {
  ...LIGHT_SURFACES,
  surface: 'var(--chatkit-gray-200)',
  'surface-secondary': 'var(--chatkit-gray-250)',
  'surface-tertiary': 'var(--chatkit-gray-300)',
  'surface-elevated': 'var(--chatkit-gray-250)',
  'surface-elevated-secondary': 'var(--chatkit-gray-300)',
  'text-prose': 'var(--chatkit-gray-900)',
  'text-secondary': 'var(--chatkit-gray-700)',
  'text-tertiary': 'color-mix(in oklab, var(--chatkit-gray-600) 60%, var(--chatkit-gray-700))',
  'text-success': '#4fd583',
  'text-warning': '#ffb36b',
  'text-danger': '#ff8a86',
  'text-info': '#6bb8ff',
  'text-discovery': '#c09bff',
  'border-subtle': 'var(--chatkit-alpha-06)',
  'border-default': 'var(--chatkit-alpha-12)',
  'border-strong': 'var(--chatkit-alpha-20)',
  bubble: 'var(--chatkit-alpha-08)',
  hover: 'var(--chatkit-alpha-06)',
  active: 'var(--chatkit-alpha-12)',
  scrim: 'rgb(0 0 0 / 55%)',
  link: '#7cc0ff',
  'success-soft': '#17341f',
  'warning-soft': '#3b2812',
  'danger-soft': '#411d1c',
  'info-soft': '#132c45',
  'shadow-1': '0 1px 2px -1px rgb(0 0 0 / 40%)',
  'shadow-2': '0 2px 4px -1px rgb(0 0 0 / 45%)',
  'shadow-3': '0 4px 8px -2px rgb(0 0 0 / 50%), 0 0 1px rgb(255 255 255 / 25%)',
  'shadow-4': '0 8px 16px -4px rgb(0 0 0 / 60%), 0 0 1px rgb(255 255 255 / 30%)',
};

/** Minimum contrast of text. Source: WCAG 2.2, 1.4.3. */
const LEAST_CONTRAST = 4.5;
/** Minimum contrast of controls and of the focus ring. Source: WCAG 2.2, 1.4.11. */
const LEAST_FOR_CONTROLS = 3;
/** A little more for borders: the background of filled fields has less contrast to them than the surface. */
const LEAST_FOR_LINES = 3.25;
const LEAST_FOR_FIELDS = 3.1;
/** A pair of colours with less contrast cannot be meant as text and background. */
const LEAST_FOR_TEXT = 2;

/**
 * Sets the surface and text colours of the theme. By the published description, `foreground` is the text colour; pages
 * that copied their theme from ChatKit's playground set the colour of raised surfaces, such as the composer, instead.
 */
function setSurface(
  set: Map<string, string>,
  isDark: boolean,
  surface: {readonly background: string; readonly foreground: string} | undefined,
): void {
  const background = isColor(surface?.background) ? surface.background : undefined;
  const foreground = isColor(surface?.foreground) ? surface.foreground : undefined;
  const isText = foreground !== undefined && !isRaisedSurface(background, foreground);
  if (background !== undefined) {
    const raised = isDark ? `color-mix(in oklab, ${background} 93%, white)` : background;
    set.set('--chatkit-surface', background);
    set.set('--chatkit-surface-elevated', isText ? raised : (foreground ?? raised));
    for (const [name, share] of [
      ['secondary', 96],
      ['tertiary', 92],
    ] as const) {
      const mixed = `color-mix(in oklab, ${background} ${share}%, ${isDark ? 'white' : 'black'})`;
      set.set(`--chatkit-surface-${name}`, mixed);
    }
  }
  const text = isText ? foreground : readableText(background, isDark);
  if (text === undefined) return;
  for (const name of ['primary', 'prose', 'emphasis']) set.set(`--chatkit-text-${name}`, text);
  set.set('--chatkit-text-secondary', `color-mix(in oklab, ${text} 72%, transparent)`);
  set.set('--chatkit-text-tertiary', `color-mix(in oklab, ${text} 62%, transparent)`);
}

function isRaisedSurface(background: string | undefined, foreground: string): boolean {
  const [back, front] = [background === undefined ? undefined : resolveColor(background), resolveColor(foreground)];
  return back !== undefined && front !== undefined && contrast(back, front) < LEAST_FOR_TEXT;
}

/** Returns a text colour if that of the scheme is not readable on the background; `undefined` if it is. */
function readableText(background: string | undefined, isDark: boolean): string | undefined {
  const back = background === undefined ? undefined : resolveColor(background);
  if (!back || contrast(back, isDark ? [237, 237, 237] : [13, 13, 13]) >= LEAST_CONTRAST) return undefined;
  return readableOn(back);
}

/** Sets the accent. Level 0: main buttons; 1: also links and focus; 2: also soft fills; 3: also the user's messages. */
function setAccent(
  set: Map<string, string>,
  scheme: ColorScheme,
  accent: {readonly primary: string; readonly level: number} | undefined,
): void {
  const primary = isColor(accent?.primary) ? accent.primary : undefined;
  const level = clamp(accent?.level ?? 1, 0, 3);
  const rgb = primary === undefined ? undefined : resolveColor(primary);
  const onAccent = rgb ? readableOn(rgb) : scheme === 'dark' ? '#0d0d0d' : '#ffffff';
  set.set('--chatkit-accent', primary ?? (scheme === 'dark' ? '#ffffff' : '#0d0d0d'));
  set.set('--chatkit-on-accent', onAccent);
  set.set('--chatkit-accent-hover', `color-mix(in oklab, var(--chatkit-accent) 86%, var(--chatkit-surface))`);
  set.set('--chatkit-accent-soft', `color-mix(in oklab, var(--chatkit-accent) 12%, transparent)`);
  set.set('--chatkit-focus', primary !== undefined && level >= 1 ? primary : scheme === 'dark' ? '#7cc0ff' : '#0169cc');
  set.set('--chatkit-bubble-text', 'var(--chatkit-text-primary)');
  if (primary === undefined) return;
  if (level >= 2) set.set('--chatkit-bubble', 'color-mix(in oklab, var(--chatkit-accent) 14%, transparent)');
  if (level >= 3) {
    set.set('--chatkit-bubble', 'var(--chatkit-accent)');
    set.set('--chatkit-bubble-text', onAccent);
  }
}

const SURFACES = ['surface', 'surface-secondary', 'surface-tertiary', 'surface-elevated', 'surface-elevated-secondary'];

/** Sets the borders of controls and the focus ring to the faintest colour with enough contrast on all surfaces. */
function setBorders(set: Map<string, string>): void {
  const resolve = (name: string): RGB | undefined => {
    const value = set.get(`--chatkit-${name}`) ?? '';
    const other = /^var\(--chatkit-([\w-]+)\)$/.exec(value)?.[1];
    return other === undefined ? resolveColor(value) : resolve(other);
  };
  const surfaces = SURFACES.map(resolve).filter(color => color !== undefined);
  const [surface] = surfaces;
  const [focus, accent] = [resolve('focus'), resolve('accent')];
  const line = surface ? ensureContrast(surface, surfaces, LEAST_FOR_LINES) : 'var(--chatkit-text-tertiary)';
  set.set('--chatkit-border-control', line);
  // Fields are only used on these two surfaces, which require less contrast than all of them.
  const grounds = [surface, resolve('surface-elevated')].filter(color => color !== undefined);
  const field = surface ? ensureContrast(surface, grounds, LEAST_FOR_FIELDS) : line;
  set.set('--chatkit-border-field', field);
  if (focus) set.set('--chatkit-focus', ensureContrast(focus, surfaces, LEAST_FOR_CONTROLS));
  const isFaint = accent && surfaces.some(color => contrast(accent, color) < LEAST_FOR_CONTROLS);
  set.set('--chatkit-border-accent', isFaint ? line : 'var(--chatkit-accent)');
}

/** Builds the tokens that are not colours: fonts, sizes, radii and spacing. */
export function buildMetrics(theme: ThemeOption = {}): Declarations {
  const set = new Map<string, string>();
  const rounding = pickFactor(RADIUS_FACTORS, theme.radius, 'pill');
  const density = pickFactor(DENSITY_FACTORS, theme.density, 'normal');
  const baseSize = clamp(theme.typography?.baseSize ?? 16, 12, 24);
  set.set('--chatkit-font', fontStack(theme.typography?.fontFamily, SYSTEM_FONT));
  set.set('--chatkit-font-mono', fontStack(theme.typography?.fontFamilyMono, MONO_FONT));
  // Grows with the font size set in the browser; a page with a small `rem` does not shrink it.
  set.set('--chatkit-base-size', `max(${baseSize}px, ${baseSize / 16}rem)`);
  set.set('--chatkit-space', `${4 * density}px`);
  const scaled = (px: number): string => `calc(var(--chatkit-base-size) * ${px / 16})`;
  for (const [name, px] of Object.entries(RADII)) set.set(`--chatkit-radius-${name}`, `${px * rounding}px`);
  const isPill = rounding === 1;
  set.set('--chatkit-radius-full', isPill ? '9999px' : `${12 * rounding}px`);
  // Without pills, fields, options and buttons all have the same radius.
  set.set('--chatkit-radius-control', `${(isPill ? 10 : 12) * rounding}px`);
  set.set('--chatkit-radius-composer', `${24 * rounding}px`);
  set.set('--chatkit-radius-bubble', `${20 * rounding}px`);
  set.set('--chatkit-radius-card', `${16 * rounding}px`);
  set.set('--chatkit-radius-popover', `${12 * rounding}px`);
  for (const [name, px] of Object.entries(CONTROLS))
    set.set(`--chatkit-control-${name}`, `max(${px}px, ${px / 16}rem)`);
  for (const [name, px] of Object.entries(GUTTERS)) set.set(`--chatkit-gutter-${name}`, `${px}px`);
  for (const [name, px] of Object.entries(ICONS)) set.set(`--chatkit-icon-${name}`, `max(${px}px, ${px / 16}rem)`);
  for (const [name, [size, line]] of Object.entries(TEXTS)) {
    set.set(`--chatkit-text-${name}-size`, scaled(size));
    set.set(`--chatkit-text-${name}-line`, scaled(line));
  }
  for (const [name, [size, line]] of Object.entries(HEADINGS)) {
    set.set(`--chatkit-heading-${name}-size`, scaled(size));
    set.set(`--chatkit-heading-${name}-line`, scaled(line));
  }
  set.set('--chatkit-column', '800px');
  set.set('--chatkit-duration', '150ms');
  return set;
}

function toCss(set: Declarations): string {
  return [...set].map(([name, value]) => `${name}:${value};`).join('');
}

/** Declarations (without a selector) for a subtree that is always light. */
export const lightColors: CSSResult = unsafeCSS(toCss(buildColors('light')));
/** Declarations (without a selector) for a subtree that is always dark. */
export const darkColors: CSSResult = unsafeCSS(toCss(buildColors('dark')));
/** The tokens of the element before options are set. */
export const defaultTokens: CSSResult = unsafeCSS(`:host{${toCss(buildColors('light'))}${toCss(buildMetrics())}}`);

/** Builds the style sheet of a theme; the page may override any property from outside. */
export function buildThemeSheet(theme: ColorScheme | ThemeOption | undefined): string {
  const option: ThemeOption = typeof theme === 'string' ? {colorScheme: theme} : (theme ?? {});
  const scheme = resolveScheme(theme);
  return `:host{${toCss(buildColors(scheme, option))}${toCss(buildMetrics(option))}}`;
}

/** Returns the contrast of the theme's text and surface colours if it is below the minimum; `undefined` otherwise. */
export function findLowContrast(theme: ColorScheme | ThemeOption): number | undefined {
  const surface = typeof theme === 'string' ? undefined : theme.color?.surface;
  if (!isColor(surface?.background) || !isColor(surface?.foreground)) return undefined;
  const [background, foreground] = [resolveColor(surface.background), resolveColor(surface.foreground)];
  if (!background || !foreground) return undefined;
  const ratio = contrast(background, foreground);
  return ratio >= LEAST_FOR_TEXT && ratio < LEAST_CONTRAST ? Math.round(ratio * 100) / 100 : undefined;
}

/** Builds the print style sheet of a dark theme, which uses light colours; empty for a light theme. */
export function buildPaperSheet(theme: ColorScheme | ThemeOption | undefined): string {
  const option = typeof theme === 'object' ? theme : {};
  return resolveScheme(theme) === 'dark' ? `@media print{:host{${toCss(buildColors('light', option))}}}` : '';
}

/** Returns the scheme of a theme option; light by default. */
export function resolveScheme(theme: ColorScheme | ThemeOption | undefined): ColorScheme {
  const scheme = typeof theme === 'string' ? theme : theme?.colorScheme;
  return scheme === 'dark' ? 'dark' : 'light';
}

/** Whether a value is a valid CSS colour that is safe in a style sheet. */
export function isColor(value: unknown): value is string {
  if (
    typeof value !== 'string' ||
    value.trim() === '' ||
    value.length > 100 ||
    /[;{}<>\\"']|url|var\(|\/\*/i.test(value)
  )
    return false;
  if (parseColor(value)) return true;
  return typeof CSS !== 'undefined' && typeof CSS.supports === 'function' && CSS.supports('color', value);
}

function fontStack(value: unknown, fallback: string): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > 300 || /[;{}<>\\()]|\/\*/.test(value))
    return fallback;
  return `${value}, ${fallback}`;
}

/** Limits a number to a range; anything else becomes 0, or `least` if that is greater. */
function clamp(value: unknown, least: number, most: number): number {
  return typeof value === 'number' && Number.isFinite(value)
    ? Math.min(most, Math.max(least, value))
    : Math.max(0, least);
}

function pickFactor<T extends string>(table: Readonly<Record<T, number>>, key: unknown, fallback: T): number {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key as T] : table[fallback];
}
