/** Announces an answer to screen readers: once, when it is complete. */
import {renderMarkdown} from '../markdown/render.js';
import type {ThreadItem} from '../protocol/types.js';
import {strings} from '../strings.js';
import {textOfTurn} from './turn-actions.js';

/** Longer answers are cut off; the rest can be read in the transcript. */
const MAX_CHARS = 600;
const MAX_SOURCE_CHARS = 10 * MAX_CHARS;

/** Returns the answer in `items` as plain text; empty when there is none. */
export function announceAnswer(items: readonly ThreadItem[]): string {
  const source = textOfTurn(items);
  // Rendered first, since only the parser knows which characters are markup.
  const rendered = renderMarkdown(source.slice(0, MAX_SOURCE_CHARS), {imageDomains: []});
  for (const block of rendered.querySelectorAll('.code')) block.remove();
  const text = (rendered.textContent ?? '').replace(/\s+/g, ' ').trim();
  if (text === '') return '';
  const isShort = text.length <= MAX_CHARS && source.length <= MAX_SOURCE_CHARS;
  const excerpt = isShort ? text : `${text.slice(0, text.lastIndexOf(' ', MAX_CHARS))}…`;
  return `${strings.assistantSaid}: ${excerpt}`;
}
