/** Inserts markers such as citations into Markdown at given positions, but never inside code, a link or a formula. */
import type {Env, MarkdownIt as Parser, StateCore, StateInline, Token} from 'markdown-it';

export interface PlacedMarker {
  /** Position of the marker in the parsed text. */
  readonly offset: number;
  /** The caller’s number for this marker. */
  readonly number: number;
}

const MARKERS = Symbol('markers');
/** Markers of an inline token that the inline parser has still to place. */
const pending = new WeakMap<readonly Token[], PlacedMarker[]>();

/** Characters that end a run of plain text in the parser. */
const ENDS_TEXT = /[\n!#$%&*+\-:<=>@[\\\]^_`{}~]/;
const ADDRESS = /(?:https?|mailto|tel):[^\s<>]*[^\s<>.,;:!?)\]}'"]/gi;

/** Returns a parser environment with markers, which must be sorted by offset. */
export function withMarkers(env: Env, markers: readonly PlacedMarker[]): Env {
  return markers.length > 0 ? {...env, [MARKERS]: markers} : env;
}

export function addMarkers(parser: Parser): void {
  parser.core.ruler.before('inline', 'place_markers', placeMarkers);
  parser.core.ruler.after('inline', 'append_markers', appendMarkers);
  parser.inline.ruler.before('text', 'marker', readMarker);
}

/** A token that can hold markers, and where its content is in the text. */
interface Spot {
  readonly token: Token;
  readonly start: number;
  readonly end: number;
  /** Start in the text, start in the token's content, length. */
  readonly lines: readonly (readonly [source: number, content: number, length: number])[];
}

function placeMarkers(state: StateCore): void {
  const markers = state.env[MARKERS] as readonly PlacedMarker[] | undefined;
  if (markers === undefined) return;
  const spots = findSpots(state);
  for (const {offset, number} of markers) {
    // A marker between two blocks belongs to the first one.
    const at = spots.findIndex(({end}) => end >= offset);
    const spot = spots[at] && offset <= spots[at].start && at > 0 ? spots[at - 1] : (spots[at] ?? spots.at(-1));
    if (spot === undefined) {
      state.tokens.push(buildBlockMarker(state, number));
    } else if (spot.token.children) {
      const place = moveOutOfAddress(spot.token.content, toContent(spot, offset));
      const list = pending.get(spot.token.children) ?? [];
      list.push({offset: place, number});
      list.sort((a, b) => a.offset - b.offset);
      pending.set(spot.token.children, list);
    } else {
      state.tokens.splice(state.tokens.indexOf(spot.token) + 1, 0, buildBlockMarker(state, number));
    }
  }
}

function buildBlockMarker(state: StateCore, number: number): Token {
  const token = new state.Token('marker_block', '', 0);
  token.content = String(number);
  token.block = true;
  return token;
}

/** Finds the tokens with text, in document order. Each line's content is verbatim in the source, after its marks. */
function findSpots(state: StateCore): readonly Spot[] {
  const starts = [0];
  for (let at = state.src.indexOf('\n'); at >= 0; at = state.src.indexOf('\n', at + 1)) starts.push(at + 1);
  const spots: Spot[] = [];
  let cursor = 0;
  for (const token of state.tokens) {
    if (token.map && token.nesting >= 0) cursor = Math.max(cursor, starts[token.map[0]] ?? cursor);
    if (token.type === 'inline') {
      const lines: (readonly [number, number, number])[] = [];
      let content = 0;
      for (const line of token.content.split('\n')) {
        const found = state.src.indexOf(line, cursor);
        const source = found < 0 ? cursor : found;
        lines.push([source, content, line.length]);
        content += line.length + 1;
        cursor = source + line.length;
      }
      spots.push({token, start: lines[0]?.[0] ?? cursor, end: cursor, lines});
    } else if (token.map && (token.type === 'fence' || token.type === 'code_block' || token.type === 'math_block')) {
      const start = cursor;
      cursor = Math.max(cursor, (starts[token.map[1]] ?? state.src.length + 1) - 1);
      spots.push({token, start, end: cursor, lines: []});
    }
  }
  return spots;
}

function toContent({token, lines}: Spot, offset: number): number {
  for (const [source, content, length] of lines) {
    if (offset <= source) return content;
    if (offset <= source + length) return content + offset - source;
  }
  return token.content.length;
}

function moveOutOfAddress(content: string, offset: number): number {
  for (const match of content.matchAll(ADDRESS)) {
    if (offset > match.index && offset < match.index + match[0].length) return match.index + match[0].length;
  }
  return offset;
}

/** Inline rule before `text`: inserts the markers that are due, and ends the plain text before the next one. */
function readMarker(state: StateInline, isSilent: boolean): boolean {
  const list = pending.get(state.tokens);
  if (isSilent || list === undefined || state.linkLevel > 0) return false;
  pushDueMarkers(state, list, state.pos);
  const next = list[0]?.offset;
  if (next === undefined) return false;
  let end = state.pos;
  while (end < next && end < state.posMax && !ENDS_TEXT.test(state.src[end] ?? '')) end += 1;
  if (end === state.pos) return false;
  state.pending += state.src.slice(state.pos, end);
  state.pos = end;
  return true;
}

function pushDueMarkers(state: StateInline, list: PlacedMarker[], position: number): void {
  for (let first = list[0]; first !== undefined && first.offset <= position; first = list[0]) {
    state.push('marker', '', 0).content = String(first.number);
    list.shift();
  }
}

function appendMarkers(state: StateCore): void {
  if (state.env[MARKERS] === undefined) return;
  for (const {children} of state.tokens) {
    const list = children && pending.get(children);
    for (const {number} of list || []) {
      const token = new state.Token('marker', '', 0);
      token.content = String(number);
      children?.push(token);
    }
    if (children) pending.delete(children);
  }
}
