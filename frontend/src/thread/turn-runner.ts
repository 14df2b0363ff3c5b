/** Runs one turn at a time: streams its events, calls client tools, stops it, and reconnects. */
import {isObject} from '../protocol/parsing.js';
import type {StreamEvent, StreamingRequest, ThreadItem, UserMessage} from '../protocol/types.js';
import type {ChatKitClient, RunCursor} from '../server/client.js';
import {isRefusal, isServerFailure, isSignedOut} from '../server/request-error.js';
import {buildAttachRequest, isConnectionLoss, streamRun} from '../server/resumable-stream.js';
import type {JoinedRun} from '../server/run-replay.js';
import {strings} from '../strings.js';
import {toError} from '../to-error.js';
import {BackgroundTurns} from './background-turns.js';
import {type ClientToolHandler, ClientTools} from './client-tools.js';
import {readThread} from './thread-reader.js';
import {findLastUserMessage, type LocalEvent, type ThreadState} from './thread-state.js';
import {Turn, type TurnKind} from './turn.js';

/** Limit for a model that would call client tools forever. */
const MAX_TOOL_ROUNDS = 32;
/** How long a server may take to end a stream after a request to stop it. */
const STOP_LIMIT_MS = 5000;

export interface TurnEvents {
  'response.start': undefined;
  'response.end': undefined;
  'thread.change': {readonly threadId: string | null};
  effect: {readonly name: string; readonly data: Readonly<Record<string, unknown>>};
  error: {readonly error: Error};
}

export interface TurnHost {
  readonly client: ChatKitClient;
  readonly state: () => ThreadState;
  readonly apply: (event: StreamEvent | LocalEvent) => void;
  readonly emit: <K extends keyof TurnEvents>(name: K, detail: TurnEvents[K]) => void;
  readonly findClientTool: () => ClientToolHandler | undefined;
  /** Whether the page says that its server supports `runs.attach`, before the server has proved it. */
  readonly expectsResume: () => boolean;
}

export class TurnRunner {
  readonly #host: TurnHost;
  #turn: Turn | undefined;
  #retry: (() => Promise<Turn>) | undefined;
  /** The run that was in progress when `close` was called. */
  #closedRun: {readonly threadId: string; readonly from: RunCursor} | undefined;
  readonly #clientTools: ClientTools;
  readonly #backgroundTurns = new BackgroundTurns();

  constructor(host: TurnHost) {
    this.#host = host;
    this.#clientTools = new ClientTools(host);
  }

  get isBusy(): boolean {
    return this.#turn !== undefined;
  }

  /** Whether the server is known or expected to support joining runs. */
  get resumes(): boolean {
    return this.#host.client.resumes ?? this.#host.expectsResume();
  }

  /** Returns the retry for the shown failure, once; `undefined` if a retry means to answer the last message again. */
  takeRetry(): (() => Promise<Turn>) | undefined {
    const retry = this.#retry;
    this.#retry = undefined;
    return retry;
  }

  /** Runs a turn to its end. Never rejects: failures are shown and emitted. */
  async run(kind: TurnKind, request: StreamingRequest, message?: Omit<UserMessage, 'id'>): Promise<Turn> {
    const turn = this.#begin(new Turn(kind), message);
    await this.#drive(turn, request);
    return turn;
  }

