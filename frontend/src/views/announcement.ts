/** The announcement of an answer to screen readers: once, when it is whole. */
import type {ThreadItem} from '../protocol/types.js';
import {strings} from '../strings.js';
import {textOfTurn} from './turn-actions.js';

/** Longer answers are read on from the transcript. */
const MAX_CHARS = 600;

/** Plain words for the answer in `items`; empty when it has none. */
export function announceAnswer(items: readonly ThreadItem[]): string {
  const text = textOfTurn(items)
    .replace(/```[\s\S]*?(?:```|$)/g, ' ')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^[ \t]*(?:#{1,6}|>|[-*+]|\d+\.)[ \t]+/gm, '')
    .replace(/[*_~`|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (text === '') return '';
  const end = text.length <= MAX_CHARS ? text : `${text.slice(0, text.lastIndexOf(' ', MAX_CHARS))}…`;
  return `${strings.assistantSaid}: ${end}`;
}
