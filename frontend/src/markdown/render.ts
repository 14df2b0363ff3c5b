/** Renders Markdown as sanitised DOM; the only file that parses HTML. */
import DOMPurify from 'dompurify';
import type {Env} from 'markdown-it';
import {isSafeLink} from '../links.js';
import {strings} from '../strings.js';
import {type ImageRules, secureImage} from './images.js';
import {type PlacedMarker, withMarkers} from './markers.js';
import {PARTIAL} from './math-syntax.js';
import {createParser} from './parser.js';

export type References = Record<string, {title: string; href: string}>;

export interface MarkdownOptions extends ImageRules {
  /** Label of the copy button on code blocks; without it there is no button. */
  readonly copyLabel?: string | undefined;
  /** Called with each rendered block; `isFinished` is false while its text may grow. */
  readonly enhance?: ((drawn: ParentNode, isFinished: boolean) => void) | undefined;
}

export interface DrawDetails {
  /** Link definitions; those in the text are added to them. */
  readonly references?: References;
  readonly markers?: readonly PlacedMarker[];
  /** Builds the node at the position of a marker. */
  readonly buildMarker?: (number: number) => Node | undefined;
  /** Whether the text may be incomplete. */
  readonly isPartial?: boolean;
}

const SANITISING = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'strong', 'em', 's', 'del', 'code', 'pre', 'a', 'ul', 'ol', 'li', 'blockquote', 'img', 'div'],
    ...['h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'span', 'details', 'summary'],
  ],
  ALLOWED_ATTR: ['href', 'title', 'src', 'alt', 'class', 'start', 'data-language', 'open'],
  ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel|chatkit-link):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

export const parser = createParser();

/** Renders text as sanitised DOM, the protection against XSS. Use `MarkdownBlocks` for streaming or long texts. */
export function renderMarkdown(
  text: string,
  options: MarkdownOptions = {},
  {references = {}, markers = [], buildMarker, isPartial = false}: DrawDetails = {},
): DocumentFragment {
  const env: Env = withMarkers({references, [PARTIAL]: isPartial}, markers);
  const dirty = parser.renderer.render(parser.parse(text, env), parser.options, env);
  // The fragment belongs to an inert document until it is adopted: nothing in it is loaded before the checks below.
  const fragment = DOMPurify.sanitize(dirty, {...SANITISING, RETURN_DOM_FRAGMENT: true});
  for (const link of fragment.querySelectorAll('a')) secureLink(link);
  for (const image of fragment.querySelectorAll('img')) secureImage(image, options, isPartial);
  for (const item of fragment.querySelectorAll('li')) addTaskCheckbox(item);
  for (const block of fragment.querySelectorAll('.code')) addCodeBar(block, options);
  for (const table of fragment.querySelectorAll('.table')) table.setAttribute('tabindex', '0');
  for (const block of fragment.children) setDirection(block);
  for (const {number} of markers) {
    const place = fragment.querySelector(`.marker-${number}`);
    const marker = buildMarker?.(number);
    if (marker) place?.replaceWith(marker);
    else place?.remove();
  }
  return fragment;
}

/** Sets the text direction of lists, tables and similar blocks; that of paragraphs is set by the style sheet. */
function setDirection(block: Element): void {
  if (block.matches('ul, ol, blockquote, .table, details')) block.setAttribute('dir', 'auto');
  // A block without letters has no direction of its own, and follows the answer.
  else if (!/\p{L}/u.test(block.textContent ?? '')) block.classList.add('neutral');
}

function secureLink(link: Element): void {
  const href = link.getAttribute('href') ?? '';
  if (!isSafeLink(href)) {
    link.removeAttribute('href');
    return;
  }
  link.setAttribute('rel', 'noopener noreferrer');
  link.setAttribute('target', '_blank');
}

function addTaskCheckbox(item: Element): void {
  const first = item.firstElementChild?.tagName === 'P' ? item.firstElementChild.firstChild : item.firstChild;
  const match = first?.nodeType === 3 ? /^\s*\[([ xX])\]\s+/.exec(first.nodeValue ?? '') : null;
  if (!first || !match) return;
  first.nodeValue = (first.nodeValue ?? '').slice(match[0].length);
  const box = item.ownerDocument.createElement('input');
  box.setAttribute('type', 'checkbox');
  box.setAttribute('disabled', '');
  if (match[1] !== ' ') box.setAttribute('checked', '');
  box.setAttribute('aria-label', match[1] === ' ' ? strings.taskOpen : strings.taskComplete);
  first.parentNode?.insertBefore(box, first);
  item.classList.add('task');
}

function addCodeBar(block: Element, {copyLabel}: MarkdownOptions): void {
  block.querySelector('pre')?.setAttribute('tabindex', '0');
  const bar = block.ownerDocument.createElement('div');
  bar.className = 'code-bar';
  const name = block.ownerDocument.createElement('span');
  name.textContent = block.getAttribute('data-language') || 'text';
  bar.append(name);
  if (copyLabel !== undefined) {
    const button = block.ownerDocument.createElement('button');
    button.setAttribute('type', 'button');
    button.className = 'copy-code';
    button.textContent = copyLabel;
    bar.append(button);
  }
  block.prepend(bar);
}
