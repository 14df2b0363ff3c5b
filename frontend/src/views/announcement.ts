/** The announcement of an answer to screen readers: once, when it is whole. */
import {renderMarkdown} from '../markdown/render.js';
import type {ThreadItem} from '../protocol/types.js';
import {strings} from '../strings.js';
import {textOfTurn} from './turn-actions.js';

/** Longer answers are read on from the transcript. */
const MAX_CHARS = 600;
const MAX_SOURCE_CHARS = 10 * MAX_CHARS;

/** Plain words for the answer in `items`; empty when it has none. */
export function announceAnswer(items: readonly ThreadItem[]): string {
  const source = textOfTurn(items);
  // As it is drawn: only that knows which marks are marks.
  const drawn = renderMarkdown(source.slice(0, MAX_SOURCE_CHARS), {imageDomains: []});
  for (const block of drawn.querySelectorAll('.code')) block.remove();
  const text = (drawn.textContent ?? '').replace(/\s+/g, ' ').trim();
  if (text === '') return '';
  const isShort = text.length <= MAX_CHARS && source.length <= MAX_SOURCE_CHARS;
  const end = isShort ? text : `${text.slice(0, text.lastIndexOf(' ', MAX_CHARS))}…`;
  return `${strings.assistantSaid}: ${end}`;
}
