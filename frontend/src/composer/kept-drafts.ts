/** Keeps unsent drafts by thread in `sessionStorage`, where the page wants them to outlive a reload. No DOM. */
import {isObject, parseUserContent, toText} from '../protocol/parsing.js';
import type {Draft} from './draft-text.js';

const KEY = 'parlor.drafts';
/** Drafts that are kept in the whole tab; the oldest goes first. */
const MAX_DRAFTS = 20;
/** Length of a draft as JSON; a longer one is not kept. */
const MAX_DRAFT_CHARS = 10_000;

/** Where a draft belongs: the server's address, and the thread or nothing for a new one. */
type Place = `${string} ${string}`;
type Entry = readonly [place: Place, draft: Draft];

export class KeptDrafts {
  readonly #log: (name: string) => void;
  #url: string | undefined;
  #hasFailed = false;

  constructor(log: (name: string) => void) {
    this.#log = log;
  }

  /** @param url Of the server; `undefined` when nothing is to be kept. */
  configure(url: string | undefined): void {
    this.#url = url;
  }

  get areKept(): boolean {
    return this.#url !== undefined;
  }

  load(threadId: string | undefined): Draft | undefined {
    const place = this.#placeOf(threadId);
    return this.#read().find(([each]) => each === place)?.[1];
  }

  /** An empty draft, or `undefined`, is forgotten. */
  save(threadId: string | undefined, draft: Draft | undefined): void {
    if (!this.areKept) return;
    const place = this.#placeOf(threadId);
    const others = this.#read().filter(([each]) => each !== place);
    const isKept = draft && !isEmpty(draft) && JSON.stringify(draft).length <= MAX_DRAFT_CHARS;
    this.#write(isKept ? [...others, [place, draft]] : others);
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

  #write(entries: readonly Entry[]): void {
    try {
      if (entries.length === 0) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, JSON.stringify(entries.slice(-MAX_DRAFTS)));
    } catch {
      this.#fail();
    }
  }

  /** Storage is full, or the page may not use it: said once, and one can write all the same. */
  #fail(): void {
    if (!this.#hasFailed) this.#log('drafts.unavailable');
    this.#hasFailed = true;
  }
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
