/** Images in Markdown: allowed ones are loaded; others become buttons that load the image on request. */
import {isSafeImage} from '../links.js';
import {strings} from '../strings.js';

export interface ImageRules {
  /** Origins that images may come from besides the page's own, in the syntax of `isSafeImage`; by default none. */
  readonly imageDomains?: readonly string[] | undefined;
  /** URLs that the user has requested; without the set, blocked images are shown as their alternative text only. */
  readonly requested?: ReadonlySet<string> | undefined;
}

/** Class of the button in place of a blocked image. */
export const BLOCKED_IMAGE = 'blocked-image';
const MAX_ALT_CHARS = 200;

/** Allows an image of rendered Markdown to load, or replaces it. Nothing has been fetched before. */
export function secureImage(image: Element, {imageDomains = [], requested}: ImageRules, isPartial: boolean): void {
  const source = image.getAttribute('src') ?? '';
  const alt = image.getAttribute('alt') ?? '';
  if (requested?.has(source)) {
    image.replaceWith(buildRequestedImage(source, alt));
    return;
  }
  if (isSafeImage(source, imageDomains, document.baseURI)) {
    // The address may be incomplete while the text is streaming.
    if (isPartial) image.replaceWith(alt);
    else allowLoading(image);
    return;
  }
  if (!requested || !isSafeImage(source, undefined, document.baseURI)) {
    image.replaceWith(alt);
    return;
  }
  const button = buildButton(source, alt);
  const link = image.closest('a');
  // A button inside a link would be two nested controls.
  if (!link) image.replaceWith(button);
  else if (link.textContent?.trim()) {
    image.remove();
    link.after(' ', button);
  } else {
    image.replaceWith(alt || link.getAttribute('href') || '');
    link.after(' ', button);
  }
}

let frameAddress: string | undefined;

/** Sets the document that shows requested images in frames; global, like the CSP that requires it. */
export function showImagesInFrames(address: string | undefined): void {
  frameAddress = address;
}

/** Builds an image that the user has requested. It is focusable, because the button that had the focus is removed. */
export function buildRequestedImage(source: string, alt: string): HTMLImageElement | HTMLIFrameElement {
  if (frameAddress !== undefined) return buildFrame(frameAddress, source, alt);
  const image = document.createElement('img');
  image.setAttribute('src', source);
  image.setAttribute('alt', alt);
  image.setAttribute('tabindex', '-1');
  allowLoading(image);
  return image;
}

/** Waits for a requested image, and gives a frame the size of its image; false if it could not be loaded. */
export async function waitForImage(requested: HTMLImageElement | HTMLIFrameElement): Promise<boolean> {
  const isLoaded = await waitForLoad(requested);
  if (requested instanceof HTMLImageElement || !isLoaded) return isLoaded;
  const image = requested.contentDocument?.images[0];
  if (!image) return false;
  if (!image.complete) await waitForLoad(image);
  const {naturalWidth, naturalHeight} = image;
  if (naturalWidth === 0) return false;
  requested.style.inlineSize = `${naturalWidth}px`;
  requested.style.aspectRatio = `${naturalWidth} / ${naturalHeight}`;
  return true;
}

function waitForLoad(element: HTMLElement): Promise<boolean> {
  return new Promise(resolve => {
    element.addEventListener('load', () => resolve(true), {once: true});
    element.addEventListener('error', () => resolve(false), {once: true});
  });
}

function buildFrame(address: string, source: string, alt: string): HTMLIFrameElement {
  const frame = document.createElement('iframe');
  const absolute = new URL(source, document.baseURI).href;
  frame.setAttribute('src', `${address}?src=${encodeURIComponent(absolute)}`);
  frame.setAttribute('title', alt || strings.picture);
  frame.setAttribute('tabindex', '-1');
  return frame;
}

/** Builds a link in place of an image that failed to load: links are not restricted by the page's policy. */
export function buildFailedImage(source: string, alt: string): HTMLAnchorElement {
  const link = document.createElement('a');
  link.className = BLOCKED_IMAGE;
  link.href = source;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  link.append(...buildLabel(alt, strings.pictureFailed(hostOf(source))));
  return link;
}

function buildButton(source: string, alt: string): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = BLOCKED_IMAGE;
  button.dataset.src = source;
  button.dataset.alt = alt;
  button.append(...buildLabel(alt, strings.loadPicture(hostOf(source))));
  return button;
}

function buildLabel(alt: string, action: string): readonly Node[] {
  const name = document.createElement('span');
  name.className = 'blocked-alt';
  name.dir = 'auto';
  name.textContent = alt.length > MAX_ALT_CHARS ? `${alt.slice(0, MAX_ALT_CHARS)}…` : alt || strings.picture;
  const hint = document.createElement('span');
  hint.className = 'blocked-deed';
  hint.textContent = action;
  return [name, document.createTextNode(' '), hint];
}

function allowLoading(image: Element): void {
  image.setAttribute('loading', 'lazy');
  image.setAttribute('referrerpolicy', 'no-referrer');
}

function hostOf(source: string): string {
  return new URL(source, document.baseURI).host;
}
