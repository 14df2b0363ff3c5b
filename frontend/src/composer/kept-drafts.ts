/** Keeps unsent drafts by thread in `sessionStorage`, where the page wants them to outlive a reload. No DOM. */
import {isObject, parseUserContent, toText} from '../protocol/parsing.js';
import type {Draft} from './draft-text.js';

const KEY = 'parlor.drafts';
/** Drafts that are kept in the whole tab; the oldest goes first. */
const MAX_DRAFTS = 20;
/** Length of a draft as JSON; a longer one is written when typing pauses, a far longer one not at all. */
const LONG_DRAFT_CHARS = 10_000;
const MAX_DRAFT_CHARS = 1_000_000;
const PAUSE_MS = 250;

/** The place of a draft: the server's address, and the thread or nothing for a new one. */
type Place = `${string} ${string}`;
type Entry = readonly [place: Place, draft: Draft];

export class KeptDrafts {
  readonly #log: (name: string) => void;
  #url: string | undefined;
  #hasFailed = false;
  /** Drafts of this page, whether they could be stored or not; another conversation is no reason to lose one. */
  readonly #own = new Map<Place, Draft | undefined>();
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(log: (name: string) => void) {
    this.#log = log;
  }

  /** @param url The server's address; `undefined` when nothing is to be kept. */
  configure(url: string | undefined): void {
    this.#url = url;
  }

  get areKept(): boolean {
    return this.#url !== undefined;
  }

  load(threadId: string | undefined): Draft | undefined {
    const place = this.#placeOf(threadId);
    if (this.#own.has(place)) return this.#own.get(place);
    return this.#read().find(([each]) => each === place)?.[1];
  }

  /** An empty draft, or `undefined`, is forgotten. */
  save(threadId: string | undefined, draft: Draft | undefined): void {
    if (!this.areKept) return;
    const place = this.#placeOf(threadId);
    this.#own.delete(place);
    this.#own.set(place, draft && !isEmpty(draft) ? draft : undefined);
    const [oldest] = this.#own.keys();
    if (this.#own.size > MAX_DRAFTS && oldest !== undefined) this.#own.delete(oldest);
    const isLong = draft !== undefined && sizeOf(draft) > LONG_DRAFT_CHARS;
    if (isLong) this.#writeLater();
    else this.#write();
  }

  /** A new thread has got its id; what was written meanwhile belongs to it. */
  move(from: string | undefined, to: string | undefined): void {
    const draft = this.load(from);
    if (!draft) return;
    this.save(from, undefined);
    this.save(to, draft);
  }

  #placeOf(threadId = ''): Place {
    return `${this.#url ?? ''} ${threadId}`;
  }

  #read(): readonly Entry[] {
    if (!this.areKept) return [];
    try {
      const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
      return Array.isArray(stored) ? stored.flatMap(parseEntry) : [];
    } catch {
      this.#fail();
      return [];
    }
  }

  /** A long text takes a while to write, which must not be felt at every key. */
  #writeLater(): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#write(), PAUSE_MS);
    addEventListener('pagehide', this.#write);
  }

  #write = (): void => {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    removeEventListener('pagehide', this.#write);
    const own = [...this.#own].filter((entry): entry is [Place, Draft] => entry[1] !== undefined);
    const fitting = own.filter(([, draft]) => sizeOf(draft) <= MAX_DRAFT_CHARS);
    const entries = [...this.#read().filter(([place]) => !this.#own.has(place)), ...fitting].slice(-MAX_DRAFTS);
    const isWhole = fitting.length === own.length && (entries.length === 0 ? clear() : store(entries));
    // The last way not to lose it: the browser asks before the page goes.
    if (isWhole) removeEventListener('beforeunload', warn);
    else addEventListener('beforeunload', warn);
    if (!isWhole) this.#fail();
  };

  /** Storage is full, or the page may not use it: said once, and one can write all the same. */
  #fail(): void {
    if (!this.#hasFailed) this.#log('drafts.unavailable');
    this.#hasFailed = true;
  }
}

function warn(event: Event): void {
  event.preventDefault();
}

function clear(): boolean {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Where nothing can be stored, nothing is left behind.
  }
  return true;
}

/** Stores as many as there is room for, the newest first. */
function store(entries: readonly Entry[]): boolean {
  for (let from = 0; from < entries.length; from += 1) {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(entries.slice(from)));
      return true;
    } catch {
      // Full, or not to be used.
    }
  }
  return false;
}

function sizeOf({content, quotedText = ''}: Draft): number {
  return content.reduce((sum, part) => sum + part.text.length, quotedText.length);
}

function isEmpty({content, quotedText}: Draft): boolean {
  return quotedText === undefined && content.every(part => part.type === 'input_text' && part.text === '');
}

function parseEntry(entry: unknown): readonly Entry[] {
  const [place, draft] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
  if (typeof place !== 'string' || !isObject(draft) || !Array.isArray(draft.content)) return [];
  const content = draft.content.map(parseUserContent).filter(part => part !== undefined);
  return [[place as Place, {content, quotedText: toText(draft.quotedText)}]];
}
