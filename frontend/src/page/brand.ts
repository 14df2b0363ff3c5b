/** Applies the brand to the document: CSS variables, favicon, title. */
import {parseColor, readableOn} from '../theme/color.js';
import type {Brand} from './platform.js';

/** Values that `BRAND_PRIMARY_COLOR` accepts. */
const HEX = /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;

/** Sets the favicon, and the CSS variables of `static/branding.css` in a layer that the operator's rules override. */
export function applyBrand(document: Document, brand: Brand): void {
  const rules = buildBrandRules(brand);
  const view = document.defaultView;
  if (rules !== '' && view) {
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(rules);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  const favicon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (favicon && favicon.getAttribute('href') !== brand.faviconUrl) favicon.href = brand.faviconUrl;
}

/** Builds the CSS variables; empty if the colour is invalid: nothing else from the server goes into a style sheet. */
export function buildBrandRules(brand: Brand): string {
  const color = HEX.test(brand.primaryColor) ? parseColor(brand.primaryColor) : undefined;
  if (!color) return '';
  return `@layer brand.settings{:root{--brand-primary:${brand.primaryColor};--brand-on-primary:${readableOn(color)}}}`;
}

/** Returns the effective primary colour, which a rule in `branding.css` may override. */
export function primaryColor(document: Document, brand: Brand): string {
  const style = document.defaultView?.getComputedStyle(document.documentElement);
  const value = style?.getPropertyValue('--brand-primary').trim() ?? '';
  return parseColor(value) ? value : brand.primaryColor;
}

export function buildTitle(brand: Brand, useCaseTitle?: string): string {
  return useCaseTitle === undefined ? brand.name : `${useCaseTitle} · ${brand.name}`;
}
