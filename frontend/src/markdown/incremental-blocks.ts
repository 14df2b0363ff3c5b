/** Incremental rendering of a growing text: finished blocks are never touched again, and no piece is large. */
import {frameSlices, type Slices} from '../frames.js';
import {sourceOfFormula} from './math.js';
import {changeText, type Morphed, morph} from './morph.js';
import {type MarkdownOptions, parser, type References, renderMarkdown} from './render.js';
import {type OpenFence, type Span, TextSpans, withoutHalfFence} from './text-spans.js';
import {closeOpenMarks} from './unfinished-marks.js';

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

/** Short blocks that are finished together are drawn together, up to this size. */
const PIECE_CHARS = 1_500;
/** How much stands in one box, which the browser may leave alone while something else changes or is looked at. */
const SECTION_CHARS = 2_000;
/** How much of a text that is there as a whole is taken into account at once. */
const FEED_CHARS = 12_000;

/** A part of the text with the nodes that show it. */
interface Piece extends Span {
  parent: ParentNode & Node;
  nodes: readonly ChildNode[];
  markers: string;
}

export class MarkdownBlocks {
  readonly #target: ParentNode & Node;
  readonly #slices: Slices;
  #options: MarkdownOptions = {};
  #text = new TextSpans();
  #source = '';
  #isStreaming = false;
  /** Whether all of the text has been cut into pieces. */
  #isCut = true;
  #located: readonly Located[] = [];
  #pieces: Piece[] = [];
  #drawn = 0;
  #references: References = {};
  /** The box that the next piece is drawn into; the first one is the target itself. */
  #section: {readonly from: number; readonly node: ParentNode & Node};
  /** The list or table that the next items or rows belong to. */
  #container: Element | undefined;
  /** The end of the text that may still change, and what of it is on screen. */
  #live: readonly ChildNode[] = [];
  #liveCode: {readonly from: number; readonly text: Text; readonly block: Element} | undefined;
  #callOff: (() => void) | undefined;
  readonly #markerKeys = new WeakMap<Node, string>();

  constructor(target: ParentNode & Node, slices: Slices = frameSlices) {
    this.#target = target;
    this.#slices = slices;
    this.#section = {from: 0, node: target};
  }

  /** Whether everything is drawn. */
  get isWhole(): boolean {
    return this.#isCut && this.#drawn >= this.#pieces.length;
  }

  /** Makes the target show `text`. With `isStreaming` the last block counts as unfinished. */
  render(text: string, isStreaming: boolean, options: MarkdownOptions, markers: readonly Marker[] = []): void {
    const given = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    // Servers trim a whole answer; what is on screen stays.
    const source = !isStreaming && this.#text.source.trimEnd() === given ? this.#text.source : given;
    const isSameKind =
      options.copyLabel === this.#options.copyLabel && isSameList(options.imageDomains, this.#options.imageDomains);
    if (!source.startsWith(this.#text.source) || !isSameKind) this.#clear();
    this.#options = options;
    this.#source = source;
    this.#isStreaming = isStreaming;
    this.#isCut = false;
    this.#located = locate(text, markers);
    this.#redrawWhere(piece => piece.markers !== this.#markersOf(piece.from, piece.to).key);
    this.#continue();
  }

  /** Draws no more until `resume`. */
  pause(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  resume(): void {
    if (!this.isWhole) this.#continue();
  }

  #clear(): void {
    this.pause();
    this.#target.replaceChildren();
    this.#text = new TextSpans();
    this.#isCut = true;
    this.#pieces = [];
    this.#drawn = 0;
    this.#references = {};
    this.#section = {from: 0, node: this.#target};
    this.#container = undefined;
    this.#live = [];
    this.#liveCode = undefined;
  }

  #addPiece(span: Span): void {
    const last = this.#pieces.length > this.#drawn ? this.#pieces.at(-1) : undefined;
    const isShort = last && !last.isPart && !span.isPart && span.to - last.from < PIECE_CHARS;
    if (isShort && !this.#liveCode) {
      this.#pieces[this.#pieces.length - 1] = {...last, to: span.to};
      return;
    }
    this.#pieces.push({...span, parent: this.#target, nodes: [], markers: ''});
  }

  #continue(): void {
    this.pause();
    // What streams is looked at, and each time there is little of it.
    let isSmall = this.#isStreaming && this.#source.length - this.#text.finished < PIECE_CHARS;
    while (!this.isWhole) {
      if (!isSmall && !this.#slices.hasTime()) {
        this.#callOff = this.#slices.later(() => this.#continue());
        return;
      }
      const piece = this.#pieces[this.#drawn];
      if (piece) {
        this.#drawNext(piece);
        this.#drawn += 1;
      } else {
        this.#cut();
        isSmall &&= this.#pieces.length - this.#drawn < 2;
      }
    }
    this.#drawLive();
  }

