import {beforeEach, describe, expect, it} from 'vitest';
import {applyBrand, buildBrandRules, primaryColor} from './brand.js';
import {type Brand, DEFAULT_CHATKIT_URL} from './platform.js';

const BRAND: Brand = {
  name: 'Acme',
  tagline: '',
  logoUrl: '/logo.png',
  primaryColor: '#fde047',
  faviconUrl: '/icon.png',
  chatkitJsUrl: DEFAULT_CHATKIT_URL,
};
describe('applyBrand', () => {
  beforeEach(() => {
    document.adoptedStyleSheets = [];
  });

  it('sets the primary colour and a text colour that can be read on it', () => {
    expect(buildBrandRules(BRAND)).toBe(
      '@layer brand.settings{:root{--brand-primary:#fde047;--brand-on-primary:#0d0d0d}}',
    );
    applyBrand(document, BRAND);
    expect(document.adoptedStyleSheets).toHaveLength(1);
  });

  it('puts nothing into a style sheet that is not a colour', () => {
    applyBrand(document, {...BRAND, primaryColor: 'red;}body{display:none'});
    expect(document.adoptedStyleSheets).toEqual([]);
  });

  it('prefers the colour that an operator wrote into the style sheet', () => {
    document.documentElement.style.setProperty('--brand-primary', '#0ea5e9');
    expect(primaryColor(document, BRAND)).toBe('#0ea5e9');
    document.documentElement.style.removeProperty('--brand-primary');
    expect(primaryColor(document, BRAND)).toBe('#fde047');
  });
});
