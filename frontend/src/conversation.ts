/** The turns of one element: sends, streams, stops, retries, opens threads. Knows client and thread, no DOM. */
import type {ChatKitClient} from './client.js';
import type {ClientToolHandler} from './options.js';
import {isObject, parseItem, parsePage, parseThread} from './parsing.js';
import type {
  Attachment,
  Page,
  StreamEvent,
  StreamingRequest,
  ThreadItem,
  UserContent,
  UserMessage,
  WireAction,
} from './protocol.js';
import {strings} from './strings.js';
import {EMPTY_THREAD, findLastUserMessage, type LocalEvent, reduce, type ThreadState} from './thread.js';

/** Newest first; as many as fill a tall screen. */
const PAGE_SIZE = 30;
/** Servers filter hidden items after paging, so a page may show nothing; after so many of them we stop asking. */
const MAX_EMPTY_PAGES = 20;
/** A model that calls client tools forever is stopped here. */
const MAX_TOOL_ROUNDS = 32;

export interface Message {
  readonly content: readonly UserContent[];
  readonly attachments: readonly Attachment[];
  readonly quotedText: string | undefined;
  readonly toolId: string | undefined;
  readonly model: string | undefined;
}

export interface ConversationEvents {
  'response.start': undefined;
  'response.end': undefined;
  'thread.change': {readonly threadId: string | null};
  'thread.load.start': {readonly threadId: string};
  'thread.load.end': {readonly threadId: string};
  effect: {readonly name: string; readonly data: Readonly<Record<string, unknown>>};
  error: {readonly error: Error};
}
export type Emit = <K extends keyof ConversationEvents>(name: K, detail: ConversationEvents[K]) => void;

export interface ConversationHost {
  readonly client: ChatKitClient;
  readonly emit: Emit;
  /** Called after every change of `state` or `loadingId`. */
  readonly changed: () => void;
  readonly findClientTool: () => ClientToolHandler | undefined;
}

export class Conversation {
  readonly #host: ConversationHost;
  #state: ThreadState = EMPTY_THREAD;
  #turn: AbortController | undefined;
  #loading: AbortController | undefined;
  #loadingId: string | undefined;
  #olderRequest: AbortController | undefined;
  #lastMessage: Message | undefined;

  constructor(host: ConversationHost) {
    this.#host = host;
  }

  get state(): ThreadState {
    return this.#state;
  }

  /** The thread that is being opened. */
  get loadingId(): string | undefined {
    return this.#loadingId;
  }

  get isBusy(): boolean {
    return this.#turn !== undefined || this.#loadingId !== undefined;
  }

  /** Resolves when the whole turn is over, failed ones included: failures are shown and emitted, not thrown. */
  async send(message: Message): Promise<void> {
    const {id, status} = this.#state.thread ?? {};
    if (this.isBusy) throw new Error(strings.busy);
    if (message.content.length === 0 && message.attachments.length === 0) throw new Error(strings.emptyMessage);
    if (status && status.type !== 'active') throw new Error(status.reason ?? strings.threadNotWritable);
    this.#lastMessage = message;
    const input = {
      content: message.content,
      attachments: message.attachments.map(attachment => attachment.id),
      ...(message.quotedText === undefined ? {} : {quoted_text: message.quotedText}),
      inference_options: {
        ...(message.toolId === undefined ? {} : {tool_choice: {id: message.toolId}}),
        ...(message.model === undefined ? {} : {model: message.model}),
      },
    };
    const request: StreamingRequest =
      id === undefined
        ? {type: 'threads.create', params: {input}}
        : {type: 'threads.add_user_message', params: {thread_id: id, input}};
    const {content, attachments, quotedText} = message;
    await this.#run(request, {type: 'user_message', content, attachments, quotedText});
  }

