/** Closes unclosed marks such as `**` in a streaming text, and hides incomplete links and formulas. */
import {OPEN_MARKS, type OpenMark} from './flanking.js';
import {parser} from './render.js';

/** Start of a new block; marks do not reach across it. */
const BLOCK_START = /\n(?=[ \t]*(?:[-*+][ \t]|\d{1,9}[.)][ \t]|[>|#]|\n))/g;
const MAX_OPEN_FORMULA_CHARS = 2_000;

/** A last line that may become a list item, heading, rule, fence or tag: the following text decides. */
const HALF_LINE =
  /((?:^|\n)[ \t]*(?:>[ \t]*)*)(?:[-+*_=]+|[-+*][ \t]+|#{1,6}|`{1,2}|`{3,}[^`\n]*|~{1,2}|~{3,}[^\n]*|\||<\/?(?:[a-z]{0,7}|details[^>\n]{0,20}))[ \t]*$/i;
const HALF_NUMBER = /((?:^|\n)[ \t]*(?:>[ \t]*)*)(\d{1,9})[.)]?[ \t]*$/;
const ORDERED_ITEM = /(?:^|\n)[ \t]*(?:>[ \t]*)*\d{1,9}[.)][ \t]/;
const HALF_DETAILS = /(?:^|\n)[ \t]*<details[^>\n]*>\s*(?:<summary>(?:(?!<\/summary>)[^\n])*)?$/i;
/** A row that is the head of a table if a delimiter row follows. */
const HALF_TABLE = /(?:^|\n)[ \t]*\|[ \t][^\n]*(?:\n[ \t|:-]*)?$/;
const DELIMITER_ROW = /\n[ \t]*\|?[ \t]*:?-+:?[ \t]*\|[^\n]*\n/;
const UNSPACED_TEXT = /[\u0e00-\u0fff\u1000-\u109f\u2e80-\uffef]/;

/** Removes an end that is still ambiguous, since the next delta could turn it into something else. */
export function stripUndecidedEnd(text: string): string {
  const table = DELIMITER_ROW.test(text) ? null : HALF_TABLE.exec(text);
  const half = table ?? HALF_DETAILS.exec(text) ?? findHalfNumber(text) ?? HALF_LINE.exec(text);
  // The block quote that contains the line is already decided.
  const kept = half?.[1]?.includes('>') ? half[1].length : 0;
  const decided = half ? text.slice(0, half.index + kept) : text;
  // An incomplete tag may follow an incomplete `<details>`.
  return half?.[0].includes('<') && !HALF_DETAILS.test(text) ? decided.replace(HALF_DETAILS, '') : decided;
}

/** Closes the marks that the last block has opened, so that incomplete marks are not shown. */
export function closeOpenMarks(text: string): string {
  const whole = stripUndecidedEnd(text);
  let start = 0;
  for (const match of whole.matchAll(BLOCK_START)) start = match.index + 1;
  // Marks do not reach across table cells.
  if (/^[ \t]*\|/.test(whole.slice(start))) start = whole.lastIndexOf('|') + 1;
  return whole.slice(0, start) + closeMarks(whole.slice(start));
}

/** Matches a number alone on the last line that may be the start of a list item. */
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
      // A link or image with an incomplete address is shown as its label.
      .replace(/!?\[([^\]\n]*)\]\([^)\n]*$/, '$1')
      .replace(/!?\[([^\]\n]*)$|!\[([^\]\n]*)\]$/, '$1$2'),
  );
  const isCodeOpen = countMatches(linked, /`/g) % 2 === 1;
  if (isCodeOpen && !linked.endsWith('`')) return `${linked}\``;
  // A mark without following text, or an incomplete tag, would be shown as text.
  const whole = (isCodeOpen ? linked.replace(/`+$/, '') : linked).replace(/<\/?[a-z]{0,7} ?\/?$/i, '');
  // Marks at the end may be incomplete.
  const marked = whole.replace(/(?<!\\)[*_~]+$/, '').trimEnd();
  const marks = findOpenMarks(marked);
  return marks === '' ? whole.replace(/(?<!\\)[*_~]+$/, '') : marked + marks;
}

/** Returns the marks that close those `text` has opened. */
function findOpenMarks(text: string): string {
  if (!/[*_~]/.test(text)) return '';
  const open: OpenMark[] = [];
  parser.parseInline(text, {[OPEN_MARKS]: open});
  // A single `*` between letters usually means multiplication.
  const isPlain = !UNSPACED_TEXT.test(text);
  return open
    .filter(({length, closes}) => !(isPlain && length === 1 && closes))
    .map(({mark}) => mark)
    .reverse()
    .join('');
}

/** Removes an incomplete formula from the end. */
function dropOpenFormula(text: string): string {
  const open = Math.max(text.lastIndexOf('\\('), text.lastIndexOf('\\['));
  if (open >= 0 && text.length - open < MAX_OPEN_FORMULA_CHARS) {
    const close = text[open + 1] === '(' ? '\\)' : '\\]';
    if (text.indexOf(close, open) < 0 && text.lastIndexOf('`', open) < 0) return text.slice(0, open);
  }
  const dollars = text.lastIndexOf('$$');
  const isOpen = countMatches(text, /\$\$/g) % 2 === 1 && text.length - dollars < MAX_OPEN_FORMULA_CHARS;
  return isOpen && dollars > 0 ? text.slice(0, dollars) : text;
}

function countMatches(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
