/** Draws a growing text piece by piece: what is finished is never touched again, and no piece is large. */
import type {Token} from 'markdown-it';
import {type MarkdownOptions, parser, type References, renderMarkdown} from './markdown.js';
import {closeOpenMarks} from './markdown-marks.js';
import {PARTIAL} from './markdown-math.js';

/** Something that stands in the text, for example a citation. */
export interface Marker {
  /** How many characters (code points) of the text stand before it. */
  readonly index: number;
  /** Changes when `build` would give something else. */
  readonly key: string;
  readonly build: () => Node;
}
interface Located {
  readonly offset: number;
  readonly marker: Marker;
}

/** So long is drawn at once; the rest follows in later tasks, so that input is not kept waiting. */
const TASK_MS = 10;
/** Short blocks that are finished together are drawn together, up to this size. */
const PIECE_CHARS = 1_500;
/** A list or table that is longer than this is drawn in parts of about `PART_CHARS`. */
const LONG_CHARS = 4_000;
const PART_CHARS = 2_000;

/** A part of the text with the nodes that show it. */
interface Piece {
  readonly from: number;
  readonly to: number;
  /** Head of the table whose rows these are. */
  readonly prefix: string;
  /** Whether its items or rows belong to the element of the piece before. */
  readonly continues: boolean;
  readonly isPart: boolean;
  parent: ParentNode & Node;
  nodes: readonly ChildNode[];
  markers: string;
}

/** A code block whose end has not arrived. */
interface OpenFence {
  readonly from: number;
  readonly contentFrom: number;
  readonly close: RegExp;
  scanned: number;
}

/** Time, as far as drawing has to do with it. */
export interface Timing {
  now(): number;
  /** Calls after the current task, and gives what calls it off. */
  later(run: () => void): () => void;
}

const realTime: Timing = {
  now: () => performance.now(),
  later: run => {
    const timer = setTimeout(run);
    return () => clearTimeout(timer);
  },
};

export class MarkdownBlocks {
  readonly #target: ParentNode & Node;
  readonly #timing: Timing;
  #options: MarkdownOptions = {};
  #source = '';
  #isStreaming = false;
  #located: readonly Located[] = [];
  #pieces: Piece[] = [];
  #drawn = 0;
  /** How much of the text is in pieces. */
  #finished = 0;
  #references: References = {};
  /** The list or table body that the next items or rows belong to. */
  #container: Element | undefined;
  /** Set while the rest of the text continues a list or table whose beginning is in pieces. */
  #continuation: {readonly prefix: string} | undefined;
  #fence: OpenFence | undefined;
  #live: readonly ChildNode[] = [];
  #liveCode: {readonly from: number; readonly text: Text; readonly block: Element} | undefined;
  #callOff: (() => void) | undefined;

  constructor(target: ParentNode & Node, timing: Timing = realTime) {
    this.#target = target;
    this.#timing = timing;
  }