  /** Calls the client tool that the thread ends with, if the call is unanswered and the page has a handler. */
  async answerOpenCall(): Promise<void> {
    if (this.#clientTools.hasOpenCall && this.#host.findClientTool())
      await this.#drive(this.#begin(new Turn('answer')));
  }

  /** Joins a run that was started by another page, or by this one before a reload. */
  async join(turn: Turn, {replay, live}: JoinedRun): Promise<void> {
    const threadId = this.#host.state().thread?.id ?? '';
    this.#replay(turn, replay);
    try {
      await this.#consume(turn, live);
    } catch (error) {
      if (turn.signal.aborted) return this.#end(turn);
      if (!isConnectionLoss(error) || turn.cursor.last === undefined) {
        await this.#fail(turn, error, undefined);
        return this.#end(turn);
      }
    }
    if (turn.signal.aborted) return this.#end(turn);
    // Continues like any other turn: reconnects if necessary, and answers client tools.
    const isUnfinished = this.#looksUnfinished && !turn.hasFailed && !turn.isStopping;
    const from = turn.cursor;
    if (isUnfinished && from.last !== undefined) await this.#drive(turn, buildAttachRequest(threadId, from), from);
    else if (this.#clientTools.hasOpenCall) await this.#drive(turn);
    else this.#end(turn);
  }

  /** Whether a turn of a thread continues in the background. */
  runsInBackground(threadId: string): boolean {
    return this.#backgroundTurns.find(threadId) !== undefined;
  }

  /** Brings the background turn of a thread back to the foreground; false if there is none. */
  rejoin(threadId: string): boolean {
    const turn = this.#backgroundTurns.find(threadId);
    if (!turn) return false;
    this.#backgroundTurns.remove(turn);
    this.#replay(turn, turn.received);
    return true;
  }

  #replay(turn: Turn, events: readonly StreamEvent[]): void {
    const stored = new Set(this.#host.state().entries.map(({item}) => item.id));
    this.#begin(turn);
    for (const event of events) {
      if (event.type === 'thread.created' || event.type === 'thread.updated') continue;
      if (stored.has(itemIdOf(event) ?? '')) continue;
      // Only applied, not emitted: the page has had the effects before the reload.
      this.#host.apply(event);
      if (event.type === 'error') turn.hasFailed = true;
    }
    turn.hasEvents = true;
  }

  /**
   * Stops the answer: a server that continues runs without a reader gets a request to stop, any other one notices that
   * the connection is aborted. A second call aborts the connection in any case.
   */
  stop(): void {
    const turn = this.#turn;
    if (!turn) return;
    turn.isStopped = true;
    if (turn.isStopping || !turn.isStreaming || !this.#outlivesReader(turn)) {
      turn.abort('Stopped.');
      return;
    }
    turn.stopWithin(STOP_LIMIT_MS);
    // A new thread has no id before the first event, which then sends the request to stop.
    const threadId = this.#host.state().thread?.id;
    if (threadId !== undefined) void this.#requestStop(turn, threadId);
  }

  /** Aborts everything that runs. An answer that continues on the server can be resumed with `resume`. */
  close(): void {
    const turn = this.#turn;
    const threadId = this.#host.state().thread?.id;
    this.#abortTurn();
    this.#backgroundTurns.close();
    if (turn && !turn.isStopping && threadId !== undefined && turn.cursor.last !== undefined) {
      this.#closedRun = {threadId, from: turn.cursor};
    }
  }

  /** Resumes the run that was in progress when `close` was called. */
  async resume(): Promise<void> {
    const run = this.#closedRun;
    this.#closedRun = undefined;
    if (run && !this.isBusy && run.threadId === this.#host.state().thread?.id) {
      await this.#reattach('answer', run.threadId, run.from);
    }
  }

  /** Prepares for another thread. The answer continues on the server, or as a background turn if it would stop. */
  leave(): void {
    const turn = this.#turn;
    const needsReader = turn?.isStreaming && !turn.isStopping && !this.#outlivesReader(turn);
    if (!needsReader) {
      this.#abortTurn();
      return;
    }
    this.#backgroundTurns.add(turn);
    this.#release(turn);
    this.#clearRetry();
  }

  /** Aborts the turn of a deleted thread. */
  abort(threadId: string): void {
    this.#backgroundTurns.stop(threadId);
    if (this.#turn?.threadId === threadId) this.#abortTurn();
  }

  /** Aborts the running turn in this client; the server may continue it. */
  #abortTurn(): void {
    const turn = this.#turn;
    turn?.abort('Left the thread.');
    if (turn) this.#end(turn);
    this.#clearRetry();
  }

  #clearRetry(): void {
    this.#retry = undefined;
    this.#closedRun = undefined;
  }

  /** Attaches to a run again, after the last event that was read. */
  async #reattach(kind: TurnKind, threadId: string, from: RunCursor): Promise<Turn> {
    const turn = this.#begin(new Turn(kind));
    await this.#drive(turn, buildAttachRequest(threadId, from), from);
    return turn;
  }

