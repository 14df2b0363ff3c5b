/** Closes marks that a text which is still arriving has left open, such as `**`, and hides half links and formulas. */

/** The last line that starts a block of its own; marks do not reach across it. */
const BLOCK_START = /\n(?=[ \t]*(?:[-*+][ \t]|\d{1,9}[.)][ \t]|[>|#]|\n))/g;
const MAX_OPEN_FORMULA_CHARS = 2_000;

/** Closes what the last block has opened so far, so that half-received marks do not show. */
export function closeOpenMarks(text: string): string {
  // A lone dash or equals sign below a line would make it a heading until the list item arrives.
  const whole = text.replace(/\n {0,3}(?:-+|=+) *$/, '');
  let start = 0;
  for (const match of whole.matchAll(BLOCK_START)) start = match.index + 1;
  return whole.slice(0, start) + closeMarks(whole.slice(start));
}

function closeMarks(text: string): string {
  let closed = dropOpenFormula(
    text
      // A link or image whose address is still arriving shows as its label.
      .replace(/!?\[([^\]\n]*)\]\([^)\n]*$/, '$1')
      .replace(/!?\[([^\]\n]*)$/, '$1'),
  );
  if (count(closed, /`/g) % 2 === 1) return `${closed}\``;
  const prose = closed.replace(/`[^`]*`|\\\(.*?\\\)|\$[^$\n]+\$/g, '');
  for (const mark of ['**', '~~']) {
    if (count(prose, mark === '**' ? /\*\*/g : /~~/g) % 2 === 0) continue;
    closed = closed.endsWith(mark) ? closed.slice(0, -mark.length) : `${closed.trimEnd()}${mark}`;
  }
  if (count(prose.replaceAll('**', ''), /(?<=^|[\s(])\*(?=\S)|(?<=\S)\*(?!\S)/g) % 2 === 1 && !closed.endsWith('*')) {
    closed = `${closed.trimEnd()}*`;
  }
  return closed;
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