  /** Makes the target show `text`. With `isStreaming` the last block counts as unfinished. */
  render(text: string, isStreaming: boolean, options: MarkdownOptions, markers: readonly Marker[] = []): void {
    const source = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    const isSameKind =
      options.copyLabel === this.#options.copyLabel && options.imageDomains === this.#options.imageDomains;
    if (!source.startsWith(this.#source) || !isSameKind) this.#clear();
    this.#options = options;
    this.#source = source;
    this.#isStreaming = isStreaming;
    this.#located = locate(text, markers);
    this.#split();
    this.#redrawWhere(piece => piece.markers !== this.#markersOf(piece.from, piece.to).key);
    this.#continue();
  }

  /** Draws no more until `resume`. */
  pause(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  resume(): void {
    if (this.#drawn < this.#pieces.length) this.#continue();
  }

  #clear(): void {
    this.pause();
    this.#target.replaceChildren();
    this.#source = '';
    this.#pieces = [];
    this.#drawn = 0;
    this.#finished = 0;
    this.#references = {};
    this.#container = undefined;
    this.#continuation = undefined;
    this.#fence = undefined;
    this.#live = [];
    this.#liveCode = undefined;
  }

  /** Makes pieces of all blocks but the last, and of the last too when nothing can follow. */
  #split(): void {
    if (this.#isFenceOpen()) return;
    const prefix = this.#continuation?.prefix ?? '';
    const tail = prefix + this.#source.slice(this.#finished);
    if (tail.length === prefix.length) return;
    const tokens: Token[] = [];
    const env = {references: {...this.#references}, [PARTIAL]: this.#isStreaming};
    parser.block.parse(tail.replaceAll('\0', '\ufffd'), parser, env, tokens);
    const lines = lineOffsets(tail);
    const offsetOf = (line: number): number => lines[line] ?? tail.length;
    const blocks = [...tokens.keys()].filter(at => isBlockStart(tokens[at]));
    const toSource = this.#finished - prefix.length;
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
        if (cut === end && !next && this.#isStreaming) {
          this.#openFence(first, tail.slice(start, end), toSource + start);
          break;
        }
        const to = Math.max(from, toSource + cut);
        this.#addPiece({from, to, prefix: continuation?.prefix ?? '', continues: continuation !== undefined, isPart});
        from = to;
        continuation = cut === end ? undefined : {prefix: head};
      }
    }
    if (!this.#isStreaming && from < this.#source.length) {
      this.#addPiece({from, to: this.#source.length, prefix: '', continues: false, isPart: false});
      from = this.#source.length;
    }
    this.#continuation = continuation;
    this.#finished = from;
  }

  #addPiece(piece: Omit<Piece, 'parent' | 'nodes' | 'markers'>): void {
    const last = this.#pieces.length > this.#drawn ? this.#pieces.at(-1) : undefined;
    const isShort = last && !last.isPart && !piece.isPart && piece.to - last.from < PIECE_CHARS;
    if (isShort && !this.#liveCode) {
      this.#pieces[this.#pieces.length - 1] = {...last, to: piece.to};
      return;
    }
    this.#pieces.push({...piece, parent: this.#target, nodes: [], markers: ''});
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

  /** Looks only at what is new: a long code block must not be read again with every word. */
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

  #continue(): void {
    this.pause();
    const end = this.#timing.now() + TASK_MS;
    for (let piece = this.#pieces[this.#drawn]; piece; piece = this.#pieces[this.#drawn]) {
      this.#drawNext(piece);
      this.#drawn += 1;
      if (this.#drawn < this.#pieces.length && this.#timing.now() > end) {
        this.#callOff = this.#timing.later(() => this.#continue());
        return;
      }
    }
    this.#drawLive();
  }

  #drawNext(piece: Piece): void {
    if (this.#adoptCode(piece)) return;
    this.#removeLive();
    const known = new Set(Object.keys(this.#references));
    const fragment = this.#draw(piece);
    const container = piece.isPart ? bodyOf(fragment) : undefined;
    if (piece.continues && this.#container) {
      piece.parent = this.#container;
      piece.nodes = [...(container?.children ?? [])];
      this.#container.append(...piece.nodes);
    } else {
      piece.nodes = container ? [...container.children] : [...fragment.childNodes];
      this.#container = container;
      this.#target.append(fragment);
      if (container) piece.parent = container;
    }
    const fresh = Object.keys(this.#references).filter(key => !known.has(key));
    // A definition may come after the link that uses it.
    if (fresh.length > 0) this.#redrawWhere(earlier => this.#mentions(earlier, fresh));
  }

  #mentions({from, to}: Piece, keys: readonly string[]): boolean {
    const text = this.#source.slice(from, to).toUpperCase();
    return keys.some(key => text.includes(`[${key}]`));
  }

  #redrawWhere(isStale: (piece: Piece) => boolean): void {
    for (const piece of this.#pieces.slice(0, this.#drawn)) {
      const [first] = piece.nodes;
      if (!first || !isStale(piece)) continue;
      const fragment = this.#draw(piece);
      const nodes = [...(piece.isPart ? (bodyOf(fragment)?.children ?? []) : fragment.childNodes)];
      for (const node of nodes) piece.parent.insertBefore(node, first);
      for (const node of piece.nodes) node.remove();
      piece.nodes = nodes;
    }
  }

  #draw(piece: Piece): DocumentFragment {
    const {from, to, prefix} = piece;
    const markers = this.#markersOf(from, to);
    piece.markers = markers.key;
    return this.#render(prefix + this.#source.slice(from, to), from - prefix.length, markers.located, false);
  }

  #render(text: string, from: number, located: readonly Located[], isPartial: boolean): DocumentFragment {
    return renderMarkdown(text, this.#options, {
      references: isPartial ? {...this.#references} : this.#references,
      isPartial,
      markers: located.map(({offset}, number) => ({offset: Math.min(text.length, offset - from), number})),
      buildMarker: number => located[number]?.marker.build(),
    });
  }

  /** Those behind `from`, up to and including `to`; the first piece has those at the very beginning as well. */
  #markersOf(from: number, to: number): {readonly key: string; readonly located: readonly Located[]} {
    const located = this.#located.filter(({offset}) => (offset > from || from === 0) && offset <= to);
    return {located, key: located.map(({offset, marker}) => `${offset} ${marker.key}`).join('\n')};
  }

