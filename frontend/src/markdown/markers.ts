/** Markers such as citations at positions of a Markdown text: between words, never inside code, a link or a formula. */
import type {Env, MarkdownIt as Parser, StateCore, StateInline, Token} from 'markdown-it';

export interface PlacedMarker {
  /** Place of the marker in the text that is parsed. */
  readonly offset: number;
  /** The caller’s number for this marker. */
  readonly number: number;
}

const MARKERS = Symbol('markers');
const waiting = new WeakMap<readonly Token[], PlacedMarker[]>();

/** Characters that end a run of plain text in the parser. */
const ENDS_TEXT = /[\n!#$%&*+\-:<=>@[\\\]^_`{}~]/;
const ADDRESS = /(?:https?|mailto|tel):[^\s<>]*[^\s<>.,;:!?)\]}'"]/gi;

/** The environment for a text with markers, ordered by offset. */
export function withMarkers(env: Env, markers: readonly PlacedMarker[]): Env {
  return markers.length > 0 ? {...env, [MARKERS]: markers} : env;
}

export function addMarkers(parser: Parser): void {
  parser.core.ruler.before('inline', 'place_markers', placeMarkers);
  parser.core.ruler.after('inline', 'append_markers', appendMarkers);
  parser.inline.ruler.before('text', 'marker', readMarker);
}

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
    // Between two blocks it belongs to what was said before.
    const at = spots.findIndex(({end}) => end >= offset);
    const spot = spots[at] && offset <= spots[at].start && at > 0 ? spots[at - 1] : (spots[at] ?? spots.at(-1));
    if (spot === undefined) {
      state.tokens.push(blockMarker(state, number));
    } else if (spot.token.children) {
      const place = moveOutOfAddress(spot.token.content, toContent(spot, offset));
      const list = waiting.get(spot.token.children) ?? [];
      list.push({offset: place, number});
      list.sort((a, b) => a.offset - b.offset);
      waiting.set(spot.token.children, list);
    } else {
      state.tokens.splice(state.tokens.indexOf(spot.token) + 1, 0, blockMarker(state, number));
    }
  }
}

function blockMarker(state: StateCore, number: number): Token {
  const token = new state.Token('marker_block', '', 0);
  token.content = String(number);
  token.block = true;
  return token;
}

/** Tokens that text belongs to, in its order. The content of a line stands in the text as it is, behind its marks. */
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

/** Runs before plain text is read: puts down what is due, and has the text end where the next marker comes. */
function readMarker(state: StateInline, isSilent: boolean): boolean {
  const list = waiting.get(state.tokens);
  if (isSilent || list === undefined || state.linkLevel > 0) return false;
  pushDue(state, list, state.pos);
  const next = list[0]?.offset;
  if (next === undefined) return false;
  let end = state.pos;
  while (end < next && end < state.posMax && !ENDS_TEXT.test(state.src[end] ?? '')) end += 1;
  if (end === state.pos) return false;
  state.pending += state.src.slice(state.pos, end);
  state.pos = end;
  return true;
}

function pushDue(state: StateInline, list: PlacedMarker[], position: number): void {
  for (let first = list[0]; first !== undefined && first.offset <= position; first = list[0]) {
    state.push('marker', '', 0).content = String(first.number);
    list.shift();
  }
}

function appendMarkers(state: StateCore): void {
  if (state.env[MARKERS] === undefined) return;
  for (const {children} of state.tokens) {
    const list = children && waiting.get(children);
    for (const {number} of list || []) {
      const token = new state.Token('marker', '', 0);
      token.content = String(number);
      children?.push(token);
    }
    if (children) waiting.delete(children);
  }
}
