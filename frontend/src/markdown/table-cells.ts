/** Allows `|` in formulas in table cells. */
import MarkdownIt, {type MarkdownIt as Parser, type StateBlock} from 'markdown-it';
import {findFormulas} from './math-syntax.js';

/** Placeholder for a bar in a formula: a private use character, as long as a bar. */
const BAR = '\ue07c';

/** Wraps the parser's table rule, so that it does not see the bars in formulas. */
export function addTableFormulas(parser: Parser): void {
  // The parser does not return rules by name: in a parser with only this rule enabled, it is the first.
  const [table] = new MarkdownIt('zero').enable('table').block.ruler.getRules('');
  if (!table) throw new Error('The Markdown parser has no rule for tables.');
  parser.block.ruler.at(
    'table',
    (state, startLine, endLine, isSilent) => {
      const {src} = state;
      const count = state.tokens.length;
      const masked = maskFormulaBars(state, startLine, endLine);
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

function maskFormulaBars(state: StateBlock, startLine: number, endLine: number): string {
  const {src} = state;
  const columns = countCells(lineOf(state, startLine + 1));
  if (startLine + 1 >= endLine || columns === 0 || !/^[ \t|:-]+$/.test(lineOf(state, startLine + 1))) return src;
  let masked = src;
  for (let line = startLine; line < endLine; line += 1) {
    const text = lineOf(state, line);
    if (text === '') break;
    // A row that already has the right number of cells may contain prices in dollars.
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
