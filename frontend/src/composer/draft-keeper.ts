/** Keeps what is being written with the thread that it belongs to, and a message until the server has confirmed it. */
import type {Draft} from './draft-text.js';
import {KeptDrafts} from './kept-drafts.js';

const NO_DRAFT: Draft = {content: [], quotedText: undefined};

export class DraftKeeper {
  readonly #drafts: KeptDrafts;
  readonly #show: (draft: Draft) => void;
  /** The thread that the draft belongs to, and which opening has led there. */
  #threadId: string | undefined;
  #opening = 0;
  /** A message that the server has not confirmed, kept where a reload finds it; a newer draft takes its place. */
  #unsent: {readonly threadId: string | undefined} | undefined;

  /** @param show Puts a draft in place of what is being written. */
  constructor(log: (name: string) => void, show: (draft: Draft) => void) {
    this.#drafts = new KeptDrafts(log);
    this.#show = show;
  }

  /** @param hasFirstThread The page begins with a thread, which brings its own draft when it is there. */
  configure(url: string | undefined, hasFirstThread: boolean): void {
    const keptBefore = this.#drafts.areKept;
    this.#drafts.configure(url);
    if (!keptBefore && (!hasFirstThread || this.#opening > 0)) this.showKept();
  }

  showKept(): void {
    const draft = this.#drafts.load(this.#threadId);
    if (draft) this.#show(draft);
  }

  /** An empty composer after a message was sent is no wish to forget the message. */
  changed(draft: Draft): void {
    const isEmpty = draft.quotedText === undefined && draft.content.length === 0;
    if (isEmpty && this.#unsent) return;
    this.#unsent = undefined;
    this.#drafts.save(this.#threadId, draft);
  }

  sending(draft: Draft): void {
    this.#unsent = {threadId: this.#threadId};
    this.#drafts.save(this.#threadId, draft);
  }

  /** The server has the message by now. */
  confirmed(): void {
    if (!this.#unsent) return;
    this.#drafts.save(this.#unsent.threadId, undefined);
    this.#unsent = undefined;
  }

  /** Gives a refused draft back to the composer: it can only be changed. */
  refused(draft: Draft): void {
    this.#unsent = undefined;
    this.#show(draft);
  }

  removed(threadId: string): void {
    this.#drafts.save(threadId, undefined);
  }

  /**
   * Another thread has its own draft; a new thread that got its id keeps the one that is being written.
   *
   * @param openings How often a thread or the start screen was opened so far.
   */
  follow(threadId: string | undefined, openings: number): void {
    if (openings === this.#opening && threadId !== this.#threadId && !this.#unsent)
      this.#drafts.move(this.#threadId, threadId);
    this.#threadId = threadId;
    if (openings === this.#opening) return;
    this.#opening = openings;
    this.#unsent = undefined;
    if (this.#drafts.areKept) this.#show(this.#drafts.load(threadId) ?? NO_DRAFT);
  }
}
