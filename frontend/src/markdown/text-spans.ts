/** Splits a growing text into finished spans of limited size, which are rendered one by one. */
import type {Token} from 'markdown-it';
import {PARTIAL} from './math-syntax.js';
import {parser} from './render.js';
import {stripUndecidedEnd} from './unfinished-marks.js';

/** A longer list or table is rendered in parts of about `PART_CHARS`. */
const LONG_CHARS = 4_000;
const PART_CHARS = 2_000;

/** A part of the text that will not change. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** The head of the table, if the span contains further rows of one. */
  readonly prefix: string;
  /** Whether its items or rows belong to the list or table of the previous span. */
  readonly continues: boolean;
  readonly isPart: boolean;
}

/** A fenced code block that is not closed yet. */
export interface OpenFence {
  readonly from: number;
  readonly contentFrom: number;
  readonly close: RegExp;
  scanned: number;
}

export class TextSpans {
  #source = '';
  #isStreaming = false;
  #finished = 0;
  #continuation: {readonly prefix: string} | undefined;
  #fence: OpenFence | undefined;

  get source(): string {
    return this.#source;
  }

  /** The length of the text that is in spans. */
  get finished(): number {
    return this.#finished;
  }

  /** Set while the rest of the text continues a list or table that started in a span. */
  get continuation(): {readonly prefix: string} | undefined {
    return this.#continuation;
  }

  get fence(): OpenFence | undefined {
    return this.#fence;
  }

  /**
   * Takes a longer version of the text; with `isStreaming`, its last block counts as unfinished.
   *
   * @returns The spans of newly finished blocks.
   */
  grow(source: string, isStreaming: boolean): readonly Span[] {
    this.#source = source;
    this.#isStreaming = isStreaming;
    if (this.#isFenceOpen()) return [];
    const prefix = this.#continuation?.prefix ?? '';
    const tail = prefix + source.slice(this.#finished);
    if (tail.length === prefix.length) return [];
    const tokens: Token[] = [];
    const decided = isStreaming ? stripUndecidedEnd(tail) : tail;
    parser.block.parse(decided.replaceAll('\0', '\ufffd'), parser, {references: {}, [PARTIAL]: isStreaming}, tokens);
    const lines = lineOffsets(tail);
    const offsetOf = (line: number): number => lines[line] ?? tail.length;
    const blocks = [...tokens.keys()].filter(at => isBlockStart(tokens[at]));
    const toSource = this.#finished - prefix.length;
    const spans: Span[] = [];
    let continuation = this.#continuation;
    let from = this.#finished;
    for (const [at, index] of blocks.entries()) {
      const first = tokens[index];
      const next = tokens[blocks[at + 1] ?? -1];
      const end = next?.map ? offsetOf(next.map[0]) : tail.length;
      if (at > 0) continuation = undefined;
      const cuts = findCuts(tokens, index, continuation ? PART_CHARS : LONG_CHARS, end, offsetOf);
      const start = offsetOf(first?.map?.[0] ?? 0);
      const head = first?.type === 'table_open' ? prefix || tail.slice(start, offsetOf((first.map?.[0] ?? 0) + 2)) : '';
      for (const cut of [...cuts, end]) {
        const isPart = cuts.length > 0 || continuation !== undefined;
        if (cut === end && !next && isStreaming) {
          this.#openFence(first, tail.slice(start, end), toSource + start);
          break;
        }
        const to = Math.max(from, toSource + cut);
        spans.push({from, to, prefix: continuation?.prefix ?? '', continues: continuation !== undefined, isPart});
        from = to;
        continuation = cut === end ? undefined : {prefix: head};
      }
    }
    if (!isStreaming && from < source.length) {
      spans.push({from, to: source.length, prefix: '', continues: false, isPart: false});
      from = source.length;
    }
    this.#continuation = continuation;
    this.#finished = from;
    return spans;
  }

  #openFence(token: Token | undefined, block: string, from: number): void {
    const open = token?.type === 'fence' ? /^(`{3,}|~{3,})[^\n]*\n/.exec(block) : null;
    if (!open?.[1]) return;
    const close = new RegExp(`^ {0,3}${open[1][0]}{${open[1].length},}[ \\t]*$`);
    const isClosed = block
      .slice(open[0].length)
      .split('\n')
      .some(line => close.test(line));
    if (isClosed) return;
    const contentFrom = from + open[0].length;
    this.#fence = {from, contentFrom, close, scanned: contentFrom};
  }

  /** Checks only the new lines: a long code block must not be scanned again with every delta. */
  #isFenceOpen(): boolean {
    const fence = this.#fence;
    if (!fence) return false;
    const lastBreak = this.#source.lastIndexOf('\n') + 1;
    const fresh = lastBreak > fence.scanned ? this.#source.slice(fence.scanned, lastBreak) : '';
    fence.scanned = Math.max(fence.scanned, lastBreak);
    if (this.#isStreaming && !fresh.split('\n').some(line => fence.close.test(line))) return true;
    this.#fence = undefined;
    return false;
  }
}

function isBlockStart(token: Token | undefined): boolean {
  return token?.level === 0 && token.nesting >= 0 && token.map !== null;
}

/** Finds the positions at which a long list or table is split: before an item or row. */
function findCuts(
  tokens: readonly Token[],
  index: number,
  limit: number,
  end: number,
  offsetOf: (line: number) => number,
): readonly number[] {
  const first = tokens[index];
  const [type, level] = first?.type === 'table_open' ? ['tr_open', 2] : ['list_item_open', 1];
  let start = offsetOf(first?.map?.[0] ?? 0);
  if (end - start < limit || !first || !/^(?:table|bullet_list|ordered_list)_open$/.test(first.type)) return [];
  const cuts: number[] = [];
  for (let at = index + 1; at < tokens.length && tokens[at]?.level !== 0; at += 1) {
    const token = tokens[at];
    if (token?.type !== type || token.level !== level || !token.map) continue;
    const offset = offsetOf(token.map[0]);
    // Never right after the head row.
    if (offset - start < PART_CHARS) continue;
    cuts.push(offset);
    start = offset;
  }
  return cuts;
}

function lineOffsets(text: string): readonly number[] {
  const offsets = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) offsets.push(at + 1);
  return offsets;
}

/** Removes a last line that may be the start of the closing fence. */
export function stripPartialFence(content: string): string {
  return content.replace(/(^|\n) {0,3}(?:`+|~+)[ \t]*$/, '$1');
}
