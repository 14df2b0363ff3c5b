/** The text model of a draft: plain text with tags, which are inserted and deleted as a whole. No DOM. */
import type {UserContent} from '../protocol/types.js';

export type InputTag = UserContent & {readonly type: 'input_tag'};

/** Position of a tag in the text; `end` is exclusive. */
export interface TagRange {
  readonly start: number;
  readonly end: number;
  readonly tag: InputTag;
}

/** An unsent message as it is saved: its content and its quote. Its files are in `uploads.ts`. */
export interface Draft {
  readonly content: readonly UserContent[];
  readonly quotedText: string | undefined;
}

/** An unsent message as a text field holds it: one text, and the positions of its tags. */
export interface DraftText {
  readonly text: string;
  /** The tags in order, not overlapping, and within the text. */
  readonly tags: readonly TagRange[];
}

/** A draft after an edit, and the position of its caret. */
export interface EditResult {
  readonly draft: DraftText;
  readonly caret: number;
}

export interface Trigger {
  readonly character: string;
  /** Position of the character in the text. */
  readonly start: number;
  readonly query: string;
}

export const EMPTY_DRAFT: DraftText = {text: '', tags: []};

/** A longer word is not a query: no name or command is that long. */
const MAX_QUERY_LENGTH = 64;
/** How many characters are compared at once. */
const CHUNK_CHARS = 4_096;

/** Builds the draft text that shows `content`. */
export function fromContent(content: readonly UserContent[]): DraftText {
  let text = '';
  const tags: TagRange[] = [];
  for (const part of content) {
    const added = part.type === 'input_tag' ? toLabel(part) : part.text.replace(/\r\n?/g, '\n');
    if (part.type === 'input_tag') tags.push({start: text.length, end: text.length + added.length, tag: part});
    text += added;
  }
  return {text, tags};
}

/** Builds the content to send: text and tags in order, trimmed at both ends; empty if only white space is left. */
export function toContent(draft: DraftText): readonly UserContent[] {
  const content = [...sliceContent(draft, 0, draft.text.length)];
  trimEdge(content, 0, text => text.trimStart());
  trimEdge(content, content.length - 1, text => text.trimEnd());
  return content;
}

/**
 * Computes the length of a message as Parlor servers limit it, in code points. Mentions and the quote count as the
 * model reads them, escaped and in tags; mentions also with their data.
 */
export function messageLength({text, tags}: DraftText, quotedText = ''): number {
  const added = tags.map(({tag, start, end}) => {
    const mention = `<mention id="${escapeMarkup(tag.id, true)}">${escapeMarkup(tag.text)}</mention>`;
    return countPoints(mention + JSON.stringify(tag.data) + (tag.group ?? '')) - countPoints(text.slice(start, end));
  });
  const quote = quotedText ? `<quoted_text>\n${escapeMarkup(quotedText)}\n</quoted_text>` : '';
  return countPoints(text.trim()) + countPoints(quote) + added.reduce((sum, length) => sum + length, 0);
}

