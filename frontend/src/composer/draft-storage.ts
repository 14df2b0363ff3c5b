/** Stores unsent drafts by thread in `sessionStorage`, if the page wants them to survive a reload. No DOM. */
import {isObject, parseUserContent, toText} from '../protocol/parsing.js';
import type {Draft} from './draft-text.js';

const KEY = 'parlor.drafts';
/** How many drafts a tab stores; the oldest are dropped. */
const MAX_DRAFTS = 20;
/** A longer draft is written only when typing pauses. */
const LONG_DRAFT_CHARS = 10_000;
/** A longer draft is not stored. */
const MAX_DRAFT_CHARS = 1_000_000;
const PAUSE_MS = 250;

/** The key of a draft: the server's address and the thread id, which is empty for a new thread. */
type DraftKey = `${string} ${string}`;
type Entry = readonly [key: DraftKey, draft: Draft];

export class DraftStorage {
  readonly #log: (name: string) => void;
  #url: string | undefined;
  #hasFailed = false;
  /** Drafts of this page, including those that could not be stored. */
  readonly #drafts = new Map<DraftKey, Draft | undefined>();
  #writeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: (name: string) => void) {
    this.#log = log;
  }

  /** @param url The server's address; `undefined` stores nothing. */
  configure(url: string | undefined): void {
    this.#url = url;
  }

  get isEnabled(): boolean {
    return this.#url !== undefined;
  }

  load(threadId: string | undefined): Draft | undefined {
    const key = this.#keyOf(threadId);
    if (this.#drafts.has(key)) return this.#drafts.get(key);
    return this.#readStored().find(([storedKey]) => storedKey === key)?.[1];
  }

  /** Saves the draft of a thread; an empty draft, or `undefined`, removes it. */
  save(threadId: string | undefined, draft: Draft | undefined): void {
    if (!this.isEnabled) return;
    const key = this.#keyOf(threadId);
    this.#drafts.delete(key);
    this.#drafts.set(key, draft && !isEmpty(draft) ? draft : undefined);
    const [oldest] = this.#drafts.keys();
    if (this.#drafts.size > MAX_DRAFTS && oldest !== undefined) this.#drafts.delete(oldest);
    const isLong = draft !== undefined && countChars(draft) > LONG_DRAFT_CHARS;
    if (isLong) this.#writeLater();
    else this.#write();
  }

  /** Moves a draft, for example to a new thread that has got its id. */
  move(from: string | undefined, to: string | undefined): void {
    const draft = this.load(from);
    if (!draft) return;
    this.save(from, undefined);
    this.save(to, draft);
  }

  #keyOf(threadId = ''): DraftKey {
    return `${this.#url ?? ''} ${threadId}`;
  }

  #readStored(): readonly Entry[] {
    if (!this.isEnabled) return [];
    try {
      const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
      return Array.isArray(stored) ? stored.flatMap(parseEntry) : [];
    } catch {
      this.#logFailure();
      return [];
    }
  }

  /** Delays the write: storing a long text takes too long to do it with every key. */
  #writeLater(): void {
    clearTimeout(this.#writeTimer);
    this.#writeTimer = setTimeout(() => this.#write(), PAUSE_MS);
    addEventListener('pagehide', this.#write);
  }

  #write = (): void => {
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
    removeEventListener('pagehide', this.#write);
    const drafts = [...this.#drafts].filter((entry): entry is [DraftKey, Draft] => entry[1] !== undefined);
    const fitting = drafts.filter(([, draft]) => countChars(draft) <= MAX_DRAFT_CHARS);
    const entries = [...this.#readStored().filter(([key]) => !this.#drafts.has(key)), ...fitting].slice(-MAX_DRAFTS);
    const isComplete =
      fitting.length === drafts.length && (entries.length === 0 ? removeStored() : writeStored(entries));
    // A draft that could not be stored would be lost: the browser asks before it leaves the page.
    if (isComplete) removeEventListener('beforeunload', confirmUnload);
    else addEventListener('beforeunload', confirmUnload);
    if (!isComplete) this.#logFailure();
  };

  /** Logs once that the storage is full, or not available to the page. */
  #logFailure(): void {
    if (!this.#hasFailed) this.#log('drafts.unavailable');
    this.#hasFailed = true;
  }
}

function confirmUnload(event: Event): void {
  event.preventDefault();
}

function removeStored(): boolean {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Without access to the storage there is nothing to remove.
  }
  return true;
}

/** Writes the entries, without the oldest ones if they do not fit; false if there is no room at all. */
function writeStored(entries: readonly Entry[]): boolean {
  for (let from = 0; from < entries.length; from += 1) {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(entries.slice(from)));
      return true;
    } catch {
      // The storage is full or not available.
    }
  }
  return false;
}

function countChars({content, quotedText = ''}: Draft): number {
  return content.reduce((sum, part) => sum + part.text.length, quotedText.length);
}

function isEmpty({content, quotedText}: Draft): boolean {
  return quotedText === undefined && content.every(part => part.type === 'input_text' && part.text === '');
}

function parseEntry(entry: unknown): readonly Entry[] {
  const [key, draft] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
  if (typeof key !== 'string' || !isObject(draft) || !Array.isArray(draft.content)) return [];
  const content = draft.content.map(parseUserContent).filter(part => part !== undefined);
  return [[key as DraftKey, {content, quotedText: toText(draft.quotedText)}]];
}
