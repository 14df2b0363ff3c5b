/** Markdown -> sanitised DOM, block by block: while text streams in, only the last block is drawn again. */
import DOMPurify from 'dompurify';
import MarkdownIt, {type Env, type MarkdownIt as Parser, type Token} from 'markdown-it';
import {isSafeImage, isSafeLink} from './links.js';
import {strings} from './strings.js';

type References = Record<string, {title: string; href: string}>;

export interface MarkdownOptions {
  /** Hosts that images may come from; `undefined` means any. */
  readonly imageDomains?: readonly string[] | undefined;
  /** Name of the button on a code block; without it there is none. */
  readonly copyLabel?: string | undefined;
}

const SANITISING = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'strong', 'em', 's', 'del', 'code', 'pre', 'a', 'ul', 'ol', 'li', 'blockquote', 'img', 'div'],
    ...['h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href', 'title', 'src', 'alt', 'class', 'start', 'data-language'],
  ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel|chatkit-link):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

/** Turn headings are level 3, so an answer's own start below; most answers begin with their second level. */
function headingLevel(tag: string | undefined): number {
  return Math.min(6, Math.max(4, Number(tag?.slice(1)) + 2));
}

const markdown = createParser();

function createParser(): Parser {
  const parser = new MarkdownIt({html: false, linkify: true, breaks: false, typographer: false});
  parser.linkify.set({fuzzyEmail: false, fuzzyLink: false});
  parser.validateLink = url => isSafeLink(url) || /^data:image\//i.test(url);
  const {rules} = parser.renderer;
  rules.heading_open = (tokens, at) => {
    const level = Number(tokens[at]?.tag.slice(1));
    return `<h${headingLevel(tokens[at]?.tag)} class="h${level}">`;
  };
  rules.heading_close = (tokens, at) => `</h${headingLevel(tokens[at]?.tag)}>`;
  rules.table_open = () => '<div class="table"><table>';
  rules.table_close = () => '</table></div>';
  // A style attribute would be refused by a strict content security policy.
  for (const rule of ['th_open', 'td_open'] as const) {
    rules[rule] = (tokens, at) => {
      const align = /(left|right|center)/.exec(String(tokens[at]?.attrGet('style') ?? ''))?.[1];
      return `<${tokens[at]?.tag}${align ? ` class="align-${align}"` : ''}>`;
    };
  }
  const code = (tokens: Token[], at: number): string => {
    const token = tokens[at];
    const language = parser.utils.escapeHtml(token?.info.trim().split(/\s+/, 1)[0]?.slice(0, 40) ?? '');
    return `<div class="code" data-language="${language}"><pre><code>${parser.utils.escapeHtml(token?.content ?? '')}</code></pre></div>`;
  };
  rules.fence = code;
  rules.code_block = code;
  return parser;
}

/** Sanitised DOM of a whole text. For what streams, use `MarkdownBlocks`. */
export function renderMarkdown(text: string, options: MarkdownOptions = {}): DocumentFragment {
  return draw(markdown.parse(text, {}), {}, options, false);
}

