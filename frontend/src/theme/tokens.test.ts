import type {ThemeOption} from '@openai/chatkit';
import {describe, expect, it} from 'vitest';
import {contrast, parseColor, type RGB, readableOn} from './color.js';
import {buildColors, buildMetrics, buildThemeSheet, isColor, resolveScheme} from './tokens.js';

const HOSTILE = ['red;}*{display:none', 'url(https://evil.example)', 'red/**/', 'var(--x)', '"', 'a\\62', '', 7, null];

describe('tokens', () => {
  it('declares the same properties in light and dark', () => {
    expect([...buildColors('dark').keys()].sort()).toEqual([...buildColors('light').keys()].sort());
  });

  it('refers only to properties that exist', () => {
    const sheet = buildThemeSheet('dark');
    for (const [, name] of sheet.matchAll(/var\((--chatkit-[\w-]+)/g)) expect(sheet).toContain(`${name}:`);
  });

  it.each(HOSTILE)('lets no %j into the style sheet', value => {
    const bad = value as string;
    const theme = {
      colorScheme: bad as 'dark',
      radius: bad as 'pill',
      density: bad as 'normal',
      typography: {fontFamily: `x${bad};}*{`, baseSize: bad as unknown as 16},
      color: {accent: {primary: bad, level: 1 as const}, surface: {background: bad, foreground: bad}},
    };
    expect(isColor(value)).toBe(false);
    const sheet = buildThemeSheet(theme);
    expect(sheet.match(/[{}]/g)).toHaveLength(2);
    expect(sheet).not.toContain('evil');
  });

  it('writes on any accent with a contrast of at least 4.5', () => {
    for (let red = 0; red <= 255; red += 15) {
      for (let green = 0; green <= 255; green += 15) {
        for (let blue = 0; blue <= 255; blue += 15) {
          const text = parseColor(readableOn([red, green, blue])) ?? [0, 0, 0];
          expect(contrast(text, [red, green, blue])).toBeGreaterThanOrEqual(4.5);
        }
      }
    }
  });

  it('puts dark text on a light accent in the dark scheme too', () => {
    expect(buildColors('dark', {color: {accent: {primary: '#f5f5f5', level: 1}}}).get('--chatkit-on-accent')).toBe(
      '#0d0d0d',
    );
  });

  it('colours the own bubble only at level 3', () => {
    const bubble = (level: 0 | 1 | 2 | 3) =>
      buildColors('light', {color: {accent: {primary: '#0a7d5c', level}}}).get('--chatkit-bubble');
    expect(bubble(1)).toBe(buildColors('light').get('--chatkit-bubble'));
    expect(bubble(3)).toBe('var(--chatkit-accent)');
  });

  it.each<ThemeOption>([
    {},
    {colorScheme: 'dark'},
    ...([0, 90, 220] as const).flatMap(hue =>
      ([-4, 0, 4] as const).flatMap(shade =>
        (['light', 'dark'] as const).map(
          colorScheme => ({colorScheme, color: {grayscale: {hue, tint: 9, shade}}}) as ThemeOption,
        ),
      ),
    ),
    {color: {accent: {primary: '#ffe000', level: 1}}},
    {colorScheme: 'dark', color: {accent: {primary: '#0a1a4a', level: 1}}},
    {color: {surface: {background: '#d8cbb0', foreground: '#2b2413'}}},
    {colorScheme: 'dark', color: {surface: {background: '#0b3d66', foreground: '#ffffff'}}},
    {color: {surface: {background: '#808080', foreground: '#000000'}}},
  ])('lines around fields and the focus stand out from every surface: %j', theme => {
    const colors = buildColors(theme.colorScheme ?? 'light', theme);
    const colorOf = (name: string): RGB | undefined => {
      const value = colors.get(`--chatkit-${name}`) ?? '';
      const other = /^var\(--chatkit-(.*)\)$/.exec(value)?.[1];
      return other === undefined ? parseColor(value) : colorOf(other);
    };
    // Mixtures are the browser's; those of the page's own surface are looked at there.
    const surfaces = ['surface', 'surface-secondary', 'surface-tertiary', 'surface-elevated']
      .map(colorOf)
      .filter(color => color !== undefined);
    expect(surfaces.length).toBeGreaterThan(0);
    for (const line of ['border-control', 'border-accent', 'focus']) {
      const ratios = surfaces.map(surface => contrast(colorOf(line) as RGB, surface));
      expect(Math.min(...ratios), line).toBeGreaterThanOrEqual(3);
      // No louder than it takes.
      if (line === 'border-control') expect(Math.min(...ratios)).toBeLessThan(3.5);
    }
  });

  it('maps radius, density and base size', () => {
    expect(buildMetrics({radius: 'sharp'}).get('--chatkit-radius-composer')).not.toBe(
      buildMetrics().get('--chatkit-radius-composer'),
    );
    expect(buildMetrics({density: 'compact'}).get('--chatkit-space')).toBe('3px');
    expect(buildMetrics({typography: {baseSize: 18}}).get('--chatkit-base-size')).toBe('max(18px, 1.125rem)');
  });

  it('is light unless it is told otherwise', () => {
    expect(resolveScheme(undefined)).toBe('light');
    expect(resolveScheme('dark')).toBe('dark');
    expect(resolveScheme({colorScheme: 'dark'})).toBe('dark');
  });
});

describe('colours', () => {
  it('are read in the notations that pages use', () => {
    expect(parseColor('#0a7')).toEqual([0, 170, 119]);
    expect(parseColor('#00aa77cc')).toEqual([0, 170, 119]);
    expect(parseColor('rgb(1, 2, 3)')).toEqual([1, 2, 3]);
    expect(parseColor('hsl(120deg 100% 50%)')).toEqual([0, 255, 0]);
    expect(parseColor('#12')).toBeUndefined();
  });
});
