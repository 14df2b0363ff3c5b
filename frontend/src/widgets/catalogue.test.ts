/** The catalogue that Python checks widgets by, against what this client draws. */
import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {renderers} from './registry.js';
import {colorOf, radiusOf} from './values.js';

interface Prop {
  readonly values?: readonly unknown[];
  readonly format?: string;
  readonly tokens?: 'text' | 'background' | 'border' | 'chart';
}

interface Catalogue {
  readonly components: Readonly<Record<string, Readonly<Record<string, Prop>>>>;
  readonly colors: {
    readonly tokens: Readonly<Record<'text' | 'background' | 'border' | 'chart', readonly string[]>>;
    readonly hues: readonly string[];
    readonly steps: readonly number[];
  };
}

const catalogue = JSON.parse(readFileSync('../widgets/catalogue.json', 'utf8')) as Catalogue;

it('names the components that are drawn, and no other', () => {
  expect(Object.keys(catalogue.components).sort()).toEqual(Object.keys(renderers).sort());
});

it('names colours and radii that are drawn as such', () => {
  const {tokens, hues, steps} = catalogue.colors;
  for (const family of ['text', 'background', 'border', 'chart'] as const) {
    for (const name of [...tokens[family], ...hues.flatMap(hue => steps.map(step => `${hue}-${step}`))]) {
      expect(colorOf(name, family), `${family}: ${name}`).toMatch(/^var\(--chatkit-/);
    }
  }
  for (const radius of catalogue.components.Box?.radius?.values ?? []) {
    expect(radiusOf(radius), String(radius)).toBeTypeOf('string');
  }
});
