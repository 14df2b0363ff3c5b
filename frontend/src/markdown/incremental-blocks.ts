/** Renders a growing text incrementally: finished blocks are not touched again, and work is split into small pieces. */
import {frameSlices, type Slices} from '../frames.js';
import {sourceOfFormula} from './math.js';
import {changeText, type MorphResult, morph} from './morph.js';
import {type MarkdownOptions, parser, type References, renderMarkdown} from './render.js';
import {type OpenFence, type Span, stripPartialFence, TextSpans} from './text-spans.js';
import {closeOpenMarks} from './unfinished-marks.js';

/** A node to insert into the text, for example a citation. */
export interface Marker {
  /** Position in the text, in code points. */
  readonly index: number;
  /** Identifies the node: changes if `build` would return a different one. */
  readonly key: string;
  readonly build: () => Node;
}
interface LocatedMarker {
  readonly offset: number;
  readonly marker: Marker;
}

/** Consecutive short blocks are rendered as one piece, up to this size. */
const PIECE_CHARS = 1_500;
/** Size of a section: an element that the browser need not lay out while it is off screen. */
const SECTION_CHARS = 2_000;
/** How much of a complete text is parsed at once. */
const FEED_CHARS = 12_000;

/** A part of the text and its rendered nodes. */
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
  /** Whether the whole text has been split into pieces. */
  #isSplit = true;
  #markers: readonly LocatedMarker[] = [];
  #pieces: Piece[] = [];
  /** How many pieces are rendered. */
  #drawn = 0;
  #references: References = {};
  /** The section for the next piece; the first one is the target itself. */
  #section: {readonly from: number; readonly node: ParentNode & Node};
  /** The list or table that following items or rows are appended to. */
  #container: Element | undefined;
  /** The nodes of the unfinished end of the text. */
  #live: readonly ChildNode[] = [];
  #liveCode: {readonly from: number; readonly text: Text; readonly block: Element} | undefined;
  /** Cancels the scheduled continuation. */
  #cancelScheduled: (() => void) | undefined;
  readonly #markerKeys = new WeakMap<Node, string>();

  constructor(target: ParentNode & Node, slices: Slices = frameSlices) {
    this.#target = target;
    this.#slices = slices;
    this.#section = {from: 0, node: target};
  }

  /** Whether the whole text is rendered. */
  get isWhole(): boolean {
    return this.#isSplit && this.#drawn >= this.#pieces.length;
  }

  /** Renders `text` into the target. With `isStreaming`, the last block counts as unfinished. */
  render(text: string, isStreaming: boolean, options: MarkdownOptions, markers: readonly Marker[] = []): void {
    const normalized = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    // Servers trim a finished answer, which is no reason to render it again.
    const source = !isStreaming && this.#text.source.trimEnd() === normalized ? this.#text.source : normalized;
    const hasSameOptions =
      options.copyLabel === this.#options.copyLabel && isSameList(options.imageDomains, this.#options.imageDomains);
    if (!source.startsWith(this.#text.source) || !hasSameOptions) this.#clear();
    this.#options = options;
    this.#source = source;
    this.#isStreaming = isStreaming;
    this.#isSplit = false;
    this.#markers = locateMarkers(text, markers);
    this.#redrawWhere(piece => piece.markers !== this.#markersIn(piece.from, piece.to).key);
    this.#continue();
  }

  /** Stops rendering until `resume` is called. */
  pause(): void {
    this.#cancelScheduled?.();
    this.#cancelScheduled = undefined;
  }

  resume(): void {
    if (!this.isWhole) this.#continue();
  }

  #clear(): void {
    this.pause();
    this.#target.replaceChildren();
    this.#text = new TextSpans();
    this.#isSplit = true;
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
    // Small additions to a streaming text are rendered at once, without regard to the time budget.
    let isSmall = this.#isStreaming && this.#source.length - this.#text.finished < PIECE_CHARS;
    while (!this.isWhole) {
      if (!isSmall && !this.#slices.hasTime()) {
        this.#cancelScheduled = this.#slices.schedule(() => this.#continue());
        return;
      }
      const piece = this.#pieces[this.#drawn];
      if (piece) {
        this.#drawNext(piece);
        this.#drawn += 1;
      } else {
        this.#splitNext();
        isSmall &&= this.#pieces.length - this.#drawn < 2;
      }
    }
    this.#drawLive();
  }

  /** Splits the next part of the text into pieces. */
  #splitNext(): void {
    const begin = this.#text.source.length;
    const lineEnd = this.#source.length > begin + FEED_CHARS ? this.#source.indexOf('\n', begin + FEED_CHARS) + 1 : 0;
    this.#isSplit = lineEnd === 0 || lineEnd === this.#source.length;
    const source = this.#isSplit ? this.#source : this.#source.slice(0, lineEnd);
    for (const span of this.#text.grow(source, this.#isStreaming || !this.#isSplit)) this.#addPiece(span);
  }

  #drawNext(piece: Piece): void {
    if (this.#adoptCode(piece)) return;
    const knownReferences = new Set(Object.keys(this.#references));
    const fragment = this.#draw(piece);
    const part = piece.isPart ? containerOf(fragment.childNodes) : undefined;
    if (piece.continues && this.#container && part) {
      piece.parent = this.#container;
      fixColumnWidths(this.#container);
      piece.nodes = this.#append(this.#container, itemsOf(part));
    } else {
      const section = this.#sectionFor(piece.from);
      const nodes = this.#append(section, [...fragment.childNodes]);
      const container = piece.isPart ? containerOf(nodes) : undefined;
      this.#container = container;
      piece.parent = container ?? section;
      piece.nodes = container ? [...container.childNodes] : nodes;
    }
    this.#liveCode = undefined;
    this.#enhance(piece.nodes, true);
    const newReferences = Object.keys(this.#references).filter(key => !knownReferences.has(key));
    // A reference may be defined after the link that uses it.
    if (newReferences.length > 0) this.#redrawWhere(earlier => this.#usesReference(earlier, newReferences));
  }

  /** Appends nodes to `parent`, reusing the nodes of the unfinished end. */
  #append(parent: ParentNode & Node, fresh: readonly ChildNode[]): readonly ChildNode[] {
    if (this.#live[0]?.parentNode !== parent) this.#removeLive();
    const {nodes, leftover} = this.#morph(parent, this.#live, fresh);
    this.#live = leftover;
    return nodes;
  }

  #morph(parent: ParentNode & Node, before: readonly ChildNode[], fresh: readonly ChildNode[]): MorphResult {
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
    // The browser may skip the layout of a finished section; the height of the current one still changes.
    if (node instanceof Element && node !== this.#target) node.classList.add('finished');
    this.#target.append(section);
    this.#section = {from, node: section};
    return section;
  }

  #usesReference({from, to}: Piece, keys: readonly string[]): boolean {
    const text = this.#text.source.slice(from, to).toUpperCase();
    return keys.some(key => text.includes(`[${key}]`));
  }

  #redrawWhere(isStale: (piece: Piece) => boolean): void {
    for (const piece of this.#pieces.slice(0, this.#drawn)) {
      const [first] = piece.nodes;
      if (!first || !isStale(piece)) continue;
      const fragment = this.#draw(piece);
      const part = piece.isPart ? containerOf(fragment.childNodes) : undefined;
      const fresh = part && piece.continues ? itemsOf(part) : [...(part ?? fragment).childNodes];
      const {nodes, leftover} = this.#morph(piece.parent, piece.nodes, fresh);
      for (const node of leftover) node.remove();
      piece.nodes = nodes;
      this.#enhance(nodes, true);
    }
  }

  #draw(piece: Piece): DocumentFragment {
    const {from, to, prefix} = piece;
    const markers = this.#markersIn(from, to);
    piece.markers = markers.key;
    return this.#render(prefix + this.#text.source.slice(from, to), from - prefix.length, markers.located, false);
  }

  #render(text: string, from: number, located: readonly LocatedMarker[], isPartial: boolean): DocumentFragment {
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

  /** Finds the markers after `from`, up to and including `to`; the first piece includes those at its start. */
  #markersIn(from: number, to: number): {readonly key: string; readonly located: readonly LocatedMarker[]} {
    const located = this.#markers.filter(({offset}) => (offset > from || from === 0) && offset <= to);
    return {located, key: located.map(({offset, marker}) => `${offset} ${marker.key}`).join('\n')};
  }

  #drawLive(): void {
    if (!this.#isStreaming) {
      this.#removeLive();
      return;
    }
    const {source, finished, continuation, fence} = this.#text;
    if (fence && this.#extendLiveCode(fence)) return;
    this.#liveCode = undefined;
    const prefix = continuation?.prefix ?? '';
    const tail = source.slice(finished);
    const {located} = this.#markersIn(finished, Number.POSITIVE_INFINITY);
    const visible = fence ? stripPartialFence(tail) : closeOpenMarks(tail);
    const fragment = this.#render(prefix + visible, finished - prefix.length, located, true);
    const part = continuation && this.#container ? containerOf(fragment.childNodes) : undefined;
    const fresh = part ? itemsOf(part) : [...fragment.childNodes];
    if (fresh.length === 0) {
      this.#removeLive();
      return;
    }
    const nodes = this.#append((part && this.#container) ?? this.#sectionFor(finished), fresh);
    for (const node of this.#live) node.remove();
    this.#live = nodes;
    this.#enhance(nodes, false);
    if (fence) this.#trackLiveCode(fence.from);
  }

  /** Remembers the unfinished code block, so that it can be extended in place. */
  #trackLiveCode(from: number): void {
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

  /** Extends the unfinished code block in place, which keeps its scroll position and selection. */
  #extendLiveCode(fence: OpenFence): boolean {
    const code = this.#liveCode;
    if (code?.from !== fence.from) return false;
    const content = stripPartialFence(this.#text.source.slice(fence.contentFrom));
    if (content.length < code.text.length) changeText(code.text, content);
    else if (content.length > code.text.length) code.text.appendData(content.slice(code.text.length));
    return true;
  }

  /** Uses the nodes of the unfinished code block for its finished piece. */
  #adoptCode(piece: Piece): boolean {
    const code = this.#liveCode;
    if (!code || code.from < piece.from || code.from >= piece.to) return false;
    const tokens = parser.parse(this.#text.source.slice(piece.from, piece.to), {});
    const {key} = this.#markersIn(piece.from, piece.to);
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

/** Returns the list or table that a piece renders. */
function containerOf(nodes: Iterable<ChildNode>): Element | undefined {
  const first = [...nodes].find(node => node instanceof Element);
  return first?.tagName === 'UL' || first?.tagName === 'OL'
    ? first
    : (first?.querySelector(':scope > table') ?? undefined);
}

/** Returns the children to append to a list or table: all but the head, which is only needed for parsing. */
function itemsOf(container: Element): readonly Element[] {
  return [...container.children].filter(({tagName}) => tagName !== 'THEAD');
}

/** Fixes the column widths of a table rendered in parts: a wider cell would cause a layout of all rows above. */
function fixColumnWidths(table: Element): void {
  if (!(table instanceof HTMLTableElement) || table.style.tableLayout === 'fixed') return;
  const heads = [...table.querySelectorAll<HTMLElement>('th')];
  const widths = heads.map(head => head.getBoundingClientRect().width);
  const whole = widths.reduce((sum, width) => sum + width, 0);
  // The table has no layout, for example in a hidden chat.
  if (whole === 0) return;
  for (const [at, head] of heads.entries()) head.style.inlineSize = `${((widths[at] ?? 0) / whole) * 100}%`;
  // A table wider than its container keeps its width, and scrolls.
  table.style.minInlineSize = `${whole}px`;
  table.style.tableLayout = 'fixed';
}

function isSameList(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one === other || (one.length === other.length && one.every((entry, at) => entry === other[at]));
}

/** Converts positions in code points to offsets in the text with normalised line breaks; sorted. */
function locateMarkers(text: string, markers: readonly Marker[]): readonly LocatedMarker[] {
  if (markers.length === 0) return [];
  const sorted = [...markers].sort((a, b) => a.index - b.index);
  const located: LocatedMarker[] = [];
  let points = 0;
  let offset = 0;
  let at = 0;
  for (const marker of sorted) {
    while (points < marker.index && at < text.length) {
      const width = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
      // CRLF was normalised to one character.
      if (!(text[at] === '\r' && text[at + 1] === '\n')) offset += width;
      points += 1;
      at += width;
    }
    located.push({offset, marker});
  }
  return located;
}