function escapeMarkup(text: string, isQuoted = false): string {
  const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  return isQuoted ? escaped.replace(/"/g, '&quot;').replace(/'/g, '&#x27;') : escaped;
}

function countPoints(text: string): number {
  const pairs = text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0;
  return text.length - pairs;
}

/** Returns the content from `start` to `end`; a tag that is cut becomes plain text. */
export function sliceContent({text, tags}: DraftText, start: number, end: number): readonly UserContent[] {
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

/** Replaces the text from `start` to `end` by `content`; a tag that is cut is removed as a whole. */
export function replaceRange(
  draft: DraftText,
  start: number,
  end: number,
  content: readonly UserContent[],
): EditResult {
  const [from, to] = expandToTags(draft, start, end);
  const added = fromContent(content);
  const addedEnd = from + added.text.length;
  return {
    draft: {
      text: draft.text.slice(0, from) + added.text + draft.text.slice(to),
      tags: [
        ...draft.tags.filter(range => range.end <= from),
        ...added.tags.map(range => shiftRange(range, from)),
        ...draft.tags.filter(range => range.start >= to).map(range => shiftRange(range, addedEnd - to)),
      ],
    },
    caret: addedEnd,
  };
}

/** Replaces the text from `start` to `end` by a tag, followed by a space so that typing can continue. */
export function insertTag(draft: DraftText, start: number, end: number, tag: InputTag): EditResult {
  const [, to] = expandToTags(draft, start, end);
  if (/^\s/.test(draft.text.slice(to))) {
    const result = replaceRange(draft, start, end, [tag]);
    return {...result, caret: result.caret + 1};
  }
  return replaceRange(draft, start, end, [tag, {type: 'input_text', text: ' '}]);
}

/**
 * Applies the text of the field after the user has edited it. A tag that was partly deleted is removed as a whole; a
 * tag that was typed into becomes plain text.
 *
 * @param caret The position of the caret after the edit; the text after it is unchanged.
 */
export function edit(draft: DraftText, text: string, caret: number): EditResult {
  const before = draft.text;
  const shorter = Math.min(before.length, text.length);
  const suffix = countSameAtEnd(before, text, Math.min(shorter, text.length - caret));
  const prefix = countSameAtStart(before, text, shorter - suffix);
  // The end of the part of `before` that was replaced, and by how much the text after it has moved.
  const replacedEnd = before.length - suffix;
  const offset = text.length - before.length;
  const kept: TagRange[] = [];
  const cut: TagRange[] = [];
  for (const range of draft.tags) {
    if (range.end <= prefix) kept.push(range);
    else if (range.start >= replacedEnd) kept.push(shiftRange(range, offset));
    else if (replacedEnd > prefix && (range.start < prefix || range.end > replacedEnd)) cut.push(range);
  }
  let result: EditResult = {draft: {text, tags: kept}, caret};
  for (const range of cut.toReversed()) {
    // The rest of the tag after the edit, then the rest before it.
    if (range.end > replacedEnd)
      result = removeText(result, Math.max(replacedEnd, range.start) + offset, range.end + offset);
    if (range.start < prefix) result = removeText(result, range.start, prefix);
  }
  return result;
}

/**
 * Adjusts a selection so that it does not end inside a tag.
 *
 * @param before The previous position of the caret, so that an arrow key moves over a tag instead of back.
 */
export function snapSelection(
  draft: DraftText,
  start: number,
  end: number,
  before: number,
): readonly [start: number, end: number] {
  if (start !== end) return expandToTags(draft, start, end);
  const inside = draft.tags.find(range => range.start < start && start < range.end);
  if (!inside) return [start, end];
  const isNearStart = start - inside.start < inside.end - start;
  const isBackward = before === inside.end ? true : before === inside.start ? false : isNearStart;
  const caret = isBackward ? inside.start : inside.end;
  return [caret, caret];
}

/** Finds the word at the caret if it starts with one of `characters`, after white space or an opening bracket. */
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

/** Counts the characters that two texts have in common at their start, up to `max`. */
export function countSameAtStart(a: string, b: string, max: number): number {
  let count = 0;
  // In chunks first: character by character, a text of ten thousand lines takes half a frame.
  while (count + CHUNK_CHARS <= max && a.startsWith(b.slice(count, count + CHUNK_CHARS), count)) count += CHUNK_CHARS;
  while (count < max && a[count] === b[count]) count += 1;
  return count;
}

/** Counts the characters that two texts have in common at their end, up to `max`. */
export function countSameAtEnd(a: string, b: string, max: number): number {
  let count = 0;
  while (count < max && a.at(-1 - count) === b.at(-1 - count)) count += 1;
  return count;
}

function toLabel({text, id}: InputTag): string {
  return text.replace(/\s+/g, ' ').trim() || id || '?';
}

/** Expands a range so that it includes the whole of each tag at its ends. */
function expandToTags({tags}: DraftText, start: number, end: number): readonly [number, number] {
  const from = tags.find(range => range.start < start && start < range.end)?.start ?? start;
  const to = tags.find(range => range.start < end && end < range.end)?.end ?? end;
  return [from, to];
}

function removeText({draft, caret}: EditResult, start: number, end: number): EditResult {
  const size = end - start;
  return {
    draft: {
      text: draft.text.slice(0, start) + draft.text.slice(end),
      tags: draft.tags.map(range => (range.start >= end ? shiftRange(range, -size) : range)),
    },
    caret: caret >= end ? caret - size : Math.min(caret, start),
  };
}

function shiftRange({start, end, tag}: TagRange, by: number): TagRange {
  return {start: start + by, end: end + by, tag};
}

function trimEdge(content: UserContent[], at: number, trim: (text: string) => string): void {
  const part = content[at];
  if (part?.type !== 'input_text') return;
  const text = trim(part.text);
  if (text === '') content.splice(at, 1);
  else content[at] = {...part, text};
}
