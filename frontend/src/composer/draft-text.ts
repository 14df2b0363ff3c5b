/** The text model of a draft: plain text and the ranges of its tags, which are edited as wholes. No DOM. */
import type {UserContent} from '../protocol/types.js';

export type InputTag = UserContent & {readonly type: 'input_tag'};

/** Place of a tag in the text; `end` is exclusive. */
export interface TagRange {
  readonly start: number;
  readonly end: number;
  readonly tag: InputTag;
}

/** A message being written, as it is kept and handed on: its parts and its quote. Its files are in `uploads.ts`. */
export interface Draft {
  readonly content: readonly UserContent[];
  readonly quotedText: string | undefined;
}

/** A message being written, as a text field holds it: one text, and where its tags stand. */
export interface DraftText {
  readonly text: string;
  /** The tags in order, not overlapping, and within the text. */
  readonly tags: readonly TagRange[];
}

/** A draft, and where its caret belongs now. */
export interface Edited {
  readonly draft: DraftText;
  readonly caret: number;
}

export interface Trigger {
  readonly character: string;
  /** Place of the character in the text. */
  readonly start: number;
  readonly query: string;
}

export const EMPTY_DRAFT: DraftText = {text: '', tags: []};

/** Longer than any name or command; a longer word is no query. */
const MAX_QUERY_LENGTH = 64;
/** Characters that are compared at once. */
const PIECE = 4_096;

/** The draft that shows `content`. */
export function fromContent(content: readonly UserContent[]): DraftText {
  let text = '';
  const tags: TagRange[] = [];
  for (const part of content) {
    const shown = part.type === 'input_tag' ? toLabel(part) : part.text.replace(/\r\n?/g, '\n');
    if (part.type === 'input_tag') tags.push({start: text.length, end: text.length + shown.length, tag: part});
    text += shown;
  }
  return {text, tags};
}

/** The content to send: text and tags in order, without white space around them; empty when there is nothing to say. */
export function toContent(draft: DraftText): readonly UserContent[] {
  const content = [...slice(draft, 0, draft.text.length)];
  trimEdge(content, 0, text => text.trimStart());
  trimEdge(content, content.length - 1, text => text.trimEnd());
  return content;
}

/**
 * How long a message is for a server: its characters (code points), and its mentions and its quote as a model reads them,
 * escaped and between tags, with what mentions carry besides.
 */
export function lengthOf({text, tags}: DraftText, quotedText = ''): number {
  const added = tags.map(({tag, start, end}) => {
    const told = `<mention id="${escaped(tag.id, true)}">${escaped(tag.text)}</mention>`;
    return countPoints(told + JSON.stringify(tag.data) + (tag.group ?? '')) - countPoints(text.slice(start, end));
  });
  const quote = quotedText ? `<quoted_text>\n${escaped(quotedText)}\n</quoted_text>` : '';
  return countPoints(text.trim()) + countPoints(quote) + added.reduce((sum, each) => sum + each, 0);
}