  /** Answers the newest user message again; one that never reached the server is sent again. */
  async retry(): Promise<void> {
    if (this.isBusy) throw new Error(strings.busy);
    if (this.#state.unconfirmedKey !== undefined && this.#lastMessage) {
      this.#apply({type: 'local.unconfirmed_dropped'});
      await this.send(this.#lastMessage);
      return;
    }
    const message = findLastUserMessage(this.#state);
    const thread = this.#state.thread;
    if (!message || !thread) return;
    // The server deletes what follows without a word.
    this.#apply({type: 'local.cut_after', itemId: message.id});
    await this.#run({type: 'threads.retry_after_item', params: {thread_id: thread.id, item_id: message.id}});
  }

  stop(): void {
    this.#turn?.abort(new DOMException('Stopped.', 'AbortError'));
  }

  /** Sends an action to the server; a streaming one is refused while an answer runs. */
  async act(action: WireAction, itemId: string | undefined, isStreaming: boolean): Promise<void> {
    const thread = this.#state.thread;
    if (!thread) throw new Error(strings.noThread);
    const wireAction =
      action.payload === undefined ? {type: action.type} : {type: action.type, payload: action.payload};
    const params = {thread_id: thread.id, ...(itemId === undefined ? {} : {item_id: itemId}), action: wireAction};
    if (isStreaming) {
      if (this.isBusy) throw new Error(strings.busy);
      await this.#run({type: 'threads.custom_action', params});
      return;
    }
    const answer = await this.#host.client.send({type: 'threads.sync_custom_action', params});
    const item = isObject(answer) ? parseItem(answer.updated_item) : undefined;
    if (item && this.#state.thread?.id === thread.id) this.#apply({type: 'thread.item.replaced', item});
  }

  /** Shows a thread, or the start screen for `undefined`. Ends the running turn; a newer call overtakes an older one. */
  async open(threadId: string | undefined): Promise<void> {
    this.#abandon();
    if (threadId === undefined) {
      this.#show({type: 'local.opened', thread: undefined, items: [], older: undefined});
      return;
    }
    const loading = new AbortController();
    this.#loading = loading;
    this.#loadingId = threadId;
    this.#host.changed();
    this.#host.emit('thread.load.start', {threadId});
    try {
      const [answer, page] = await Promise.all([
        this.#host.client.send({type: 'threads.get_by_id', params: {thread_id: threadId}}, loading.signal),
        this.#loadPage(threadId, undefined, loading.signal),
      ]);
      const thread = parseThread(answer);
      if (!thread) throw new Error('The server sent no thread.');
      this.#endLoading(loading);
      this.#show({type: 'local.opened', thread, items: page.data.toReversed(), older: toOlder(page)});
    } finally {
      this.#endLoading(loading);
      this.#host.emit('thread.load.end', {threadId});
    }
  }

  /** Puts the next older page above. Does nothing when there is none or one is on its way. */
  async loadOlder(): Promise<void> {
    const {thread, older} = this.#state;
    if (!thread || !older || this.#olderRequest) return;
    const request = new AbortController();
    this.#olderRequest = request;
    try {
      const page = await this.#loadPage(thread.id, older.after, request.signal);
      if (this.#olderRequest !== request) return;
      this.#apply({type: 'local.older_loaded', items: page.data.toReversed(), older: toOlder(page)});
    } finally {
      if (this.#olderRequest === request) this.#olderRequest = undefined;
    }
  }

  /** Takes over what changed on the server; while an answer runs, only title and status. */
  async refresh(): Promise<void> {
    const id = this.#state.thread?.id;
    if (id === undefined) return;
    const [answer, page] = await Promise.all([
      this.#host.client.send({type: 'threads.get_by_id', params: {thread_id: id}}),
      this.#loadPage(id, undefined, undefined),
    ]);
    const thread = parseThread(answer);
    if (this.#state.thread?.id !== id || !thread) return;
    if (this.#turn) this.#apply({type: 'thread.updated', thread});
    else this.#apply({type: 'local.refreshed', thread, items: page.data.toReversed()});
  }

  /** Takes a change of title that was made in the list of threads. */
  retitle(threadId: string, title: string): void {
    const thread = this.#state.thread;
    if (thread?.id === threadId) this.#apply({type: 'thread.updated', thread: {...thread, title}});
  }

  dismissNotice(key: string): void {
    this.#apply({type: 'local.notice_dismissed', key});
  }

  /** Leaves nothing running. */
  close(): void {
    this.#abandon();
  }

  async #loadPage(
    threadId: string,
    after: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Page<ThreadItem>> {
    let cursor = after;
    for (let round = 0; ; round += 1) {
      const params = {
        thread_id: threadId,
        limit: PAGE_SIZE,
        order: 'desc',
        ...(cursor === undefined ? {} : {after: cursor}),
      } as const;
      const page = parsePage(await this.#host.client.send({type: 'items.list', params}, signal), parseItem);
      const isLast = !page.hasMore || page.after === undefined || page.after === cursor || round === MAX_EMPTY_PAGES;
      if (page.data.length > 0 || isLast) return page;
      cursor = page.after;
    }
  }

  async #run(request: StreamingRequest, message?: Omit<UserMessage, 'id'>): Promise<void> {
    const turn = new AbortController();
    this.#turn = turn;
    this.#apply({type: 'local.turn_started', message});
    this.#host.emit('response.start', undefined);
    try {
      let next: StreamingRequest | undefined = request;
      for (let round = 0; next && round <= MAX_TOOL_ROUNDS; round += 1) {
        await this.#consume(next, turn);
        next = await this.#answerClientTool(turn);
      }
    } catch (error) {
      if (!turn.signal.aborted) this.#fail(error);
    } finally {
      if (this.#turn === turn) {
        this.#turn = undefined;
        this.#apply({type: 'local.turn_ended'});
      }
      // Idle before the event: its listeners may send the next message.
      this.#host.emit('response.end', undefined);
    }
  }

  async #consume(request: StreamingRequest, turn: AbortController): Promise<void> {
    for await (const event of this.#host.client.stream(request, turn.signal)) {
      if (turn.signal.aborted) return;
      this.#apply(event);
      this.#announce(event);
    }
  }

  #announce(event: StreamEvent): void {
    if (event.type === 'thread.created') this.#host.emit('thread.change', {threadId: event.thread.id});
    if (event.type === 'client_effect') this.#host.emit('effect', {name: event.name, data: event.data});
    if (event.type === 'error') this.#host.emit('error', {error: new Error(event.message ?? strings.failedDefault)});
  }

  /** The request that carries a pending client tool's result; `undefined` when the turn is over. */
  async #answerClientTool(turn: AbortController): Promise<StreamingRequest | undefined> {
    const item = this.#state.entries.at(-1)?.item;
    const thread = this.#state.thread;
    if (turn.signal.aborted || !thread || item?.type !== 'client_tool_call' || item.status !== 'pending')
      return undefined;
    const result = await this.#callClientTool(item.name, item.arguments);
    if (turn.signal.aborted) return undefined;
    this.#apply({type: 'local.tool_answered', itemId: item.id});
    return {type: 'threads.add_client_tool_output', params: {thread_id: thread.id, result}};
  }

  async #callClientTool(name: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const handler = this.#host.findClientTool();
    try {
      if (!handler) throw new Error(strings.noToolHandler(name));
      // `undefined` would vanish from the JSON, and the server insists on the key.
      return (await handler({name, params})) ?? {};
    } catch (error) {
      this.#host.emit('error', {error: toError(error)});
      return {error: toError(error).message};
    }
  }

  #fail(error: unknown): void {
    const {message} = toError(error);
    const canRetry = this.#state.unconfirmedKey !== undefined || findLastUserMessage(this.#state) !== undefined;
    this.#apply({type: 'local.failed', failure: {message, canRetry}});
    this.#host.emit('error', {error: toError(error)});
  }

  #show(event: LocalEvent & {type: 'local.opened'}): void {
    const before = this.#state.thread?.id;
    this.#lastMessage = undefined;
    this.#apply(event);
    const threadId = event.thread?.id ?? null;
    if ((before ?? null) !== threadId) this.#host.emit('thread.change', {threadId});
  }

  #abandon(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    if (turn) this.#apply({type: 'local.turn_ended'});
    turn?.abort(new DOMException('Left the thread.', 'AbortError'));
    this.#olderRequest?.abort();
    this.#olderRequest = undefined;
    const loading = this.#loading;
    if (loading) this.#endLoading(loading);
    loading?.abort(new DOMException('Another thread was opened.', 'AbortError'));
  }

  #endLoading(loading: AbortController): void {
    if (this.#loading !== loading) return;
    this.#loading = undefined;
    this.#loadingId = undefined;
    this.#host.changed();
  }

  #apply(event: StreamEvent | LocalEvent): void {
    const next = reduce(this.#state, event);
    if (next === this.#state) return;
    this.#state = next;
    this.#host.changed();
  }
}

function toOlder(page: Page<ThreadItem>): {readonly after: string | undefined} | undefined {
  return page.hasMore && page.after !== undefined ? {after: page.after} : undefined;
}

export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
