/** Closes marks that a text which is still arriving has left open, such as `**`, and hides half links and formulas. */
import {OPEN_MARKS, type OpenMark} from './flanking.js';
import {parser} from './render.js';

/** The last line that starts a block of its own; marks do not reach across it. */
const BLOCK_START = /\n(?=[ \t]*(?:[-*+][ \t]|\d{1,9}[.)][ \t]|[>|#]|\n))/g;
const MAX_OPEN_FORMULA_CHARS = 2_000;

/** Marks of items, headings, lines, fences and tags; which of them it is says what follows. */
const HALF_LINE =
  /((?:^|\n)[ \t]*(?:>[ \t]*)*)(?:[-+*_=]+|[-+*][ \t]+|#{1,6}|`{1,2}|`{3,}[^`\n]*|~{1,2}|~{3,}[^\n]*|\||<\/?(?:[a-z]{0,7}|details[^>\n]{0,20}))[ \t]*$/i;
const HALF_NUMBER = /((?:^|\n)[ \t]*(?:>[ \t]*)*)(\d{1,9})[.)]?[ \t]*$/;
const ORDERED_ITEM = /(?:^|\n)[ \t]*(?:>[ \t]*)*\d{1,9}[.)][ \t]/;
const HALF_DETAILS = /(?:^|\n)[ \t]*<details[^>\n]*>\s*(?:<summary>(?:(?!<\/summary>)[^\n])*)?$/i;
/** A row of which only the next line will say that it is the head of a table. */
const HALF_TABLE = /(?:^|\n)[ \t]*\|[ \t][^\n]*(?:\n[ \t|:-]*)?$/;
const DELIMITER_ROW = /\n[ \t]*\|?[ \t]*:?-+:?[ \t]*\|[^\n]*\n/;
const UNSPACED_TEXT = /[\u0e00-\u0fff\u1000-\u109f\u2e80-\uffef]/;

/** The text without its end, where nobody knows yet what that is: shown now, it would turn into something else. */
export function withoutUndecidedEnd(text: string): string {
  const table = DELIMITER_ROW.test(text) ? null : HALF_TABLE.exec(text);
  const half = table ?? HALF_DETAILS.exec(text) ?? findHalfNumber(text) ?? HALF_LINE.exec(text);
  // The quotation that the line belongs to is there already.
  const kept = half?.[1]?.includes('>') ? half[1].length : 0;
  const decided = half ? text.slice(0, half.index + kept) : text;
  // Before half a tag there may be the tag that it belongs to.
  return half?.[0].includes('<') && !HALF_DETAILS.test(text) ? decided.replace(HALF_DETAILS, '') : decided;
}

/** Closes what the last block has opened so far, so that half-received marks do not show. */
export function closeOpenMarks(text: string): string {
  const whole = withoutUndecidedEnd(text);
  let start = 0;
  for (const match of whole.matchAll(BLOCK_START)) start = match.index + 1;
  // Nothing reaches from one cell into the next.
  if (/^[ \t]*\|/.test(whole.slice(start))) start = whole.lastIndexOf('|') + 1;
  return whole.slice(0, start) + closeMarks(whole.slice(start));
}

/** A number alone on its line is the next item of a list, or the first one of another; else it is a number. */
function findHalfNumber(text: string): RegExpExecArray | null {
  const half = HALF_NUMBER.exec(text);
  if (!half) return null;
  const before = text.slice(0, half.index);
  const mayBegin = half[2] === '1' || /(?:^|\n)\s*$/.test(before);
  return mayBegin || ORDERED_ITEM.test(before) ? half : null;
}

function closeMarks(text: string): string {
  const linked = dropOpenFormula(
    text
      // A link or image whose address is still arriving shows as its label.
      .replace(/!?\[([^\]\n]*)\]\([^)\n]*$/, '$1')
      .replace(/!?\[([^\]\n]*)$|!\[([^\]\n]*)\]$/, '$1$2'),
  );
  const isCodeOpen = count(linked, /`/g) % 2 === 1;
  if (isCodeOpen && !linked.endsWith('`')) return `${linked}\``;
  // A mark with nothing behind it would be shown as it is, and so would half a tag.
  const whole = (isCodeOpen ? linked.replace(/`+$/, '') : linked).replace(/<\/?[a-z]{0,7} ?\/?$/i, '');
  // The marks at the very end may be half of what they will be.
  const marked = whole.replace(/(?<!\\)[*_~]+$/, '').trimEnd();
  const marks = findOpenMarks(marked);
  return marks === '' ? whole.replace(/(?<!\\)[*_~]+$/, '') : marked + marks;
}

/** The marks that would close what `text` has opened. */
function findOpenMarks(text: string): string {
  if (!/[*_~]/.test(text)) return '';
  const open: OpenMark[] = [];
  parser.parseInline(text, {[OPEN_MARKS]: open});
  // Between letters of a word, one `*` is most often a product.
  const isPlain = !UNSPACED_TEXT.test(text);
  return open
    .filter(({length, closes}) => !(isPlain && length === 1 && closes))
    .map(({mark}) => mark)
    .reverse()
    .join('');
}

/** Half a formula is noise: it comes when it is whole. */
function dropOpenFormula(text: string): string {
  const open = Math.max(text.lastIndexOf('\\('), text.lastIndexOf('\\['));
  if (open >= 0 && text.length - open < MAX_OPEN_FORMULA_CHARS) {
    const close = text[open + 1] === '(' ? '\\)' : '\\]';
    if (text.indexOf(close, open) < 0 && text.lastIndexOf('`', open) < 0) return text.slice(0, open);
  }
  const dollars = text.lastIndexOf('$$');
  const isOpen = count(text, /\$\$/g) % 2 === 1 && text.length - dollars < MAX_OPEN_FORMULA_CHARS;
  return isOpen && dollars > 0 ? text.slice(0, dollars) : text;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
