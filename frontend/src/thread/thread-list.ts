/** The list of a user’s threads: paging, renaming, deletion. No DOM. */
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

  /** Loads the newest page; the current list stays until it arrives. */
  async load(): Promise<void> {
    await this.#fetch(undefined);
  }

  async loadMore(): Promise<void> {
    if (this.#state.after !== undefined && !this.#state.isLoading) await this.#fetch(this.#state.after);
  }

  /** Renames a thread: the new title is shown at once, and reverted if the server refuses it. */
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
    const remaining = threads.filter(({id}) => id !== threadId);
    // A deleted thread cannot be the cursor of the next page.
    this.#setState({threads: remaining, after: after === threadId ? remaining.at(-1)?.id : after});
    if (after === threadId && remaining.length === 0) await this.load();
  }

  /** Applies a title that changed elsewhere, without a request. */
  retitle(threadId: string, title: string | undefined): void {
    const {threads} = this.#state;
    const at = threads.findIndex(({id}) => id === threadId);
    const thread = threads[at];
    if (thread && thread.title !== title) this.#setState({threads: threads.with(at, {...thread, title})});
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
    this.#setState({isLoading: true, hasFailed: false});
    try {
      const params = {limit: PAGE_SIZE, order: 'desc', ...(after === undefined ? {} : {after})} as const;
      const page = parsePage(await this.#client.send({type: 'threads.list', params}, request.signal), parseThread);
      if (request.signal.aborted) return;
      const known = new Set(after === undefined ? [] : this.#state.threads.map(({id}) => id));
      const threads = page.data.filter(({id}) => !known.has(id));
      this.#setState({
        threads: after === undefined ? threads : [...this.#state.threads, ...threads],
        after: page.hasMore && page.after !== after ? page.after : undefined,
        isLoading: false,
      });
    } catch (error) {
      if (request.signal.aborted) return;
      if (after !== undefined && error instanceof RequestError && [400, 404].includes(error.status)) {
        // The thread of the cursor was deleted elsewhere: load the list from its beginning.
        this.#setState({after: undefined});
        return this.#fetch(undefined);
      }
      this.#setState({isLoading: false, hasFailed: true});
      throw error;
    }
  }

  #setState(change: Partial<ThreadListState>): void {
    this.#state = {...this.#state, ...change};
    this.#changed();
  }
}
