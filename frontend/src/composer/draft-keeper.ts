/** Saves the draft of each thread, and a sent message until the server has confirmed it. */

import {DraftStorage} from './draft-storage.js';
import type {Draft} from './draft-text.js';

const NO_DRAFT: Draft = {content: [], quotedText: undefined};

export class DraftKeeper {
  readonly #drafts: DraftStorage;
  readonly #show: (draft: Draft) => void;
  /** The thread that the draft belongs to. */
  #threadId: string | undefined;
  /** The number of openings when the thread was shown. */
  #openings = 0;
  /** Set while a message is unconfirmed: it is saved as a draft, so that it survives a reload. */
  #unconfirmed: {readonly threadId: string | undefined} | undefined;

  /** @param show Replaces the draft in the composer. */
  constructor(log: (name: string) => void, show: (draft: Draft) => void) {
    this.#drafts = new DraftStorage(log);
    this.#show = show;
  }

  /** @param hasInitialThread Whether the page opens a thread first, which then shows its own draft. */
  configure(url: string | undefined, hasInitialThread: boolean): void {
    const wasEnabled = this.#drafts.isEnabled;
    this.#drafts.configure(url);
    if (!wasEnabled && (!hasInitialThread || this.#openings > 0)) this.restore();
  }

  /** Shows the saved draft of the current thread. */
  restore(): void {
    const draft = this.#drafts.load(this.#threadId);
    if (draft) this.#show(draft);
  }

  /** Saves a change of the draft. The empty composer after sending does not remove an unconfirmed message. */
  onChange(draft: Draft): void {
    const isEmpty = draft.quotedText === undefined && draft.content.length === 0;
    if (isEmpty && this.#unconfirmed) return;
    this.#unconfirmed = undefined;
    this.#drafts.save(this.#threadId, draft);
  }

  onSend(draft: Draft): void {
    this.#unconfirmed = {threadId: this.#threadId};
    this.#drafts.save(this.#threadId, draft);
  }

  /** Removes the saved message: the server has it. */
  onConfirm(): void {
    if (!this.#unconfirmed) return;
    this.#drafts.save(this.#unconfirmed.threadId, undefined);
    this.#unconfirmed = undefined;
  }

  /** Returns a rejected message to the composer, to be changed. */
  onReject(draft: Draft): void {
    this.#unconfirmed = undefined;
    this.#show(draft);
  }

  onRemove(threadId: string): void {
    this.#drafts.save(threadId, undefined);
  }

  /**
   * Shows the draft of the thread that was opened. A new thread that has got its id keeps the current draft.
   *
   * @param openings How often a thread or the start screen was opened so far.
   */
  follow(threadId: string | undefined, openings: number): void {
    if (openings === this.#openings && threadId !== this.#threadId && !this.#unconfirmed)
      this.#drafts.move(this.#threadId, threadId);
    this.#threadId = threadId;
    if (openings === this.#openings) return;
    this.#openings = openings;
    this.#unconfirmed = undefined;
    if (this.#drafts.isEnabled) this.#show(this.#drafts.load(threadId) ?? NO_DRAFT);
  }
}