  #cut(): void {
    const begin = this.#text.source.length;
    const lineEnd = this.#source.length > begin + FEED_CHARS ? this.#source.indexOf('\n', begin + FEED_CHARS) + 1 : 0;
    this.#isCut = lineEnd === 0 || lineEnd === this.#source.length;
    const source = this.#isCut ? this.#source : this.#source.slice(0, lineEnd);
    for (const span of this.#text.grow(source, this.#isStreaming || !this.#isCut)) this.#addPiece(span);
  }

  #drawNext(piece: Piece): void {
    if (this.#adoptCode(piece)) return;
    const known = new Set(Object.keys(this.#references));
    const fragment = this.#draw(piece);
    const part = piece.isPart ? containerOf(fragment.childNodes) : undefined;
    if (piece.continues && this.#container && part) {
      piece.parent = this.#container;
      keepColumns(this.#container);
      piece.nodes = this.#put(this.#container, partsOf(part));
    } else {
      const section = this.#sectionFor(piece.from);
      const nodes = this.#put(section, [...fragment.childNodes]);
      const container = piece.isPart ? containerOf(nodes) : undefined;
      this.#container = container;
      piece.parent = container ?? section;
      piece.nodes = container ? [...container.childNodes] : nodes;
    }
    this.#liveCode = undefined;
    this.#enhance(piece.nodes, true);
    const fresh = Object.keys(this.#references).filter(key => !known.has(key));
    // A definition may come after the link that uses it.
    if (fresh.length > 0) this.#redrawWhere(earlier => this.#mentions(earlier, fresh));
  }

  /** Shows nodes at the end of `parent`: what has grown there becomes them, as far as it goes. */
  #put(parent: ParentNode & Node, fresh: readonly ChildNode[]): readonly ChildNode[] {
    if (this.#live[0]?.parentNode !== parent) this.#removeLive();
    const {nodes, left} = this.#morph(parent, this.#live, fresh);
    this.#live = left;
    return nodes;
  }

  #morph(parent: ParentNode & Node, before: readonly ChildNode[], fresh: readonly ChildNode[]): Morphed {
    return morph(parent, before, fresh, this.#markerKeys, sourceOfFormula);
  }

  #enhance(nodes: readonly ChildNode[], isFinished: boolean): void {
    for (const node of nodes) if (node instanceof Element) this.#options.enhance?.(node, isFinished);
  }

  #sectionFor(from: number): ParentNode & Node {
    const {node, from: begin} = this.#section;
    if (from - begin < SECTION_CHARS) return node;
    const section = document.createElement('div');
    section.className = 'section';
    // What is finished may be left alone; what still grows, and its height with it, may not.
    if (node instanceof Element && node !== this.#target) node.classList.add('finished');
    this.#target.append(section);
    this.#section = {from, node: section};
    return section;
  }

  #mentions({from, to}: Piece, keys: readonly string[]): boolean {
    const text = this.#text.source.slice(from, to).toUpperCase();
    return keys.some(key => text.includes(`[${key}]`));
  }

  #redrawWhere(isStale: (piece: Piece) => boolean): void {
    for (const piece of this.#pieces.slice(0, this.#drawn)) {
      const [first] = piece.nodes;
      if (!first || !isStale(piece)) continue;
      const fragment = this.#draw(piece);
      const part = piece.isPart ? containerOf(fragment.childNodes) : undefined;
      const fresh = part && piece.continues ? partsOf(part) : [...(part ?? fragment).childNodes];
      const {nodes, left} = this.#morph(piece.parent, piece.nodes, fresh);
      for (const node of left) node.remove();
      piece.nodes = nodes;
      this.#enhance(nodes, true);
    }
  }

  #draw(piece: Piece): DocumentFragment {
    const {from, to, prefix} = piece;
    const markers = this.#markersOf(from, to);
    piece.markers = markers.key;
    return this.#render(prefix + this.#text.source.slice(from, to), from - prefix.length, markers.located, false);
  }

