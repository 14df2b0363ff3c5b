/** The list of a person’s threads: pages, renaming, deletion. No DOM. */
import {parsePage, parseThread} from '../protocol/parsing.js';
import type {Thread} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import {RequestError} from '../server/request-error.js';

const PAGE_SIZE = 50;

export interface ThreadListState {
  readonly threads: readonly Thread[];
  readonly after: string | undefined;
  readonly isLoading: boolean;
  readonly hasFailed: boolean;
}

export class ThreadList {
  readonly #client: ChatKitClient;
  readonly #changed: () => void;
  #state: ThreadListState = {threads: [], after: undefined, isLoading: false, hasFailed: false};
  #request: AbortController | undefined;

  constructor(client: ChatKitClient, changed: () => void) {
    this.#client = client;
    this.#changed = changed;
  }

  get state(): ThreadListState {
    return this.#state;
  }

  /** Reads the newest page; what was shown stays until it arrives. */
  async load(): Promise<void> {
    await this.#fetch(undefined);
  }

  async loadMore(): Promise<void> {
    if (this.#state.after !== undefined && !this.#state.isLoading) await this.#fetch(this.#state.after);
  }

  /** Shows the new title at once and takes it back when the server refuses. */
  async rename(threadId: string, title: string): Promise<void> {
    const before = this.#state.threads.find(({id}) => id === threadId)?.title;
    this.retitle(threadId, title);
    try {
      await this.#client.send({type: 'threads.update', params: {thread_id: threadId, title}});
    } catch (error) {
      this.retitle(threadId, before);
      throw error;
    }
  }

  async remove(threadId: string): Promise<void> {
    await this.#client.send({type: 'threads.delete', params: {thread_id: threadId}});
    const {threads, after} = this.#state;
    const left = threads.filter(({id}) => id !== threadId);
    // A thread that is no more is no place to read on from.
    this.#set({threads: left, after: after === threadId ? left.at(-1)?.id : after});
    if (after === threadId && left.length === 0) await this.load();
  }

  /** A title that became known elsewhere. */
  retitle(threadId: string, title: string | undefined): void {
    const {threads} = this.#state;
    const at = threads.findIndex(({id}) => id === threadId);
    const thread = threads[at];
    if (thread && thread.title !== title) this.#set({threads: threads.with(at, {...thread, title})});
  }

  close(): void {
    this.#request?.abort();
    this.#request = undefined;
    this.#state = {...this.#state, isLoading: false};
  }

  async #fetch(after: string | undefined): Promise<void> {
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    this.#set({isLoading: true, hasFailed: false});
    try {
      const params = {limit: PAGE_SIZE, order: 'desc', ...(after === undefined ? {} : {after})} as const;
      const page = parsePage(await this.#client.send({type: 'threads.list', params}, request.signal), parseThread);
      if (request.signal.aborted) return;
      const known = new Set(after === undefined ? [] : this.#state.threads.map(({id}) => id));
      const threads = page.data.filter(({id}) => !known.has(id));
      this.#set({
        threads: after === undefined ? threads : [...this.#state.threads, ...threads],
        after: page.hasMore && page.after !== after ? page.after : undefined,
        isLoading: false,
      });
    } catch (error) {
      if (request.signal.aborted) return;
      if (after !== undefined && error instanceof RequestError && [400, 404].includes(error.status)) {
        // Deleted elsewhere: the list is read anew.
        this.#set({after: undefined});
        return this.#fetch(undefined);
      }
      this.#set({isLoading: false, hasFailed: true});
      throw error;
    }
  }

  #set(change: Partial<ThreadListState>): void {
    this.#state = {...this.#state, ...change};
    this.#changed();
  }
}
