/** The subset of HTML that answers may use: `<br>` in a line, and `<details>` with a `<summary>`. */
import type {MarkdownIt as Parser, StateBlock, StateInline} from 'markdown-it';

const BREAK = /<br[ \t]*\/?>/iy;
const OPEN = /^<details(?:[ \t]+open(?:=(?:""|"open"|''))?)?[ \t]*>[ \t]*/i;
const SUMMARY = /^<summary>(.*?)<\/summary>[ \t]*/i;
const CLOSE = /<\/details>[ \t]*$/i;
/** Maximum nesting; deeper `<details>` are shown as text. */
const MAX_DEPTH = 8;

export function addHTMLSubset(parser: Parser): void {
  parser.inline.ruler.before('autolink', 'line_break', readBreak);
  parser.block.ruler.before('blockquote', 'details', readDetails, {alt: ['paragraph', 'reference', 'blockquote']});
}

function readBreak(state: StateInline, isSilent: boolean): boolean {
  BREAK.lastIndex = state.pos;
  const [tag] = BREAK.exec(state.src) ?? [];
  if (tag === undefined) return false;
  if (!isSilent) state.push('hardbreak', 'br', 0);
  state.pos += tag.length;
  return true;
}

/** Parses from `<details>` to its end tag, or to the end of the text, since an answer may be incomplete. */
function readDetails(state: StateBlock, startLine: number, endLine: number, isSilent: boolean): boolean {
  const first = lineOf(state, startLine);
  const open = OPEN.exec(first)?.[0];
  if (open === undefined || state.level > MAX_DEPTH) return false;
  if ((state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
  if (isSilent) return true;
  // `<details><summary>…</summary>` in one line, or the summary on its own line.
  let line = startLine;
  skipStart(state, line, open.length);
  if (lineOf(state, line) === '' && line + 1 < endLine) line += 1;
  const summary = SUMMARY.exec(lineOf(state, line));
  if (summary) skipStart(state, line, summary[0].length);
  const end = findEnd(state, line, endLine);
  state.push('details_open', 'details', 1).map = [startLine, end.next];
  if (/\sopen/i.test(open)) state.tokens.at(-1)?.attrSet('open', '');
  if (summary) {
    state.push('summary_open', 'summary', 1);
    const title = state.push('inline', '', 0);
    title.content = summary[1]?.trim() ?? '';
    title.map = [startLine, line + 1];
    title.children = [];
    state.push('summary_close', 'summary', -1);
  }
  const {lineMax} = state;
  state.lineMax = end.line;
  state.md.block.tokenize(state, Math.min(line, end.line), end.line);
  state.lineMax = lineMax;
  state.push('details_close', 'details', -1);
  state.line = end.next;
  return true;
}

/** Makes the parser skip the beginning of a line. */
function skipStart(state: StateBlock, line: number, length: number): void {
  state.bMarks[line] = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0) + length;
  state.tShift[line] = 0;
  state.sCount[line] = state.blkIndent;
}

/** Finds the end of the content and the line after it, ignoring tags in fenced code. */
function findEnd(
  state: StateBlock,
  startLine: number,
  endLine: number,
): {readonly line: number; readonly next: number} {
  let depth = 1;
  let fence = '';
  for (let line = startLine; line < endLine; line += 1) {
    const text = lineOf(state, line);
    const mark = /^(`{3,}|~{3,})/.exec(text)?.[1] ?? '';
    if (fence !== '') {
      if (mark.startsWith(fence)) fence = '';
      continue;
    }
    fence = mark;
    if (OPEN.test(text)) depth += 1;
    const close = CLOSE.exec(text);
    if (close) depth -= 1;
    if (!close || depth > 0) continue;
    if (close.index === 0) return {line, next: line + 1};
    state.eMarks[line] = (state.eMarks[line] ?? 0) - close[0].length;
    return {line: line + 1, next: line + 1};
  }
  return {line: endLine, next: endLine};
}

function lineOf(state: StateBlock, line: number): string {
  return state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]);
}