  #render(text: string, from: number, located: readonly Located[], isPartial: boolean): DocumentFragment {
    return renderMarkdown(text, this.#options, {
      references: isPartial ? {...this.#references} : this.#references,
      isPartial,
      markers: located.map(({offset}, number) => ({offset: Math.min(text.length, offset - from), number})),
      buildMarker: number => this.#buildMarker(located[number]?.marker),
    });
  }

  #buildMarker(marker: Marker | undefined): Node | undefined {
    const node = marker?.build();
    if (marker && node) this.#markerKeys.set(node, marker.key);
    return node;
  }

  /** The markers behind `from`, up to and including `to`; the first piece has those at the very beginning as well. */
  #markersOf(from: number, to: number): {readonly key: string; readonly located: readonly Located[]} {
    const located = this.#located.filter(({offset}) => (offset > from || from === 0) && offset <= to);
    return {located, key: located.map(({offset, marker}) => `${offset} ${marker.key}`).join('\n')};
  }

  #drawLive(): void {
    if (!this.#isStreaming) {
      this.#removeLive();
      return;
    }
    const {source, finished, continuation, fence} = this.#text;
    if (fence && this.#growCode(fence)) return;
    this.#liveCode = undefined;
    const prefix = continuation?.prefix ?? '';
    const tail = source.slice(finished);
    const {located} = this.#markersOf(finished, Number.POSITIVE_INFINITY);
    const shown = fence ? withoutHalfFence(tail) : closeOpenMarks(tail);
    const fragment = this.#render(prefix + shown, finished - prefix.length, located, true);
    const part = continuation && this.#container ? containerOf(fragment.childNodes) : undefined;
    const fresh = part ? partsOf(part) : [...fragment.childNodes];
    if (fresh.length === 0) {
      this.#removeLive();
      return;
    }
    const nodes = this.#put((part && this.#container) ?? this.#sectionFor(finished), fresh);
    for (const node of this.#live) node.remove();
    this.#live = nodes;
    this.#enhance(nodes, false);
    if (fence) this.#noteCode(fence.from);
  }

  #noteCode(from: number): void {
    const block = this.#live.find(node => node instanceof Element && node.matches('.code')) as Element | undefined;
    const code = block?.querySelector('code');
    if (!block || !code) return;
    const [first] = code.childNodes;
    const text = first instanceof Text ? first : document.createTextNode('');
    if (code.childNodes.length !== 1 || text !== first) {
      text.data = code.textContent ?? '';
      code.replaceChildren(text);
    }
    this.#liveCode = {from, text, block};
  }

  /** Appends to the code block on screen, which keeps its scroll position and selection. */
  #growCode(fence: OpenFence): boolean {
    const code = this.#liveCode;
    if (code?.from !== fence.from) return false;
    const content = withoutHalfFence(this.#text.source.slice(fence.contentFrom));
    if (content.length < code.text.length) changeText(code.text, content);
    else if (content.length > code.text.length) code.text.appendData(content.slice(code.text.length));
    return true;
  }

  /** A code block that has grown on screen stays as it is when its end has come. */
  #adoptCode(piece: Piece): boolean {
    const code = this.#liveCode;
    if (!code || code.from < piece.from || code.from >= piece.to) return false;
    const tokens = parser.parse(this.#text.source.slice(piece.from, piece.to), {});
    const {key} = this.#markersOf(piece.from, piece.to);
    if (tokens.length !== 1 || tokens[0]?.type !== 'fence' || key !== '') return false;
    changeText(code.text, tokens[0].content);
    piece.parent = this.#section.node;
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

/** The list or table that a piece makes. */
function containerOf(nodes: Iterable<ChildNode>): Element | undefined {
  const first = [...nodes].find(node => node instanceof Element);
  return first?.tagName === 'UL' || first?.tagName === 'OL'
    ? first
    : (first?.querySelector(':scope > table') ?? undefined);
}

/** The children that go into the list or table of the piece before: not the head, which is there to read rows by. */
function partsOf(container: Element): readonly Element[] {
  return [...container.children].filter(({tagName}) => tagName !== 'THEAD');
}

/** From its second part on a table keeps its columns: a wider cell would have every row above laid out again. */
function keepColumns(table: Element): void {
  if (!(table instanceof HTMLTableElement) || table.style.tableLayout === 'fixed') return;
  const heads = [...table.querySelectorAll<HTMLElement>('th')];
  const widths = heads.map(head => head.getBoundingClientRect().width);
  const whole = widths.reduce((sum, width) => sum + width, 0);
  // Not laid out, for example in a hidden chat.
  if (whole === 0) return;
  for (const [at, head] of heads.entries()) head.style.inlineSize = `${((widths[at] ?? 0) / whole) * 100}%`;
  // What needed more room than there was keeps it, and is scrolled.
  table.style.minInlineSize = `${whole}px`;
  table.style.tableLayout = 'fixed';
}

function isSameList(some: readonly string[] = [], others: readonly string[] = []): boolean {
  return some === others || (some.length === others.length && some.every((each, at) => each === others[at]));
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
