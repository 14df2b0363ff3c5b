import type {ThemeOption} from '@openai/chatkit';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import '../define.js';
import type {OpenAIChatKitElement} from '../element.js';
import {contrast, parseColor, type RGB} from './color.js';
import {buildThemeSheet} from './tokens.js';

/** The values that a theme gives the element, with `var()` followed to its end. */
function valuesOf(theme: ThemeOption | 'light' | 'dark'): ReadonlyMap<string, string> {
  const raw = new Map(
    [...buildThemeSheet(theme).matchAll(/([\w-]+):([^;{}]+);/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const follow = (value: string): string =>
    value.replace(/var\((--[\w-]+)\)/g, (_, name: string) => follow(raw.get(name) ?? ''));
  return new Map([...raw].map(([name, value]) => [name, follow(value)]));
}

function changedProperties(theme: ThemeOption | 'dark'): readonly string[] {
  const [before, after] = [valuesOf('light'), valuesOf(theme)];
  return [...after].filter(([name, value]) => before.get(name) !== value).map(([name]) => name);
}

const accent = (level: 0 | 1 | 2 | 3): ThemeOption => ({color: {accent: {primary: '#0a7d5c', level}}});

describe('a theme option changes what it is about, and nothing else', () => {
  it.each<[string, ThemeOption | 'dark', RegExp, RegExp]>([
    ['dark', 'dark', /^(color-scheme|--chatkit-(surface|text-primary|gray-0))$/, /radius|space|font|size/],
    ['colorScheme', {colorScheme: 'dark'}, /^(color-scheme|--chatkit-surface)$/, /radius|space|font|size/],
    ['radius round', {radius: 'round'}, /radius-(composer|bubble|card|md)$/, /^(?!--chatkit-radius)/],
    ['radius soft', {radius: 'soft'}, /radius-(composer|bubble|card|md)$/, /^(?!--chatkit-radius)/],
    ['radius sharp', {radius: 'sharp'}, /radius-(composer|bubble|card|md)$/, /^(?!--chatkit-radius)/],
    ['density compact', {density: 'compact'}, /^--chatkit-space$/, /^(?!--chatkit-space$)/],
    ['density spacious', {density: 'spacious'}, /^--chatkit-space$/, /^(?!--chatkit-space$)/],
    ...([14, 15, 17, 18] as const).map(
      baseSize =>
        [
          `baseSize ${baseSize}`,
          {typography: {baseSize}},
          /^--chatkit-(base-size|text-md-size)$/,
          /radius|surface/,
        ] as [string, ThemeOption, RegExp, RegExp],
    ),
    ['fontFamily', {typography: {fontFamily: 'Inter'}}, /^--chatkit-font$/, /^(?!--chatkit-font$)/],
    ['fontFamilyMono', {typography: {fontFamilyMono: 'Fira'}}, /^--chatkit-font-mono$/, /^(?!--chatkit-font-mono$)/],
    ['hue and tint', {color: {grayscale: {hue: 220, tint: 6}}}, /^--chatkit-(gray-100|surface)$/, /accent$|radius/],
    ['shade', {color: {grayscale: {hue: 0, tint: 0, shade: -4}}}, /^--chatkit-(gray-100|surface)$/, /accent$|radius/],
    ['accent level 0', accent(0), /^--chatkit-accent$/, /focus|bubble|radius|gray/],
    ['accent level 1', accent(1), /^--chatkit-(accent|focus)$/, /bubble|radius|gray/],
    ['accent level 2', accent(2), /^--chatkit-(accent|focus|bubble)$/, /bubble-text|radius|gray/],
    ['accent level 3', accent(3), /^--chatkit-(accent|focus|bubble|bubble-text)$/, /radius|gray/],
    [
      'surface',
      {color: {surface: {background: '#fffaf0', foreground: '#402000'}}},
      /^--chatkit-(surface|surface-secondary|text-primary|text-prose)$/,
      /accent$|radius|gray/,
    ],
  ])('%s', (_, theme, expected, untouched) => {
    const changed = changedProperties(theme);
    const wanted = [...valuesOf('light').keys()].filter(name => expected.test(name));
    expect(wanted.length).toBeGreaterThan(0);
    expect(changed).toEqual(expect.arrayContaining(wanted));
    expect(changed.filter(name => untouched.test(name))).toEqual([]);
  });

  it('each value differs from every other one of the same option', () => {
    const sheets = (themes: readonly ThemeOption[]) => new Set(themes.map(theme => buildThemeSheet(theme))).size;
    expect(sheets((['pill', 'round', 'soft', 'sharp'] as const).map(radius => ({radius})))).toBe(4);
    expect(sheets((['compact', 'normal', 'spacious'] as const).map(density => ({density})))).toBe(3);
    expect(sheets(([14, 15, 16, 17, 18] as const).map(baseSize => ({typography: {baseSize}})))).toBe(5);
    expect(sheets(([0, 1, 2, 3] as const).map(accent))).toBe(4);
    const shades = [-4, -1, 0, 1, 4] as const;
    expect(sheets(shades.map(shade => ({color: {grayscale: {hue: 220, tint: 6, shade}}})))).toBe(5);
    expect(sheets([0, 4, 9].map(tint => ({color: {grayscale: {hue: 220, tint: tint as 0}}})))).toBe(3);
  });

  it.each(['#ffffff', '#ffff00', '#f5f5f5', '#808080', '#767676', '#00ff00', '#0a7d5c', '#000000', 'hsl(50 100% 50%)'])(
    'text on the accent %s reads well in both schemes, in bubbles too',
    primary => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const values = valuesOf({colorScheme, color: {accent: {primary, level: 3}}});
        const rgb = (name: string) => parseColor(values.get(`--chatkit-${name}`) ?? '') as RGB;
        expect(contrast(rgb('on-accent'), rgb('accent'))).toBeGreaterThanOrEqual(4.5);
        expect(contrast(rgb('bubble-text'), rgb('bubble'))).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  it('a pair of surfaces that nobody could read is no pair of text and page', () => {
    const dark = valuesOf({colorScheme: 'dark', color: {surface: {background: '#0d1117', foreground: '#1d222b'}}});
    expect(dark.get('--chatkit-surface')).toBe('#0d1117');
    expect(dark.get('--chatkit-surface-elevated')).toBe('#1d222b');
    expect(dark.get('--chatkit-text-primary')).not.toBe('#1d222b');
    // The same twice, as playgrounds write it; and a page darker than its scheme.
    const same = valuesOf({color: {surface: {background: '#ffffff', foreground: '#ffffff'}}});
    expect(same.get('--chatkit-text-primary')).toBe(valuesOf('light').get('--chatkit-text-primary'));
    const night = valuesOf({color: {surface: {background: '#101010', foreground: '#1b1b1b'}}});
    expect(night.get('--chatkit-text-primary')).toBe('#ffffff');
  });

  it.each([
    [0, 29],
    [120, 142],
    [220, 262],
  ])('the hue %i is that of hsl(), so that the grays go with the colours of the page', (hue, inOKLCH) => {
    const gray = valuesOf({color: {grayscale: {hue, tint: 6, shade: 0}}}).get('--chatkit-gray-500') ?? '';
    const [, chroma, angle] = /^oklch\(\S+ (\S+) (\S+)\)$/.exec(gray)?.map(Number) ?? [];
    expect(Math.abs((angle ?? 0) - inOKLCH)).toBeLessThan(6);
    expect(chroma).toBeGreaterThan(0.02);
  });

  it.each(['light', 'dark'] as const)(
    'a tint colours every surface in the %s scheme, and dyes no white page',
    scheme => {
      const values = valuesOf({colorScheme: scheme, color: {grayscale: {hue: 220, tint: 6, shade: -4}}});
      for (const name of ['surface', 'surface-secondary', 'surface-elevated', 'surface-elevated-secondary']) {
        expect(values.get(`--chatkit-${name}`), name).toMatch(/^oklch/);
      }
      const [, lightness, chroma] =
        /^oklch\((\S+)% (\S+) /.exec(values.get('--chatkit-surface') ?? '')?.map(Number) ?? [];
      if (scheme === 'light') {
        expect(lightness).toBeGreaterThan(97);
        expect(chroma).toBeLessThan(0.005);
      } else expect(chroma).toBeGreaterThan(0.015);
    },
  );

  it.each(['light', 'dark'] as const)('its own text colours read well on its surfaces in the %s scheme', scheme => {
    const values = valuesOf(scheme);
    const rgb = (name: string) => parseColor(values.get(`--chatkit-${name}`) ?? '');
    for (const surface of ['surface', 'surface-elevated']) {
      for (const text of ['primary', 'secondary', 'success', 'warning', 'danger', 'info', 'discovery']) {
        const [back, front] = [rgb(surface), rgb(`text-${text}`)];
        expect(contrast(back as RGB, front as RGB), `${text} on ${surface}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
});

describe('the element', () => {
  interface Face {
    readonly family: string;
    readonly source: string;
  }
  let faces: Face[] = [];
  let failing: string[] = [];

  beforeEach(() => {
    faces = [];
    failing = [];
    vi.stubGlobal(
      'FontFace',
      class {
        readonly family: string;
        readonly source: string;
        readonly loaded: Promise<unknown>;
        constructor(family: string, source: string) {
          this.family = family;
          this.source = source;
          this.loaded = failing.includes(family) ? Promise.reject(new Error('bad')) : Promise.resolve(this);
        }
      },
    );
    Object.defineProperty(document, 'fonts', {
      configurable: true,
      value: {
        add: (face: Face) => faces.push(face),
        delete: (face: Face) => void faces.splice(faces.indexOf(face), 1),
      },
    });
  });
  afterEach(() => {
    document.body.replaceChildren();
    Reflect.deleteProperty(document, 'fonts');
    vi.unstubAllGlobals();
  });

  async function mount(theme: ThemeOption) {
    const element = document.createElement('openai-chatkit') as OpenAIChatKitElement;
    const logs: unknown[] = [];
    element.addEventListener('chatkit.log', event => logs.push((event as CustomEvent).detail));
    document.body.append(element);
    element.setOptions({api: {url: '/chatkit', domainKey: 'k', fetch: async () => new Response('{}')}, theme});
    await element.updateComplete;
    await new Promise(resolve => element.addEventListener('chatkit.ready', resolve, {once: true}));
    return {element, logs};
  }

  it('makes the fonts of all chats on a page known to the document, each once', async () => {
    const fontSources = [
      {family: 'Inter', src: '/fonts/inter.woff2', weight: '400'},
      {family: 'Inter', src: '/fonts/inter-bold.woff2', weight: '700'},
      {family: 'Inter', src: '/fonts/inter.woff2', weight: '400'},
    ] as unknown as NonNullable<NonNullable<ThemeOption['typography']>['fontSources']>;
    const {element} = await mount({typography: {fontFamily: 'Inter', fontSources}});
    await mount({typography: {fontSources}});
    element.setOptions({...element.options, theme: {typography: {fontSources}}} as never);
    expect(faces.map(({source}) => source)).toEqual(['url("/fonts/inter.woff2")', 'url("/fonts/inter-bold.woff2")']);
  });

  it('leaves a font in the document as long as a chat wants it, and no longer', async () => {
    const fontSources = [{family: 'Inter', src: '/fonts/inter.woff2'}] as never;
    const {element: first} = await mount({typography: {fontSources}});
    const {element: second} = await mount({typography: {fontSources}});
    first.setOptions({...first.options, theme: 'dark'} as never);
    expect(faces).toHaveLength(1);
    second.remove();
    await Promise.resolve();
    expect(faces).toEqual([]);
    document.body.append(second);
    expect(faces).toHaveLength(1);
  });

  it('says which font could not be read, and passes over what is none', async () => {
    failing = ['Broken'];
    const fontSources = [{family: 'Broken', src: '/no.woff2'}, null, {family: 7}, 'x'] as never;
    const {logs} = await mount({typography: {fontSources}});
    await vi.waitFor(() => expect(logs).toContainEqual({name: 'theme.font_failed', data: {family: 'Broken'}}));
    expect(faces).toHaveLength(1);
  });

  it('takes a pair of surface colours that is hard to read as it is, and says so', async () => {
    const surface = {background: '#ffffff', foreground: '#aaaaaa'};
    const {element, logs} = await mount({color: {surface}});
    expect(logs).toContainEqual({name: 'theme.low_contrast', data: {pair: 'color.surface', ratio: 2.32, least: 4.5}});
    const sheets = element.shadowRoot?.adoptedStyleSheets ?? [];
    const texts = sheets.map(sheet => [...sheet.cssRules].map(rule => rule.cssText).join('')).join('');
    expect(texts).toContain('#aaaaaa');
    const {logs: silent} = await mount({color: {surface: {background: '#ffffff', foreground: '#333333'}}});
    expect(silent).toEqual([]);
  });
});
