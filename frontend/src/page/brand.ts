/** Puts the brand into the document: CSS variables, favicon, title. */
import {parseColor, readableOn} from '../theme/color.js';
import type {Brand} from './platform.js';

/** Values that `BRAND_PRIMARY_COLOR` accepts. */
const HEX = /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;

/** The document's icon and the CSS variables of `static/branding.css`, in a layer that the operator's own rules beat. */
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

/** Empty when the colour is none: nothing else from the server gets into a style sheet. */
export function buildBrandRules(brand: Brand): string {
  const color = HEX.test(brand.primaryColor) ? parseColor(brand.primaryColor) : undefined;
  if (!color) return '';
  return `@layer brand.settings{:root{--brand-primary:${brand.primaryColor};--brand-on-primary:${readableOn(color)}}}`;
}

/** The primary colour in effect: an operator's rule in `branding.css` may have replaced the configured one. */
export function primaryColor(document: Document, brand: Brand): string {
  const style = document.defaultView?.getComputedStyle(document.documentElement);
  const value = style?.getPropertyValue('--brand-primary').trim() ?? '';
  return parseColor(value) ? value : brand.primaryColor;
}

export function buildTitle(brand: Brand, useCaseTitle?: string): string {
  return useCaseTitle === undefined ? brand.name : `${useCaseTitle} · ${brand.name}`;
}