function draw(tokens: Token[], env: Env, options: MarkdownOptions, isPartial: boolean): DocumentFragment {
  const dirty = markdown.renderer.render(tokens, markdown.options, env);
  // The fragment belongs to an inert document until it is adopted: nothing in it loads before it is checked here.
  const fragment = DOMPurify.sanitize(dirty, {...SANITISING, RETURN_DOM_FRAGMENT: true});
  for (const link of fragment.querySelectorAll('a')) secureLink(link);
  for (const image of fragment.querySelectorAll('img')) secureImage(image, options, isPartial);
  for (const item of fragment.querySelectorAll('li')) markTask(item);
  for (const block of fragment.querySelectorAll('.code')) addCodeBar(block, options);
  for (const table of fragment.querySelectorAll('.table')) table.setAttribute('tabindex', '0');
  return fragment;
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

function secureImage(image: Element, {imageDomains}: MarkdownOptions, isPartial: boolean): void {
  // An address that is still arriving would be fetched half.
  if (!isPartial && isSafeImage(image.getAttribute('src') ?? '', imageDomains, document.baseURI)) {
    image.setAttribute('loading', 'lazy');
    image.setAttribute('referrerpolicy', 'no-referrer');
    return;
  }
  image.replaceWith(image.getAttribute('alt') ?? '');
}

function markTask(item: Element): void {
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

/** Draws a growing text into `target`. Finished blocks are never touched again. */
export class MarkdownBlocks {
  readonly #target: Node & ParentNode;
  #options: MarkdownOptions = {};
  #drawn = '';
  /** How much of the text is in finished blocks. */
  #finished = 0;
  #references: References = {};
  #live: ChildNode[] = [];

  constructor(target: Node & ParentNode) {
    this.#target = target;
  }

  /** Makes the target show `text`. With `isStreaming` the last block counts as unfinished. */
  render(text: string, isStreaming: boolean, options: MarkdownOptions): void {
    const source = text.replace(/\r\n?/g, '\n');
    const isSameKind =
      options.copyLabel === this.#options.copyLabel && options.imageDomains === this.#options.imageDomains;
    // A definition may come after the link that uses it: a finished text is then read as one.
    const needsWhole = !isStreaming && this.#finished > 0 && /^ {0,3}\[[^\]\n]+\]:/m.test(source);
    if (!source.startsWith(this.#drawn) || !isSameKind || needsWhole) this.#clear();
    this.#options = options;
    this.#drawn = source;
    if (isStreaming) this.#finishBlocks(source);
    this.#drawLive(source.slice(this.#finished), isStreaming);
  }

  #clear(): void {
    this.#target.replaceChildren();
    this.#finished = 0;
    this.#references = {};
    this.#live = [];
  }

  /** Moves every block but the last to the finished ones. */
  #finishBlocks(source: string): void {
    const tail = source.slice(this.#finished);
    const tokens = markdown.parse(tail, {references: {...this.#references}});
    const lastLine = tokens.findLast(token => token.level === 0 && token.map !== null)?.map?.[0] ?? 0;
    if (lastLine === 0) return;
    const done = tail.slice(0, offsetOfLine(tail, lastLine));
    const env = {references: this.#references};
    this.#removeLive();
    this.#target.append(draw(markdown.parse(done, env), env, this.#options, false));
    this.#finished += done.length;
  }

  #drawLive(tail: string, isStreaming: boolean): void {
    const env = {references: {...this.#references}};
    let tokens = markdown.parse(tail, env);
    if (isStreaming && this.#growCode(tokens)) return;
    if (isStreaming && tokens.at(-1)?.type !== 'fence') {
      tokens = markdown.parse(closeOpenMarks(tail), env);
    }
    this.#removeLive();
    const fragment = draw(tokens, env, this.#options, isStreaming);
    this.#live = [...fragment.childNodes];
    this.#target.append(fragment);
  }

  /** Appends to the code block on screen, which keeps its scroll position and selection. */
  #growCode(tokens: readonly Token[]): boolean {
    const [token] = tokens;
    if (tokens.length !== 1 || token?.type !== 'fence') return false;
    const block = this.#live.find((node): node is HTMLElement => node.nodeType === 1);
    const code = block?.matches('.code') ? block.querySelector('code') : null;
    const old = code?.textContent ?? '';
    if (!code || block?.getAttribute('data-language') !== token.info.trim().split(/\s+/, 1)[0]?.slice(0, 40))
      return false;
    if (!token.content.startsWith(old)) return false;
    code.append(token.content.slice(old.length));
    return true;
  }

  #removeLive(): void {
    for (const node of this.#live) node.remove();
    this.#live = [];
  }
}

function offsetOfLine(text: string, line: number): number {
  let offset = 0;
  for (let passed = 0; passed < line; passed += 1) offset = text.indexOf('\n', offset) + 1;
  return offset;
}

/** Closes what the last block has opened so far, so that half-received marks do not show. */
export function closeOpenMarks(text: string): string {
  let closed = text
    // A lone dash or equals sign below a line would make it a heading until the list item arrives.
    .replace(/\n {0,3}(?:-+|=+) *$/, '')
    // A link or image whose address is still arriving shows as its label.
    .replace(/!?\[([^\]\n]*)\]\([^)\n]*$/, '$1')
    .replace(/!?\[([^\]\n]*)$/, '$1');
  if (count(closed, /`/g) % 2 === 1) return `${closed}\``;
  const prose = closed.replace(/`[^`]*`/g, '');
  for (const mark of ['**', '~~']) {
    if (count(prose, mark === '**' ? /\*\*/g : /~~/g) % 2 === 0) continue;
    closed = closed.endsWith(mark) ? closed.slice(0, -mark.length) : `${closed.trimEnd()}${mark}`;
  }
  if (count(prose.replaceAll('**', ''), /(?<=^|[\s(])\*(?=\S)|(?<=\S)\*(?!\S)/g) % 2 === 1 && !closed.endsWith('*')) {
    closed = `${closed.trimEnd()}*`;
  }
  return closed;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
