/** The open thread of a chat: sends messages and actions, loads pages, and holds the reduced state. No DOM. */
import {isObject, parseItem} from '../protocol/parsing.js';
import type {
  Attachment,
  FeedbackKind,
  StreamEvent,
  StreamingRequest,
  StructuredAnswers,
  StructuredInput,
  UserContent,
  WireAction,
} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import {createIdempotencyKey} from '../server/idempotency-key.js';
import {RequestError} from '../server/request-error.js';
import {buildAttachRequest} from '../server/resumable-stream.js';
import {type JoinedRun, joinRun} from '../server/run-replay.js';
import {strings} from '../strings.js';
import {readItems, readThread} from './thread-reader.js';
import {
  EMPTY_THREAD,
  findLastUserMessage,
  findPendingInput,
  type LocalEvent,
  reduce,
  type Snapshot,
  type ThreadState,
} from './thread-state.js';
import {Turn} from './turn.js';
import {type TurnEvents, type TurnHost, TurnRunner} from './turn-runner.js';

/** How many pages `loadAll` loads at most: three thousand items. */
const MAX_OLDER_PAGES = 100;

export interface Message {
  readonly content: readonly UserContent[];
  readonly attachments: readonly Attachment[];
  readonly quotedText: string | undefined;
  readonly toolId: string | undefined;
  readonly model: string | undefined;
}

export interface ConversationEvents extends TurnEvents {
  'thread.load.start': {readonly threadId: string};
  'thread.load.end': {readonly threadId: string};
}
export type Emit = <K extends keyof ConversationEvents>(name: K, detail: ConversationEvents[K]) => void;

export interface ConversationHost extends Pick<TurnHost, 'findClientTool' | 'expectsResume'> {
  readonly client: ChatKitClient;
  readonly emit: Emit;
  /** Called after every change of `state` or `loadingId`. */
  readonly changed: () => void;
}

export class Conversation {
  readonly #host: ConversationHost;
  readonly #turns: TurnRunner;
  #state: ThreadState = EMPTY_THREAD;
  #loading: AbortController | undefined;
  #openings = 0;
  #loadingId: string | undefined;
  #loadingTitle: string | undefined;
  #olderRequest: AbortController | undefined;
  #lastMessage: Message | undefined;

