/** Parser rules for formulas: `\(…\)` and, with restrictions, `$…$` inline; `$$…$$` and `\[…\]` as blocks. */
import type {MarkdownIt as Parser, StateBlock, StateInline} from 'markdown-it';

const MAX_TEX_CHARS = 10_000;
const DOLLAR = '$';

/** Key in the parser's environment of a text that may be incomplete: an unclosed block then counts as a formula. */
export const PARTIAL = Symbol('partial');

export function addMath(parser: Parser): void {
  parser.inline.ruler.before('escape', 'math', readInline);
  parser.block.ruler.before('fence', 'math', readBlock, {alt: ['paragraph', 'reference', 'blockquote', 'list']});
}

function readInline(state: StateInline, isSilent: boolean): boolean {
  const end = findEnd(state.src, state.pos, state.posMax);
  if (end === undefined) return false;
  if (!isSilent) {
    const token = state.push('math', '', 0);
    token.content = state.src.slice(state.pos, end);
  }
  state.pos = end;
  return true;
}

/** Finds the formulas in a line, as ranges with their delimiters. */
export function findFormulas(line: string): readonly (readonly [number, number])[] {
  const formulas: (readonly [number, number])[] = [];
  for (let at = 0; at < line.length; at += 1) {
    const end = findEnd(line, at, line.length);
    if (end !== undefined) formulas.push([at, end]);
    if (end !== undefined) at = end - 1;
    else if (line[at] === '\\') at += 1;
  }
  return formulas;
}

/** Returns the end of the formula that starts at `from`; `undefined` if none does. */
function findEnd(text: string, from: number, to: number): number | undefined {
  const mark = text.slice(from, from + 2);
  if (mark === '\\(' || mark === '\\[') return findBracketed(text, from, to);
  if (mark === '$$') return findDoubleDollar(text, from, to);
  return mark.startsWith(DOLLAR) ? findDollar(text, from, to) : undefined;
}

function findBracketed(text: string, from: number, to: number): number | undefined {
  const close = text[from + 1] === '(' ? '\\)' : '\\]';
  return findClose(text, from, to, close, 2);
}

function findDoubleDollar(text: string, from: number, to: number): number | undefined {
  return findClose(text, from, to, '$$', 2);
}

function findClose(text: string, from: number, to: number, close: string, width: number): number | undefined {
  const at = text.indexOf(close, from + width);
  if (at < 0 || at + width > to || at - from > MAX_TEX_CHARS) return undefined;
  return text.slice(from + width, at).trim() === '' ? undefined : at + width;
}

/** A single dollar sign usually means money, so that a formula between two of them has to meet strict conditions. */
function findDollar(text: string, from: number, to: number): number | undefined {
  if (/[\p{L}\p{N}$\\]/u.test(text[from - 1] ?? '') || /[\s$]/.test(text[from + 1] ?? ' ')) return undefined;
  const last = Math.min(to, from + MAX_TEX_CHARS);
  for (let at = from + 1; at < last; at += 1) {
    const char = text[at];
    if (char === '\n' || char === '`') return undefined;
    if (char === '\\') at += 1;
    else if (char === DOLLAR) {
      if (/\s/.test(text[at - 1] ?? '') || /[\p{L}\p{N}$]/u.test(text[at + 1] ?? '')) return undefined;
      return isFormula(text.slice(from + 1, at)) ? at + 1 : undefined;
    }
  }
  return undefined;
}

/** Whether the text between dollar signs looks like a formula rather than words, as in `$20/month and US$`. */
function isFormula(tex: string): boolean {
  return /[\\^_=<>]/.test(tex) || !/\p{L}{2,}[\s,.]+\p{L}{2,}|^\d[\d.,]*\s*\p{L}{2,}|\s\p{L}{4,}/u.test(tex);
}

function readBlock(state: StateBlock, startLine: number, endLine: number, isSilent: boolean): boolean {
  const indent = state.sCount[startLine] ?? 0;
  if (indent - state.blkIndent >= 4) return false;
  const begin = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
  const open = state.src.slice(begin, begin + 2);
  if (open !== '$$' && open !== '\\[') return false;
  const close = open === '$$' ? '$$' : '\\]';
  const lines: string[] = [];
  let size = 0;
  for (let line = startLine; line < endLine; line += 1) {
    // A less indented line belongs to the enclosing block.
    if (line > startLine && (state.sCount[line] ?? 0) < state.blkIndent && !state.isEmpty(line)) return false;
    const from = line === startLine ? begin + 2 : (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
    const text = state.src.slice(from, state.eMarks[line]).trimEnd();
    const at = text.indexOf(close);
    if (at >= 0 && at !== text.length - 2) return false;
    lines.push(at >= 0 ? text.slice(0, -2) : text);
    size += text.length;
    if (size > MAX_TEX_CHARS) return false;
    if (at >= 0) return pushBlock(state, startLine, line + 1, open, lines, close, isSilent);
  }
  // Only an opening delimiter on its own line may be waiting for its end.
  if (!state.env[PARTIAL] || lines[0] !== '' || endLine !== state.lineMax) return false;
  return pushBlock(state, startLine, endLine, open, lines, '', isSilent);
}

function pushBlock(
  state: StateBlock,
  startLine: number,
  nextLine: number,
  open: string,
  lines: readonly string[],
  close: string,
  isSilent: boolean,
): boolean {
  const tex = lines.join('\n').trim();
  if (tex === '' && close !== '') return false;
  if (isSilent) return true;
  const token = state.push('math_block', '', 0);
  token.block = true;
  token.content = `${open}${tex}${close}`;
  token.map = [startLine, nextLine];
  state.line = nextLine;
  return true;
}

/** Splits a formula from its delimiters; `undefined` if the closing one is missing. */
export function parseFormula(source: string): {readonly tex: string; readonly isDisplay: boolean} | undefined {
  const open = /^(?:\$\$?|\\[([])/.exec(source)?.[0] ?? '';
  const close = {$: '$', $$: '$$', '\\(': '\\)', '\\[': '\\]'}[open];
  if (close === undefined || source.length < open.length + close.length || !source.endsWith(close)) return undefined;
  return {tex: source.slice(open.length, -close.length).trim(), isDisplay: open === '$$' || open === '\\['};
}
