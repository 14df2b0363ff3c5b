/** Pictures within Markdown: those that may be loaded, and buttons in place of the others, which a person may ask for. */
import {isSafeImage} from '../links.js';
import {strings} from '../strings.js';

export interface ImageRules {
  /** Origins that pictures may come from besides the page's own, as `isSafeImage` reads them; by default there are none. */
  readonly imageDomains?: readonly string[] | undefined;
  /** Addresses that the person has asked for; without the set there are no buttons to ask, and alternative texts only. */
  readonly askedImages?: ReadonlySet<string> | undefined;
}

/** Names the button of a picture that is not loaded unasked. */
export const BLOCKED_IMAGE = 'blocked-image';
const MAX_ALT_CHARS = 200;

/** Lets a picture of a rendered text load, or puts what may be there in its place. Nothing has been fetched so far. */
export function secureImage(image: Element, {imageDomains = [], askedImages}: ImageRules, isPartial: boolean): void {
  const source = image.getAttribute('src') ?? '';
  const alt = image.getAttribute('alt') ?? '';
  if (askedImages?.has(source)) {
    image.replaceWith(buildAskedImage(source, alt));
    return;
  }
  if (isSafeImage(source, imageDomains, document.baseURI)) {
    // An address that is still arriving would be fetched half.
    if (isPartial) image.replaceWith(alt);
    else letLoad(image);
    return;
  }
  if (!askedImages || !isSafeImage(source, undefined, document.baseURI)) {
    image.replaceWith(alt);
    return;
  }
  const button = buildButton(source, alt);
  const link = image.closest('a');
  // A button within a link would be two things to press in one place.
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

/** Has pictures that a person asks for shown in frames. Of the whole page, as is the policy that makes them necessary. */
export function showImagesInFrames(address: string | undefined): void {
  frameAddress = address;
}

/** The picture that a person has asked for. Focus may go to it, since the button that had it is gone. */
export function buildAskedImage(source: string, alt: string): HTMLImageElement | HTMLIFrameElement {
  if (frameAddress !== undefined) return buildFrame(frameAddress, source, alt);
  const image = document.createElement('img');
  image.setAttribute('src', source);
  image.setAttribute('alt', alt);
  image.setAttribute('tabindex', '-1');
  letLoad(image);
  return image;
}

/** Whether what was asked for has come; a frame takes the size of its picture. */
export async function whenShown(asked: HTMLImageElement | HTMLIFrameElement): Promise<boolean> {
  const isLoaded = await settled(asked);
  if (asked instanceof HTMLImageElement || !isLoaded) return isLoaded;
  const image = asked.contentDocument?.images[0];
  if (!image) return false;
  if (!image.complete) await settled(image);
  const {naturalWidth, naturalHeight} = image;
  if (naturalWidth === 0) return false;
  asked.style.inlineSize = `${naturalWidth}px`;
  asked.style.aspectRatio = `${naturalWidth} / ${naturalHeight}`;
  return true;
}

function settled(element: HTMLElement): Promise<boolean> {
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

/** Builds a link in place of a picture that has not come: no policy of the page stands in the way of it. */
export function buildFailedImage(source: string, alt: string): HTMLAnchorElement {
  const link = document.createElement('a');
  link.className = BLOCKED_IMAGE;
  link.href = source;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  link.append(...describe(alt, strings.pictureFailed(hostOf(source))));
  return link;
}

function buildButton(source: string, alt: string): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = BLOCKED_IMAGE;
  button.dataset.src = source;
  button.dataset.alt = alt;
  button.append(...describe(alt, strings.loadPicture(hostOf(source))));
  return button;
}

function describe(alt: string, deed: string): readonly Node[] {
  const name = document.createElement('span');
  name.className = 'blocked-alt';
  name.dir = 'auto';
  name.textContent = alt.length > MAX_ALT_CHARS ? `${alt.slice(0, MAX_ALT_CHARS)}…` : alt || strings.picture;
  const what = document.createElement('span');
  what.className = 'blocked-deed';
  what.textContent = deed;
  return [name, document.createTextNode(' '), what];
}

function letLoad(image: Element): void {
  image.setAttribute('loading', 'lazy');
  image.setAttribute('referrerpolicy', 'no-referrer');
}

function hostOf(source: string): string {
  return new URL(source, document.baseURI).host;
}