  #drawLive(): void {
    if (!this.#isStreaming) {
      this.#removeLive();
      return;
    }
    if (this.#fence && this.#growCode(this.#fence)) return;
    this.#removeLive();
    const prefix = this.#continuation?.prefix ?? '';
    const tail = this.#source.slice(this.#finished);
    const {located} = this.#markersOf(this.#finished, Number.POSITIVE_INFINITY);
    const shown = this.#fence ? withoutHalfFence(tail) : closeOpenMarks(tail);
    const fragment = this.#render(prefix + shown, this.#finished - prefix.length, located, true);
    const body = this.#continuation ? bodyOf(fragment) : undefined;
    if (this.#fence) this.#noteCode(fragment, this.#fence.from);
    this.#live = [...(body?.children ?? fragment.childNodes)];
    (body && this.#container ? this.#container : this.#target).append(...this.#live);
  }

  #noteCode(fragment: DocumentFragment, from: number): void {
    const block = fragment.querySelector('.code');
    const code = block?.querySelector('code');
    if (!block || !code) return;
    const text = document.createTextNode(code.textContent ?? '');
    code.replaceChildren(text);
    this.#liveCode = {from, text, block};
  }

  /** Appends to the code block on screen, which keeps its scroll position and selection. */
  #growCode(fence: OpenFence): boolean {
    const code = this.#liveCode;
    if (code?.from !== fence.from) return false;
    const content = withoutHalfFence(this.#source.slice(fence.contentFrom));
    if (content.length < code.text.length) code.text.data = content;
    else if (content.length > code.text.length) code.text.appendData(content.slice(code.text.length));
    return true;
  }

  /** A code block that has grown on screen stays as it is when its end has come. */
  #adoptCode(piece: Piece): boolean {
    const code = this.#liveCode;
    if (!code || code.from < piece.from || code.from >= piece.to) return false;
    const tokens = parser.parse(this.#source.slice(piece.from, piece.to), {});
    const {key} = this.#markersOf(piece.from, piece.to);
    if (tokens.length !== 1 || tokens[0]?.type !== 'fence' || key !== '') return false;
    if (code.text.data !== tokens[0].content) code.text.data = tokens[0].content;
    piece.nodes = this.#live;
    this.#live = [];
    this.#liveCode = undefined;
    this.#options.enhance?.(code.block, true);
    return true;
  }

  #removeLive(): void {
    for (const node of this.#live) node.remove();
    this.#live = [];
    this.#liveCode = undefined;
  }
}

function isBlockStart(token: Token | undefined): boolean {
  return token?.level === 0 && token.nesting >= 0 && token.map !== null;
}

/** Where a long list or table may be cut: before an item or row. */
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
    // The row of the head is no place to cut.
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

/** The list or table body that holds the items or rows of a piece. */
function bodyOf(fragment: DocumentFragment): Element | undefined {
  const first = fragment.firstElementChild;
  if (first?.tagName === 'UL' || first?.tagName === 'OL') return first;
  return first?.querySelector(':scope > table > tbody') ?? undefined;
}

/** Without a last line that may become the end of the code. */
function withoutHalfFence(content: string): string {
  return content.replace(/(^|\n) {0,3}(?:`+|~+)[ \t]*$/, '$1');
}

/** Places in the text with its line breaks made one kind, ordered. */
function locate(text: string, markers: readonly Marker[]): readonly Located[] {
  if (markers.length === 0) return [];
  const sorted = [...markers].sort((a, b) => a.index - b.index);
  const located: Located[] = [];
  let points = 0;
  let offset = 0;
  let at = 0;
  for (const marker of sorted) {
    while (points < marker.index && at < text.length) {
      const width = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
      // Of a carriage return and a line feed only one is left.
      if (!(text[at] === '\r' && text[at + 1] === '\n')) offset += width;
      points += 1;
      at += width;
    }
    located.push({offset, marker});
  }
  return located;
}
