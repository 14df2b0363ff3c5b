/** Changes a text field so that undo works, and puts tags of a message on the clipboard. */
import {countSameAtEnd, countSameAtStart} from '../composer/draft-text.js';
import {parseUserContent} from '../protocol/parsing.js';
import type {UserContent} from '../protocol/types.js';

/** The clipboard type of a part of a message, tags included, copied from one composer to another. */
const CLIPBOARD_TYPE = 'application/x-parlor-message+json';

const MAX_EDITED_LINES = 500;
const MAX_EDITED_CHARS = 50_000;

export function isLongText(text: string): boolean {
  return text.length > MAX_EDITED_CHARS || text.split('\n', MAX_EDITED_LINES + 1).length > MAX_EDITED_LINES;
}

/** Replaces only the differing part, by the browser's own editing where possible, so that undo works. */
export function writeText(field: HTMLTextAreaElement, text: string, isFocused: boolean): void {
  const before = field.value;
  if (before === text) return;
  const shorter = Math.min(before.length, text.length);
  const prefix = countSameAtStart(before, text, shorter);
  const suffix = countSameAtEnd(before, text, shorter - prefix);
  const added = text.slice(prefix, text.length - suffix);
  // The browser's editing is too slow with many lines; a long text is set directly, without undo.
  if (isFocused && !isLongText(added) && typeof document.execCommand === 'function') {
    const stopEvent = (event: Event): void => event.stopImmediatePropagation();
    field.addEventListener('input', stopEvent, {capture: true});
    field.setSelectionRange(prefix, before.length - suffix);
    document.execCommand(added === '' ? 'delete' : 'insertText', false, added);
    field.removeEventListener('input', stopEvent, {capture: true});
  }
  if (field.value !== text) field.value = text;
}

/** Puts a part of a message on the clipboard: as plain text, and with its tags for other composers. */
export function writeTags(clipboard: DataTransfer, text: string, content: readonly UserContent[]): void {
  clipboard.setData('text/plain', text);
  clipboard.setData(CLIPBOARD_TYPE, JSON.stringify(content));
}

/** Returns the content that `writeTags` put on the clipboard; empty when there is none. */
export function readTags(clipboard: DataTransfer): readonly UserContent[] {
  try {
    // Any page may write this type, so it is parsed like all external data.
    const content: unknown = JSON.parse(clipboard.getData(CLIPBOARD_TYPE));
    return Array.isArray(content) ? content.map(parseUserContent).filter(part => part !== undefined) : [];
  } catch {
    return [];
  }
}
