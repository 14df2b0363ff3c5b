/** The Markdown parser: GitHub’s dialect, with formulas and markers and hardly any HTML; its output has no inline styles. */
import MarkdownIt, {type MarkdownIt as Parser, type Token} from 'markdown-it';
import {isSafeLink} from '../links.js';
import {addFlanking} from './flanking.js';
import {addHTMLSubset} from './html-subset.js';
import {addMarkers} from './markers.js';
import {addMath} from './math-syntax.js';
import {addTableFormulas} from './table-cells.js';

const MAX_LANGUAGE_CHARS = 40;

/** Turn headings are level 3, so an answer's own start below; most answers begin with their second level. */
function headingLevel(tag: string | undefined): number {
  return Math.min(6, Math.max(4, Number(tag?.slice(1)) + 2));
}

/** The word after a fence, as it is shown. */
export function languageOf(token: Token): string {
  return token.info.trim().split(/\s+/, 1)[0]?.slice(0, MAX_LANGUAGE_CHARS) ?? '';
}

export function createParser(): Parser {
  // People and models end a line where they want one to end.
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
  // The line end keeps its last word apart from what follows where only the text is taken, as for screen readers.
  rules.heading_close = (tokens, at) => `</h${headingLevel(tokens[at]?.tag)}>\n`;
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
    if (token === undefined) return '';
    return `<div class="code" data-language="${escapeHtml(languageOf(token))}"><pre><code>${escapeHtml(token.content)}</code></pre></div>`;
  };
  rules.fence = code;
  rules.code_block = code;
  rules.math = (tokens, at) => `<span class="math">${escapeHtml(tokens[at]?.content ?? '')}</span>`;
  rules.math_block = (tokens, at) => `<div class="math">${escapeHtml(tokens[at]?.content ?? '')}</div>`;
  rules.marker = (tokens, at) => `<span class="marker-${Number(tokens[at]?.content)}"></span>`;
  rules.marker_block = (tokens, at) => `<p><span class="marker-${Number(tokens[at]?.content)}"></span></p>`;
  return parser;
}
