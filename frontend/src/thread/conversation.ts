/** The open thread of a chat: sends messages and actions, loads pages, holds the state that `reduce` gives. No DOM. */
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
import {attachTo} from '../server/resumable-stream.js';
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

/** Bound of a conversation that is loaded whole: three thousand items. */
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

  /** The thread that is being opened. */
  get loadingId(): string | undefined {
    return this.#loadingId;
  }

  /** Counts how often a thread was opened, or left for a new one. */
  get openings(): number {
    return this.#openings;
  }

  get isBusy(): boolean {
    return this.#turns.isBusy || this.#loadingId !== undefined;
  }

  /** Questions that take the place of the composer. */
  get pendingInput(): StructuredInput | undefined {
    return this.isBusy ? undefined : findPendingInput(this.#state);
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
    await this.#turns.run('answer', request, {type: 'user_message', content, attachments, quotedText});
  }

  /** Answers questions of the assistant, or skips them. */
  async answerInput(itemId: string, input: StructuredAnswers): Promise<void> {
    const thread = this.#state.thread;
    if (this.isBusy) throw new Error(strings.busy);
    if (!thread) throw new Error(strings.noThread);
    this.#apply({type: 'local.input_answered', itemId, input});
    const params = {thread_id: thread.id, item_id: itemId, input};
    const turn = await this.#turns.run('input', {type: 'threads.add_structured_input', params});
    // Nothing was heard of it: the person may answer again.
    if (turn.hasFailed && !turn.hasEvents) this.#apply({type: 'local.input_answered', itemId, input: undefined});
  }

  /** Answers the newest user message again; after a failure, does what the failure was about once more. */
  async retry(): Promise<void> {
    if (this.isBusy) throw new Error(strings.busy);
    const again = this.#turns.takeAgain();
    if (again) {
      const {id} = this.#state.thread ?? {};
      const turn = await again();
      // An action that was carried out the first time is answered without what came of it.
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
    // The server deletes what follows without a word.
    this.#apply({type: 'local.cut_after', itemId: message.id});
    const params = {thread_id: thread.id, item_id: message.id};
    const turn = await this.#turns.run('answer', {type: 'threads.retry_after_item', params});
    if (turn.hasEvents || this.#state.thread?.id !== thread.id) return;
    // As far as anybody knows, nothing was deleted.
    this.#apply({type: 'local.cut_undone', entries});
    await this.#refreshQuietly(thread.id);
  }

  /** Takes a message that was refused out of the transcript; whether there was one. */
  takeBack(): boolean {
    if (this.isBusy || this.#state.unconfirmedKey === undefined) return false;
    this.#lastMessage = undefined;
    this.#apply({type: 'local.unconfirmed_dropped'});
    return true;
  }

  /** Stops the answer; what came of it stays. */
  stop(): void {
    this.#turns.stop();
  }

  /** Sends an action to the server; a streaming one is refused while an answer runs. Gives whether it was done, or why not. */
  async act(action: WireAction, itemId: string | undefined, isStreaming: boolean): Promise<boolean | RequestError> {
    const thread = this.#state.thread;
    // First: the thread of a first message has no id yet, and that is not what is in the way.
    if (isStreaming && this.isBusy) throw new Error(strings.busy);
    if (!thread) throw new Error(strings.noThread);
    const wireAction =
      action.payload === undefined ? {type: action.type} : {type: action.type, payload: action.payload};
    const params = {thread_id: thread.id, ...(itemId === undefined ? {} : {item_id: itemId}), action: wireAction};
    const metadata = {idempotency_key: createIdempotencyKey()};
    if (isStreaming) {
      const turn = await this.#turns.run('action', {type: 'threads.custom_action', params, metadata});
      // A widget that offers what the server no longer takes is out of date. It comes after the refusal: a form that has
      // been sent starts afresh with the next widget, and one that was refused keeps what was typed.
      if (turn.hasFailed) void this.#refreshQuietly(thread.id);
      return turn.failure instanceof RequestError && turn.failure.field !== undefined ? turn.failure : !turn.hasFailed;
    }
    try {
      const answer = await this.#host.client.send({type: 'threads.sync_custom_action', params, metadata});
      const item = isObject(answer) ? parseItem(answer.updated_item) : undefined;
      if (item && this.#state.thread?.id === thread.id) this.#apply({type: 'thread.item.replaced', item});
    } catch (error) {
      // Beside an answer, what that answer has not stored yet must stay.
      if (error instanceof RequestError && error.status >= 400) {
        void this.#refreshQuietly(thread.id, this.#turns.isBusy);
      }
      throw error;
    }
    return true;
  }

  /** Shows a thread, or the start screen for `undefined`. An answer goes on without us; a newer call overtakes an older one. */
  async open(threadId: string | undefined): Promise<void> {
    this.#abandon();
    if (threadId === undefined) {
      this.#show({thread: undefined, items: [], older: undefined});
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
    const wentOn = this.#turns.goesOn(threadId);
    let joined: JoinedRun | undefined;
    let isShown = false;
    try {
      const [snapshot, run] = await Promise.all([
        readThread(this.#host.client, threadId, loading.signal),
        this.#join(turn, threadId),
      ]);
      joined = run;
      // Read again behind the replay: what is stored by now is newer than what the replay says of it.
      const page = run ? await readItems(this.#host.client, threadId, undefined, loading.signal) : {};
      this.#endLoading(loading);
      const title = this.#loadingTitle;
      this.#show({...snapshot, ...page});
      if (title !== undefined) this.retitle(threadId, title);
      isShown = true;
    } finally {
      if (!isShown || !joined) turn.abort('There is nothing to join.');
      this.#endLoading(loading);
      this.#host.emit('thread.load.end', {threadId});
    }
    // Left in the middle of an answer, which this server would not tell again.
    if (wentOn && !joined && !this.isBusy && this.#state.thread?.id === threadId) {
      if (this.#turns.rejoin(threadId)) return;
      // It has come to its end while the thread was read.
      await this.#refreshQuietly(threadId);
    }
    // A listener may have begun something else by now.
    if (this.isBusy || this.#state.thread?.id !== threadId) turn.abort('Left the thread.');
    else if (joined) void this.#follow(turn, joined, threadId);
    else void this.#turns.answerOpenCall();
  }

  /** Puts the next older page above. Does nothing when there is none or one is on its way. */
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

  /** Puts all older pages above, as many as `MAX_OLDER_PAGES`; `undefined` when there are none. */
  loadWhole(): Promise<void> | undefined {
    return this.#state.older ? this.#loadPages() : undefined;
  }

  async #loadPages(): Promise<void> {
    for (let page = 0; page < MAX_OLDER_PAGES; page += 1) {
      const cursor = this.#state.older?.after;
      await this.loadOlder();
      if (!this.#state.older || this.#state.older.after === cursor) return;
    }
  }

  /** Takes over what changed on the server; while an answer runs, only title and status. */
  async refresh(): Promise<void> {
    await this.#read(false);
  }

  /** Takes a change of title that was made in the list of threads; what is read meanwhile may not know of it yet. */
  retitle(threadId: string, title: string): void {
    if (this.#loadingId === threadId) this.#loadingTitle = title;
    const thread = this.#state.thread;
    if (thread?.id === threadId) this.#apply({type: 'thread.updated', thread: {...thread, title}});
  }

  dismissNotice(key: string): void {
    this.#apply({type: 'local.notice_dismissed', key});
  }

  /** Takes over a rating that the server has accepted. */
  rated(threadId: string, itemIds: readonly string[], kind: FeedbackKind): void {
    if (this.#state.thread?.id === threadId) this.#apply({type: 'local.rated', itemIds, kind});
  }

  /** Ends what goes on in a thread that was deleted. */
  drop(threadId: string): void {
    this.#turns.drop(threadId);
  }

  /** Leaves nothing running. An answer that the server keeps going can be taken up again with `resume`. */
  close(): void {
    this.#leave();
    this.#turns.close();
  }

  /** Goes on with what `close` left behind. */
  async resume(): Promise<void> {
    if (!this.isBusy) await this.#turns.resume();
  }

  /** The run of a thread that is being opened, where the server may have one. */
  async #join(turn: Turn, threadId: string): Promise<JoinedRun | undefined> {
    if (!this.#turns.resumes) return undefined;
    turn.beginStream();
    return joinRun(this.#host.client.stream(attachTo(threadId), turn.signal, turn.cursor), turn.cursor);
  }

  async #follow(turn: Turn, joined: JoinedRun, threadId: string): Promise<void> {
    await this.#turns.join(turn, joined);
    // The order of what was open when the thread was read is only known now.
    if (!this.isBusy) await this.#refreshQuietly(threadId, true);
  }

  async #read(keepsTurn: boolean): Promise<void> {
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
      await this.#read(keepsTurn);
    } catch {
      // It was nobody's wish, so nobody is told that it failed.
    }
  }

  #show(snapshot: Snapshot): void {
    const before = this.#state.thread?.id ?? null;
    this.#lastMessage = undefined;
    this.#openings += 1;
    this.#apply({type: 'local.opened', ...snapshot});
    const threadId = snapshot.thread?.id ?? null;
    if (before !== threadId) this.#host.emit('thread.change', {threadId});
  }

  #abandon(): void {
    this.#turns.leave();
    this.#leave();
  }

  /** Ends what is being read. */
  #leave(): void {
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
