/** Formulas in the cells of a table, which may hold a `|`. */
import MarkdownIt, {type MarkdownIt as Parser, type StateBlock} from 'markdown-it';
import {findFormulas} from './math-syntax.js';

/** Stands for a bar that ends no cell; of the private use area, and as long as a bar. */
const BAR = '\ue07c';

/** Has the parser's own rule read each row with the bars of its formulas hidden. */
export function addTableFormulas(parser: Parser): void {
  // The parser hands out no rule by name: with no other one on, it is the first.
  const [table] = new MarkdownIt('zero').enable('table').block.ruler.getRules('');
  if (!table) throw new Error('The Markdown parser has no rule for tables.');
  parser.block.ruler.at(
    'table',
    (state, startLine, endLine, isSilent) => {
      const {src} = state;
      const count = state.tokens.length;
      const masked = mask(state, startLine, endLine);
      state.src = masked;
      const isTable = table(state, startLine, endLine, isSilent);
      state.src = src;
      if (masked === src) return isTable;
      for (const token of state.tokens.slice(count)) token.content = token.content.replaceAll(BAR, '|');
      return isTable;
    },
    {alt: ['paragraph', 'reference']},
  );
}

function mask(state: StateBlock, startLine: number, endLine: number): string {
  const {src} = state;
  const columns = countCells(lineOf(state, startLine + 1));
  if (startLine + 1 >= endLine || columns === 0 || !/^[ \t|:-]+$/.test(lineOf(state, startLine + 1))) return src;
  let masked = src;
  for (let line = startLine; line < endLine; line += 1) {
    const text = lineOf(state, line);
    if (text === '') break;
    // A row that has its cells as it is may name prices in dollars.
    if (!/[$\\]/.test(text) || countCells(text) <= columns) continue;
    const from = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
    for (const [start, end] of findFormulas(text)) {
      const hidden = text.slice(start, end).replace(/(?<!\\)\|/g, BAR);
      masked = masked.slice(0, from + start) + hidden + masked.slice(from + end);
    }
  }
  return masked;
}

function lineOf(state: StateBlock, line: number): string {
  return state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]).trimEnd();
}

function countCells(row: string): number {
  return row === ''
    ? 0
    : row
        .replace(/^\|/, '')
        .replace(/(?<!\\)\|$/, '')
        .split(/(?<!\\)\|/).length;
}
