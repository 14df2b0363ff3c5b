/** The Markdown parser: GitHub’s dialect with formulas, markers and a little HTML. Its output has no inline styles. */
import MarkdownIt, {type MarkdownIt as Parser, type Token} from 'markdown-it';
import {isSafeLink} from '../links.js';
import {addFlanking} from './flanking.js';
import {addHTMLSubset} from './html-subset.js';
import {addMarkers} from './markers.js';
import {addMath} from './math-syntax.js';
import {addTableFormulas} from './table-cells.js';

const MAX_LANGUAGE_CHARS = 40;

/** Maps a heading level below that of the turns, which is 3; most answers start with level 2. */
function headingLevel(tag: string | undefined): number {
  return Math.min(6, Math.max(4, Number(tag?.slice(1)) + 2));
}

/** Returns the language of a code block: the first word after the fence. */
export function languageOf(token: Token): string {
  return token.info.trim().split(/\s+/, 1)[0]?.slice(0, MAX_LANGUAGE_CHARS) ?? '';
}

export function createParser(): Parser {
  // A single line break is meant as one, by users and models.
  const parser = new MarkdownIt({html: false, linkify: true, breaks: true, typographer: false});
  parser.validateLink = url => isSafeLink(url) || /^data:image\//i.test(url);
  addFlanking(parser);
  addMath(parser);
  addTableFormulas(parser);
  addHTMLSubset(parser);
  addMarkers(parser);
  const {rules} = parser.renderer;
  const {escapeHtml} = parser.utils;
  rules.heading_open = (tokens, at) => {
    const level = Number(tokens[at]?.tag.slice(1));
    return `<h${headingLevel(tokens[at]?.tag)} class="h${level}">`;
  };
  // The line break separates the heading from the following text where only text is extracted, as for screen readers.
  rules.heading_close = (tokens, at) => `</h${headingLevel(tokens[at]?.tag)}>\n`;
  rules.table_open = () => '<div class="table"><table>';
  rules.table_close = () => '</table></div>';
  // A strict content security policy forbids style attributes.
  for (const rule of ['th_open', 'td_open'] as const) {
    rules[rule] = (tokens, at) => {
      const align = /(left|right|center)/.exec(String(tokens[at]?.attrGet('style') ?? ''))?.[1];
      return `<${tokens[at]?.tag}${align ? ` class="align-${align}"` : ''}>`;
    };
  }
  const renderCode = (tokens: Token[], at: number): string => {
    const token = tokens[at];
    if (token === undefined) return '';
    return `<div class="code" data-language="${escapeHtml(languageOf(token))}"><pre><code>${escapeHtml(token.content)}</code></pre></div>`;
  };
  rules.fence = renderCode;
  rules.code_block = renderCode;
  rules.math = (tokens, at) => `<span class="math">${escapeHtml(tokens[at]?.content ?? '')}</span>`;
  rules.math_block = (tokens, at) => `<div class="math">${escapeHtml(tokens[at]?.content ?? '')}</div>`;
  rules.marker = (tokens, at) => `<span class="marker-${Number(tokens[at]?.content)}"></span>`;
  rules.marker_block = (tokens, at) => `<p><span class="marker-${Number(tokens[at]?.content)}"></span></p>`;
  return parser;
}