  constructor(host: ConversationHost) {
    this.#host = host;
    this.#turns = new TurnRunner({
      client: host.client,
      emit: host.emit as TurnHost['emit'],
      findClientTool: host.findClientTool,
      expectsResume: host.expectsResume,
      state: () => this.#state,
      apply: event => this.#apply(event),
    });
  }

  get state(): ThreadState {
    return this.#state;
  }

  /** The id of the thread that is being loaded. */
  get loadingId(): string | undefined {
    return this.#loadingId;
  }

  /** How often a thread or the start screen was opened so far. */
  get openings(): number {
    return this.#openings;
  }

  get isBusy(): boolean {
    return this.#turns.isBusy || this.#loadingId !== undefined;
  }

  /** Questions that replace the composer until they are answered. */
  get pendingInput(): StructuredInput | undefined {
    return this.isBusy ? undefined : findPendingInput(this.#state);
  }

  /** Sends a message; resolves when its turn is over. Failures of the turn are shown and emitted, not thrown. */
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
    await this.#turns.run('answer', request, {type: 'user_message', content, attachments, quotedText});
  }

  /** Sends the user's answers to questions of the assistant, or that they were skipped. */
  async answerInput(itemId: string, input: StructuredAnswers): Promise<void> {
    const thread = this.#state.thread;
    if (this.isBusy) throw new Error(strings.busy);
    if (!thread) throw new Error(strings.noThread);
    this.#apply({type: 'local.input_answered', itemId, input});
    const params = {thread_id: thread.id, item_id: itemId, input};
    const turn = await this.#turns.run('input', {type: 'threads.add_structured_input', params});
    // The server has not reacted: the user may answer again.
    if (turn.hasFailed && !turn.hasEvents) this.#apply({type: 'local.input_answered', itemId, input: undefined});
  }

  /** Repeats the request that has failed, or answers the newest user message again. */
  async retry(): Promise<void> {
    if (this.isBusy) throw new Error(strings.busy);
    const retryFailed = this.#turns.takeRetry();
    if (retryFailed) {
      const {id} = this.#state.thread ?? {};
      const turn = await retryFailed();
      // If the action was executed the first time, the repeated request is answered without its results.
      if (turn.kind === 'action' && id !== undefined) await this.#refreshQuietly(id);
      return;
    }
    if (this.#state.unconfirmedKey !== undefined && this.#lastMessage) {
      this.#apply({type: 'local.unconfirmed_dropped'});
      await this.send(this.#lastMessage);
      return;
    }
    const message = findLastUserMessage(this.#state);
    const thread = this.#state.thread;
    if (!message || !thread) return;
    if (thread.status.type !== 'active') throw new Error(thread.status.reason ?? strings.threadNotWritable);
    const {entries} = this.#state;
    // The server deletes the items after the message without an event.
    this.#apply({type: 'local.cut_after', itemId: message.id});
    const params = {thread_id: thread.id, item_id: message.id};
    const turn = await this.#turns.run('answer', {type: 'threads.retry_after_item', params});
    if (turn.hasEvents || this.#state.thread?.id !== thread.id) return;
    // The request has had no effect as far as we know: nothing was deleted.
    this.#apply({type: 'local.cut_undone', entries});
    await this.#refreshQuietly(thread.id);
  }

  /** Removes a rejected message from the transcript; false if there is none. */
  withdraw(): boolean {
    if (this.isBusy || this.#state.unconfirmedKey === undefined) return false;
    this.#lastMessage = undefined;
    this.#apply({type: 'local.unconfirmed_dropped'});
    return true;
  }

  /** Stops the answer and keeps what has arrived. */
  stop(): void {
    this.#turns.stop();
  }

  /**
   * Sends an action to the server; a streaming one is refused while an answer runs.
   *
   * @returns True if it succeeded, false if not, or the error if the server rejected the value of a form field.
   */
  async act(action: WireAction, itemId: string | undefined, isStreaming: boolean): Promise<boolean | RequestError> {
    const thread = this.#state.thread;
    // Checked first: during the first message there is no thread yet, but the reason is that the chat is busy.
    if (isStreaming && this.isBusy) throw new Error(strings.busy);
    if (!thread) throw new Error(strings.noThread);
    const wireAction =
      action.payload === undefined ? {type: action.type} : {type: action.type, payload: action.payload};
    const params = {thread_id: thread.id, ...(itemId === undefined ? {} : {item_id: itemId}), action: wireAction};
    const metadata = {idempotency_key: createIdempotencyKey()};
    if (isStreaming) {
      const turn = await this.#turns.run('action', {type: 'threads.custom_action', params, metadata});
      // The widget of a refused action is out of date. It is reloaded after the refusal was reported: a form that was
      // submitted is reset by the next widget, while a refused one keeps what was typed.
      if (turn.hasFailed) void this.#refreshQuietly(thread.id);
      return turn.failure instanceof RequestError && turn.failure.field !== undefined ? turn.failure : !turn.hasFailed;
    }
    try {
      const answer = await this.#host.client.send({type: 'threads.sync_custom_action', params, metadata});
      const item = isObject(answer) ? parseItem(answer.updated_item) : undefined;
      if (item && this.#state.thread?.id === thread.id) this.#apply({type: 'thread.item.replaced', item});
    } catch (error) {
      // While an answer runs, its items that are not stored yet must be kept.
      if (error instanceof RequestError && error.status >= 400) {
        void this.#refreshQuietly(thread.id, this.#turns.isBusy);
      }
      throw error;
    }
    return true;
  }

  /** Loads and shows a thread, or the start screen for `undefined`. A newer call overtakes an older one. */
  async open(threadId: string | undefined): Promise<void> {
    this.#leaveThread();
    if (threadId === undefined) {
      this.#showSnapshot({thread: undefined, items: [], older: undefined});
      return;
    }
    const loading = new AbortController();
    this.#loading = loading;
    this.#loadingId = threadId;
    this.#loadingTitle = undefined;
    this.#host.changed();
    this.#host.emit('thread.load.start', {threadId});
    const turn = new Turn('answer');
    loading.signal.addEventListener('abort', () => turn.abort('Another thread was opened.'));
    const hadBackgroundTurn = this.#turns.runsInBackground(threadId);
    let joined: JoinedRun | undefined;
    let isShown = false;
    try {
      const [snapshot, run] = await Promise.all([
        readThread(this.#host.client, threadId, loading.signal),
        this.#joinRun(turn, threadId),
      ]);
      joined = run;
      // Loaded again after the replay: the stored items are newer than the replayed events.
      const page = run ? await readItems(this.#host.client, threadId, undefined, loading.signal) : {};
      this.#endLoading(loading);
      const title = this.#loadingTitle;
      this.#showSnapshot({...snapshot, ...page});
      if (title !== undefined) this.retitle(threadId, title);
      isShown = true;
    } finally {
      if (!isShown || !joined) turn.abort('There is nothing to join.');
      this.#endLoading(loading);
      this.#host.emit('thread.load.end', {threadId});
    }
    // Its answer was running in the background, and this server would not replay it.
    if (hadBackgroundTurn && !joined && !this.isBusy && this.#state.thread?.id === threadId) {
      if (this.#turns.rejoin(threadId)) return;
      // It has ended while the thread was loading.
      await this.#refreshQuietly(threadId);
    }
    // An event listener may have started another turn by now.
    if (this.isBusy || this.#state.thread?.id !== threadId) turn.abort('Left the thread.');
    else if (joined) void this.#followRun(turn, joined, threadId);
    else void this.#turns.answerOpenCall();
  }

  /** Loads the next older page. Does nothing if there is none, or while one is loading. */
  async loadOlder(): Promise<void> {
    const {thread, older} = this.#state;
    if (!thread || !older || this.#olderRequest) return;
    const request = new AbortController();
    this.#olderRequest = request;
    try {
      const page = await readItems(this.#host.client, thread.id, older.after, request.signal);
      if (this.#olderRequest !== request) return;
      this.#apply({type: 'local.older_loaded', ...page});
    } finally {
      if (this.#olderRequest === request) this.#olderRequest = undefined;
    }
  }

  /** Loads all older pages, at most `MAX_OLDER_PAGES`; returns `undefined` if there are none. */
  loadAll(): Promise<void> | undefined {
    return this.#state.older ? this.#loadOlderPages() : undefined;
  }

  async #loadOlderPages(): Promise<void> {
    for (let page = 0; page < MAX_OLDER_PAGES; page += 1) {
      const cursor = this.#state.older?.after;
      await this.loadOlder();
      if (!this.#state.older || this.#state.older.after === cursor) return;
    }
  }

  /** Reloads the thread; while an answer runs, only its title and status. */
  async refresh(): Promise<void> {
    await this.#reload(false);
  }

  /** Applies a new title from the list of threads, also to a thread whose response may still have the old one. */
  retitle(threadId: string, title: string): void {
    if (this.#loadingId === threadId) this.#loadingTitle = title;
    const thread = this.#state.thread;
    if (thread?.id === threadId) this.#apply({type: 'thread.updated', thread: {...thread, title}});
  }

  dismissNotice(key: string): void {
    this.#apply({type: 'local.notice_dismissed', key});
  }

  /** Applies a rating that the server has accepted. */
  setRating(threadId: string, itemIds: readonly string[], kind: FeedbackKind): void {
    if (this.#state.thread?.id === threadId) this.#apply({type: 'local.rated', itemIds, kind});
  }

  /** Aborts the turn of a deleted thread. */
  abort(threadId: string): void {
    this.#turns.abort(threadId);
  }

  /** Aborts everything that runs. An answer that continues on the server can be resumed with `resume`. */
  close(): void {
    this.#abortLoading();
    this.#turns.close();
  }

  /** Resumes the answer that was in progress when `close` was called. */
  async resume(): Promise<void> {
    if (!this.isBusy) await this.#turns.resume();
  }

  /** Joins the run of a thread that is being loaded, if the server may have one. */
  async #joinRun(turn: Turn, threadId: string): Promise<JoinedRun | undefined> {
    if (!this.#turns.resumes) return undefined;
    turn.beginStream();
    return joinRun(this.#host.client.stream(buildAttachRequest(threadId), turn.signal, turn.cursor), turn.cursor);
  }

  async #followRun(turn: Turn, joined: JoinedRun, threadId: string): Promise<void> {
    await this.#turns.join(turn, joined);
    // The order of items that were unfinished when the thread was loaded is known only now.
    if (!this.isBusy) await this.#refreshQuietly(threadId, true);
  }

  async #reload(keepsTurn: boolean): Promise<void> {
    const id = this.#state.thread?.id;
    if (id === undefined) return;
    const snapshot = await readThread(this.#host.client, id);
    if (this.#state.thread?.id !== id) return;
    if (this.#turns.isBusy && !keepsTurn) this.#apply({type: 'thread.updated', thread: snapshot.thread});
    else this.#apply({type: 'local.refreshed', keepsTurn, ...snapshot});
  }

  async #refreshQuietly(threadId: string, keepsTurn = false): Promise<void> {
    if (this.#state.thread?.id !== threadId) return;
    try {
      await this.#reload(keepsTurn);
    } catch {
      // The user did not ask for it, and is not told that it failed.
    }
  }

  #showSnapshot(snapshot: Snapshot): void {
    const threadIdBefore = this.#state.thread?.id ?? null;
    this.#lastMessage = undefined;
    this.#openings += 1;
    this.#apply({type: 'local.opened', ...snapshot});
    const threadId = snapshot.thread?.id ?? null;
    if (threadIdBefore !== threadId) this.#host.emit('thread.change', {threadId});
  }

  #leaveThread(): void {
    this.#turns.leave();
    this.#abortLoading();
  }

  #abortLoading(): void {
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