function escaped(text: string, isQuoted = false): string {
  const inText = text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  return isQuoted ? inText.replace(/"/g, '&quot;').replace(/'/g, '&#x27;') : inText;
}

function countPoints(text: string): number {
  const pairs = text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0;
  return text.length - pairs;
}

/** The part from `start` to `end`; tags that are cut are left out as tags and kept as text. */
export function slice({text, tags}: DraftText, start: number, end: number): readonly UserContent[] {
  const content: UserContent[] = [];
  let at = start;
  const addText = (until: number): void => {
    if (until > at) content.push({type: 'input_text', text: text.slice(at, until)});
  };
  for (const range of tags) {
    if (range.start < start || range.end > end) continue;
    addText(range.start);
    content.push(range.tag);
    at = range.end;
  }
  addText(end);
  return content;
}

/** Puts `content` in place of the part from `start` to `end`; tags that are cut go with it. */
export function replace(draft: DraftText, start: number, end: number, content: readonly UserContent[]): Edited {
  const [from, to] = cover(draft, start, end);
  const added = fromContent(content);
  const grown = from + added.text.length;
  return {
    draft: {
      text: draft.text.slice(0, from) + added.text + draft.text.slice(to),
      tags: [
        ...draft.tags.filter(range => range.end <= from),
        ...added.tags.map(range => shift(range, from)),
        ...draft.tags.filter(range => range.start >= to).map(range => shift(range, grown - to)),
      ],
    },
    caret: grown,
  };
}

/** Puts a tag there, and a space behind it so that typing can go on. */
export function insertTag(draft: DraftText, start: number, end: number, tag: InputTag): Edited {
  const [, to] = cover(draft, start, end);
  if (/^\s/.test(draft.text.slice(to))) {
    const edited = replace(draft, start, end, [tag]);
    return {...edited, caret: edited.caret + 1};
  }
  return replace(draft, start, end, [tag, {type: 'input_text', text: ' '}]);
}

/**
 * Takes over what the text field says after an edit by hand. A tag of which a part was deleted goes as a whole; one that
 * was typed into becomes plain text.
 *
 * @param caret The caret's place after the edit: what follows it was not changed.
 */
export function edit(draft: DraftText, text: string, caret: number): Edited {
  const before = draft.text;
  const shorter = Math.min(before.length, text.length);
  const suffix = countSameAtEnd(before, text, Math.min(shorter, text.length - caret));
  const prefix = countSameAtStart(before, text, shorter - suffix);
  // The part of `before` that went, and by how much what follows has moved.
  const gone = before.length - suffix;
  const moved = text.length - before.length;
  const kept: TagRange[] = [];
  const cut: TagRange[] = [];
  for (const range of draft.tags) {
    if (range.end <= prefix) kept.push(range);
    else if (range.start >= gone) kept.push(shift(range, moved));
    else if (gone > prefix && (range.start < prefix || range.end > gone)) cut.push(range);
  }
  let edited: Edited = {draft: {text, tags: kept}, caret};
  for (const range of cut.toReversed()) {
    // What is left of it: before the edit, after the edit.
    if (range.end > gone) edited = remove(edited, Math.max(gone, range.start) + moved, range.end + moved);
    if (range.start < prefix) edited = remove(edited, range.start, prefix);
  }
  return edited;
}

/**
 * A selection that does not end inside a tag.
 *
 * @param before The caret's place before, so that an arrow key jumps over a tag instead of bouncing off it.
 */
export function snap(
  draft: DraftText,
  start: number,
  end: number,
  before: number,
): readonly [start: number, end: number] {
  if (start !== end) return cover(draft, start, end);
  const inside = draft.tags.find(range => range.start < start && start < range.end);
  if (!inside) return [start, end];
  const isNearStart = start - inside.start < inside.end - start;
  const isBackward = before === inside.end ? true : before === inside.start ? false : isNearStart;
  const caret = isBackward ? inside.start : inside.end;
  return [caret, caret];
}

/** The word at the caret when it begins with one of `characters` and nothing but white space or a bracket is before it. */
export function findTrigger(draft: DraftText, caret: number, characters: readonly string[]): Trigger | undefined {
  const border = draft.tags.findLast(range => range.end <= caret)?.end ?? 0;
  const typed = draft.text.slice(border, caret);
  const start = Math.max(...characters.map(character => typed.lastIndexOf(character)));
  if (start < 0) return undefined;
  const query = typed.slice(start + 1);
  const before = start > 0 ? typed[start - 1] : border > 0 ? 'tag' : undefined;
  if (before !== undefined && !/^[\s([{"'“‘«]$/.test(before)) return undefined;
  if (query.length > MAX_QUERY_LENGTH || /\s/.test(query)) return undefined;
  return {character: typed[start] ?? '', start: border + start, query};
}

/** How many characters, `max` at most, two texts have in common at their start. */
export function countSameAtStart(a: string, b: string, max: number): number {
  let count = 0;
  // By the piece first: one by one, a text of ten thousand lines takes as long as half a frame.
  while (count + PIECE <= max && a.startsWith(b.slice(count, count + PIECE), count)) count += PIECE;
  while (count < max && a[count] === b[count]) count += 1;
  return count;
}

/** How many characters, `max` at most, two texts have in common at their end. */
export function countSameAtEnd(a: string, b: string, max: number): number {
  let count = 0;
  while (count < max && a.at(-1 - count) === b.at(-1 - count)) count += 1;
  return count;
}

function toLabel({text, id}: InputTag): string {
  return text.replace(/\s+/g, ' ').trim() || id || '?';
}

function cover({tags}: DraftText, start: number, end: number): readonly [number, number] {
  const from = tags.find(range => range.start < start && start < range.end)?.start ?? start;
  const to = tags.find(range => range.start < end && end < range.end)?.end ?? end;
  return [from, to];
}

function remove({draft, caret}: Edited, start: number, end: number): Edited {
  const size = end - start;
  return {
    draft: {
      text: draft.text.slice(0, start) + draft.text.slice(end),
      tags: draft.tags.map(range => (range.start >= end ? shift(range, -size) : range)),
    },
    caret: caret >= end ? caret - size : Math.min(caret, start),
  };
}

function shift({start, end, tag}: TagRange, by: number): TagRange {
  return {start: start + by, end: end + by, tag};
}

function trimEdge(content: UserContent[], at: number, trim: (text: string) => string): void {
  const part = content[at];
  if (part?.type !== 'input_text') return;
  const text = trim(part.text);
  if (text === '') content.splice(at, 1);
  else content[at] = {...part, text};
}