  #begin(turn: Turn, message?: Omit<UserMessage, 'id'>): Turn {
    this.#turn = turn;
    turn.threadId ??= this.#host.state().thread?.id;
    this.#retry = undefined;
    this.#host.apply({type: 'local.turn_started', message});
    this.#host.emit('response.start', undefined);
    return turn;
  }

  /** Streams a request and its follow-ups; without `request`, starts with the pending client tool. Never rejects. */
  async #drive(turn: Turn, request?: StreamingRequest, from?: RunCursor): Promise<void> {
    let next = request;
    try {
      next ??= await this.#clientTools.answer(turn);
      for (let round = 0; next; round += 1) {
        if (round > MAX_TOOL_ROUNDS) throw new Error(strings.tooManyToolCalls);
        turn.beginStream(from);
        await this.#consume(turn, this.#stream(turn, next));
        next = await this.#clientTools.answer(turn);
      }
    } catch (error) {
      if (!turn.signal.aborted && !turn.isInBackground) await this.#fail(turn, error, next);
    } finally {
      this.#end(turn);
    }
  }

  #stream(turn: Turn, request: StreamingRequest): AsyncGenerator<StreamEvent, void, void> {
    return streamRun(request, {
      client: this.#host.client,
      signal: turn.signal,
      cursor: turn.cursor,
      threadId: () => this.#host.state().thread?.id,
      looksUnfinished: () => !turn.isStopping && !turn.hasFailed && this.#looksUnfinished,
      onConnection: isLost => {
        if (this.#turn === turn) this.#host.apply({type: 'local.connection', isLost});
      },
      onVanished: () => {
        turn.hasVanished = true;
      },
    });
  }

  async #consume(turn: Turn, events: AsyncGenerator<StreamEvent, void, void>): Promise<void> {
    turn.isStreaming = true;
    try {
      for await (const event of events) {
        if (turn.signal.aborted) return;
        turn.record(event);
        if (turn.isInBackground) continue;
        this.#applyEvent(turn, event);
        if (event.type === 'run.gap') await this.#reloadThread(turn);
      }
      if (turn.hasVanished && !turn.isInBackground && !turn.signal.aborted) await this.#finishVanished(turn);
    } finally {
      turn.isStreaming = false;
    }
  }

  #applyEvent(turn: Turn, event: StreamEvent): void {
    const threadIdBefore = this.#host.state().thread?.id;
    // A retry answers the last message again, which would not repeat the action.
    this.#host.apply(event.type === 'error' && turn.kind === 'action' ? {...event, allowRetry: false} : event);
    switch (event.type) {
      case 'thread.created':
        if (event.thread.id !== threadIdBefore) this.#host.emit('thread.change', {threadId: event.thread.id});
        if (turn.isStopping) void this.#requestStop(turn, event.thread.id);
        break;
      case 'client_effect':
        this.#host.emit('effect', {name: event.name, data: event.data});
        break;
      case 'error':
        turn.hasFailed = true;
        this.#host.emit('error', {error: new Error(event.message ?? strings.failedDefault)});
        break;
      default:
    }
  }

  get #looksUnfinished(): boolean {
    return (
      this.#host.state().entries.some(entry => entry.isStreaming) ||
      this.#host.state().entries.at(-1)?.item.type === 'user_message'
    );
  }

  /** Whether the server continues the run of a turn without a reader. */
  #outlivesReader(turn: Turn): boolean {
    return turn.cursor.last !== undefined || this.resumes;
  }

  async #requestStop(turn: Turn, threadId: string): Promise<void> {
    const isCutOff = this.#host.state().isReconnecting;
    try {
      const answer = await this.#host.client.send({type: 'runs.stop', params: {thread_id: threadId}}, turn.signal);
      // A lost connection, or a run that does not exist, will not end by itself.
      if (isCutOff || !isObject(answer) || !isObject(answer.run)) turn.abort('Stopped.');
    } catch {
      turn.abort('Stopped.');
    }
  }

  /** Reloads the thread during a turn; items that the server has not stored yet are kept. */
  async #reloadThread(turn: Turn): Promise<void> {
    const threadId = this.#host.state().thread?.id;
    if (threadId === undefined) return;
    try {
      const snapshot = await readThread(this.#host.client, threadId, turn.signal);
      if (this.#turn === turn) this.#host.apply({type: 'local.refreshed', keepsTurn: true, ...snapshot});
    } catch {
      // The current state stays; the next reload corrects it.
    }
  }

  /** Reloads the thread after its run has vanished, and fails the turn if the stored answer is incomplete. */
  async #finishVanished(turn: Turn): Promise<void> {
    const open = this.#host.state().entries.filter(entry => entry.isStreaming);
    await this.#reloadThread(turn);
    // A server that was killed has stored less than it had sent.
    const lengths = new Map(this.#host.state().entries.map(({item}) => [item.id, textLength(item)]));
    const isCut = open.some(({item}) => (lengths.get(item.id) ?? 0) < textLength(item));
    if (!(isCut || this.#looksUnfinished) || turn.isStopping || turn.signal.aborted) return;
    const canRetry = turn.kind !== 'action' && findLastUserMessage(this.#host.state()) !== undefined;
    turn.hasFailed = true;
    this.#host.apply({type: 'local.failed', failure: {message: strings.connectionLost, canRetry}});
    this.#host.emit('error', {error: new Error(strings.connectionLost)});
  }

  async #fail(turn: Turn, error: unknown, request: StreamingRequest | undefined): Promise<void> {
    turn.hasFailed = true;
    turn.failure = error;
    const from = turn.cursor;
    const threadId = this.#host.state().thread?.id;
    // The answer continues on the server: it can be joined once the connection is back or the user has signed in.
    const isCutOff = isConnectionLoss(error) || isSignedOut(error);
    if (isCutOff && from.last !== undefined && threadId !== undefined) {
      this.#retry = () => this.#reattach(turn.kind, threadId, from);
    } else if (!turn.hasEvents && request && isRepeatable(request, error)) {
      this.#retry = () => this.run(turn.kind, request);
    } else if (turn.hasEvents) {
      await this.#reloadThread(turn);
    }
    if (turn.signal.aborted) return;
    const hasQuestion =
      this.#host.state().unconfirmedKey !== undefined || findLastUserMessage(this.#host.state()) !== undefined;
    const canRetry = this.#retry !== undefined || (turn.kind === 'answer' && hasQuestion);
    const {message} = toError(error);
    const isRefused = turn.kind === 'answer' && !turn.hasEvents && isRefusal(error);
    this.#host.apply({type: 'local.failed', failure: {message, canRetry, ...(isRefused ? {isRefused} : {})}});
    this.#host.emit('error', {error: toError(error)});
  }

  #end(turn: Turn): void {
    if (turn.isOver) return;
    turn.isOver = true;
    turn.abort('The turn is over.');
    if (turn.isInBackground) this.#backgroundTurns.remove(turn);
    else this.#release(turn);
  }

  /** Makes room for the next turn, and tells the page that the response has ended. */
  #release(turn: Turn): void {
    if (this.#turn === turn) {
      this.#turn = undefined;
      this.#host.apply({type: 'local.turn_ended', isStopped: turn.isStopped});
    }
    // The state is idle before the event, because its listeners may send the next message.
    this.#host.emit('response.end', undefined);
  }
}

/** Returns the id of the item that an event is about. */
function itemIdOf(event: StreamEvent): string | undefined {
  if ('item' in event) return event.item.id;
  return 'itemId' in event ? event.itemId : undefined;
}

/** Returns the text length of an assistant message; 0 for other items. */
function textLength(item: ThreadItem): number {
  if (item.type !== 'assistant_message') return 0;
  return item.content.reduce((sum, part) => sum + part.text.trimEnd().length, 0);
}

/** Whether a request without any event may be sent again as it is; messages and retries are repeated in other ways. */
function isRepeatable({type}: StreamingRequest, error: unknown): boolean {
  // A refused action would be refused again; one that failed or never arrived is executed once, by its idempotency key.
  if (type === 'threads.custom_action') return isConnectionLoss(error) || isServerFailure(error);
  return type === 'threads.add_client_tool_output';
}
