/** Runs turns, one at a time: streams of events, calls of client tools, stopping, connecting again. */
import {isObject} from '../protocol/parsing.js';
import type {StreamEvent, StreamingRequest, ThreadItem, UserMessage} from '../protocol/types.js';
import type {ChatKitClient, RunCursor} from '../server/client.js';
import {isSignedOut, RequestError} from '../server/request-error.js';
import {attachTo, isConnectionLoss, streamRun} from '../server/resumable-stream.js';
import type {JoinedRun} from '../server/run-replay.js';
import {strings} from '../strings.js';
import {toError} from '../to-error.js';
import {type ClientToolHandler, ClientTools} from './client-tools.js';
import {LeftTurns} from './left-turns.js';
import {readThread} from './thread-reader.js';
import {findLastUserMessage, type LocalEvent, type ThreadState} from './thread-state.js';
import {Turn, type TurnKind} from './turn.js';

/** A model that calls client tools forever is stopped here. */
const MAX_TOOL_ROUNDS = 32;
/** So long a server may take to end a stream that it was asked to stop. */
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
  /** Whether the page says that its server offers `runs.attach`, before the server has shown it. */
  readonly expectsResume: () => boolean;
}

export class TurnRunner {
  readonly #host: TurnHost;
  #turn: Turn | undefined;
  #again: (() => Promise<Turn>) | undefined;
  /** The run that was left behind when the view was closed. */
  #left: {readonly threadId: string; readonly from: RunCursor} | undefined;
  readonly #clientTools: ClientTools;
  readonly #leftTurns = new LeftTurns();

  constructor(host: TurnHost) {
    this.#host = host;
    this.#clientTools = new ClientTools(host);
  }

  get isBusy(): boolean {
    return this.#turn !== undefined;
  }

  /** Whether the server offers to join runs, as far as anybody knows. */
  get resumes(): boolean {
    return this.#host.client.resumes ?? this.#host.expectsResume();
  }

  /** The retry of the failure that is shown, where that is not to answer the last message again; given once. */
  takeAgain(): (() => Promise<Turn>) | undefined {
    const again = this.#again;
    this.#again = undefined;
    return again;
  }

  /** Resolves when the whole turn is over; never rejects: failures are shown and emitted. */
  async run(kind: TurnKind, request: StreamingRequest, message?: Omit<UserMessage, 'id'>): Promise<Turn> {
    const turn = this.#begin(new Turn(kind), message);
    await this.#drive(turn, request);
    return turn;
  }

  /** Calls the client tool that a thread ends with, if nobody has answered it and the page has a handler for it. */
  async answerOpenCall(): Promise<void> {
    if (this.#clientTools.hasOpenCall && this.#host.findClientTool())
      await this.#drive(this.#begin(new Turn('answer')));
  }

  /** Takes part in a run that another page, or this one before it was reloaded, has begun. */
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
    // From here on as any other turn: it connects again if it must, and answers client tools.
    const isUnfinished = this.#looksUnfinished && !turn.hasFailed && !turn.isStopping;
    const from = turn.cursor;
    if (isUnfinished && from.last !== undefined) await this.#drive(turn, attachTo(threadId, from), from);
    else if (this.#clientTools.hasOpenCall) await this.#drive(turn);
    else this.#end(turn);
  }

  /** Whether the turn of a thread goes on though another one is shown. */
  goesOn(threadId: string): boolean {
    return this.#leftTurns.find(threadId) !== undefined;
  }

  /** Shows the turn of a thread that was left and goes on; whether there is one. */
  rejoin(threadId: string): boolean {
    const turn = this.#leftTurns.find(threadId);
    if (!turn) return false;
    this.#leftTurns.remove(turn);
    this.#replay(turn, turn.heard);
    return true;
  }

  #replay(turn: Turn, events: readonly StreamEvent[]): void {
    const stored = new Set(this.#host.state().entries.map(({item}) => item.id));
    this.#begin(turn);
    for (const event of events) {
      if (event.type === 'thread.created' || event.type === 'thread.updated') continue;
      if (stored.has(idOf(event) ?? '')) continue;
      // Effects are for those who were there: the page that was reloaded has had them.
      this.#host.apply(event);
      if (event.type === 'error') turn.hasFailed = true;
    }
    turn.hasEvents = true;
  }

  /**
   * Stops the answer. A server that keeps answers going without us is asked to; any other one notices the abort. Asked
   * a second time, it aborts.
   */
  stop(): void {
    const turn = this.#turn;
    if (!turn) return;
    turn.isStopped = true;
    if (turn.isStopping || !turn.isStreaming || !this.#keepsRuns(turn)) {
      turn.abort('Stopped.');
      return;
    }
    turn.stopWithin(STOP_LIMIT_MS);
    // Before the thread has its id there is nothing to name; it comes with the first event.
    const threadId = this.#host.state().thread?.id;
    if (threadId !== undefined) void this.#requestStop(turn, threadId);
  }

  /** Leaves nothing running. An answer that the server keeps going can be taken up again with `resume`. */
  close(): void {
    const turn = this.#turn;
    const threadId = this.#host.state().thread?.id;
    this.#abandon();
    this.#leftTurns.close();
    if (turn && !turn.isStopping && threadId !== undefined && turn.cursor.last !== undefined) {
      this.#left = {threadId, from: turn.cursor};
    }
  }

  /** Goes on with what `close` left behind. */
  async resume(): Promise<void> {
    const left = this.#left;
    this.#left = undefined;
    if (left && !this.isBusy && left.threadId === this.#host.state().thread?.id) {
      await this.#reattach('answer', left.threadId, left.from);
    }
  }

  /** Another thread will be shown. The answer goes on: at the server, or because it is read to its end all the same. */
  leave(): void {
    const turn = this.#turn;
    const goesOn = turn?.isStreaming && !turn.isStopping && !this.#keepsRuns(turn);
    if (!goesOn) {
      this.#abandon();
      return;
    }
    this.#leftTurns.add(turn);
    this.#settle(turn);
    this.#forget();
  }

  /** Ends what goes on in a thread that is no more. */
  drop(threadId: string): void {
    this.#leftTurns.stop(threadId);
    if (this.#turn?.threadId === threadId) this.#abandon();
  }

  /** Ends the running turn here, at once. Whether the server goes on with it is the server's affair. */
  #abandon(): void {
    const turn = this.#turn;
    turn?.abort('Left the thread.');
    if (turn) this.#end(turn);
    this.#forget();
  }

  #forget(): void {
    this.#again = undefined;
    this.#left = undefined;
  }

  /** Goes on with a run behind what was read of it. */
  async #reattach(kind: TurnKind, threadId: string, from: RunCursor): Promise<Turn> {
    const turn = this.#begin(new Turn(kind));
    await this.#drive(turn, attachTo(threadId, from), from);
    return turn;
  }

  #begin(turn: Turn, message?: Omit<UserMessage, 'id'>): Turn {
    this.#turn = turn;
    turn.threadId ??= this.#host.state().thread?.id;
    this.#again = undefined;
    this.#host.apply({type: 'local.turn_started', message});
    this.#host.emit('response.start', undefined);
    return turn;
  }

  /** Streams a request and all that follow from it; without one, begins with the client tool that waits. Never rejects. */
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
      if (!turn.signal.aborted && !turn.isLeft) await this.#fail(turn, error, next);
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
        turn.note(event);
        if (turn.isLeft) continue;
        this.#take(turn, event);
        if (event.type === 'run.gap') await this.#readTurn(turn);
      }
      if (turn.hasVanished && !turn.isLeft && !turn.signal.aborted) await this.#settleVanished(turn);
    } finally {
      turn.isStreaming = false;
    }
  }

  #take(turn: Turn, event: StreamEvent): void {
    const before = this.#host.state().thread?.id;
    // To answer the last message again would not do an action again.
    this.#host.apply(event.type === 'error' && turn.kind === 'action' ? {...event, allowRetry: false} : event);
    switch (event.type) {
      case 'thread.created':
        if (event.thread.id !== before) this.#host.emit('thread.change', {threadId: event.thread.id});
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

  /** Whether the run of a turn goes on without us. */
  #keepsRuns(turn: Turn): boolean {
    return turn.cursor.last !== undefined || this.resumes;
  }

  async #requestStop(turn: Turn, threadId: string): Promise<void> {
    const isCutOff = this.#host.state().isReconnecting;
    try {
      const answer = await this.#host.client.send({type: 'runs.stop', params: {thread_id: threadId}}, turn.signal);
      // Nothing will come to end a stream that is not there.
      if (isCutOff || !isObject(answer) || !isObject(answer.run)) turn.abort('Stopped.');
    } catch {
      turn.abort('Stopped.');
    }
  }

  /** Reads what the server has stored of the running turn; what it has not stored stays. */
  async #readTurn(turn: Turn): Promise<void> {
    const threadId = this.#host.state().thread?.id;
    if (threadId === undefined) return;
    try {
      const snapshot = await readThread(this.#host.client, threadId, turn.signal);
      if (this.#turn === turn) this.#host.apply({type: 'local.refreshed', keepsTurn: true, ...snapshot});
    } catch {
      // What is shown stays; the next reading of the thread puts it right.
    }
  }

  /** The run is over and forgotten: the thread holds its end, or shows that there was none. */
  async #settleVanished(turn: Turn): Promise<void> {
    const open = this.#host.state().entries.filter(entry => entry.isStreaming);
    await this.#readTurn(turn);
    // A server that was killed has kept less than it had said.
    const now = new Map(this.#host.state().entries.map(({item}) => [item.id, lengthOf(item)]));
    const isCut = open.some(({item}) => (now.get(item.id) ?? 0) < lengthOf(item));
    if (!(isCut || this.#looksUnfinished) || turn.isStopping || turn.signal.aborted) return;
    const canRetry = turn.kind !== 'action' && findLastUserMessage(this.#host.state()) !== undefined;
    turn.hasFailed = true;
    this.#host.apply({type: 'local.failed', failure: {message: strings.connectionLost, canRetry}});
    this.#host.emit('error', {error: new Error(strings.connectionLost)});
  }

  async #fail(turn: Turn, error: unknown, request: StreamingRequest | undefined): Promise<void> {
    turn.hasFailed = true;
    const from = turn.cursor;
    const threadId = this.#host.state().thread?.id;
    // The answer goes on without us: once the person is known again, it is joined.
    const isCutOff = isConnectionLoss(error) || isSignedOut(error);
    if (isCutOff && from.last !== undefined && threadId !== undefined) {
      this.#again = () => this.#reattach(turn.kind, threadId, from);
    } else if (!turn.hasEvents && request && isRepeatable(request, error)) {
      this.#again = () => this.run(turn.kind, request);
    } else if (turn.hasEvents) {
      await this.#readTurn(turn);
    }
    if (turn.signal.aborted) return;
    const hasQuestion =
      this.#host.state().unconfirmedKey !== undefined || findLastUserMessage(this.#host.state()) !== undefined;
    const canRetry = this.#again !== undefined || (turn.kind === 'answer' && hasQuestion);
    const {message} = toError(error);
    const isRefused = turn.kind === 'answer' && !turn.hasEvents && isRefusal(error);
    this.#host.apply({type: 'local.failed', failure: {message, canRetry, ...(isRefused ? {isRefused} : {})}});
    this.#host.emit('error', {error: toError(error)});
  }

  #end(turn: Turn): void {
    if (turn.isOver) return;
    turn.isOver = true;
    turn.abort('The turn is over.');
    if (turn.isLeft) this.#leftTurns.remove(turn);
    else this.#settle(turn);
  }

  #settle(turn: Turn): void {
    if (this.#turn === turn) {
      this.#turn = undefined;
      this.#host.apply({type: 'local.turn_ended', isStopped: turn.isStopped});
    }
    // Idle before the event: its listeners may send the next message.
    this.#host.emit('response.end', undefined);
  }
}

/** The id of the item that an event is about. */
function idOf(event: StreamEvent): string | undefined {
  if ('item' in event) return event.item.id;
  return 'itemId' in event ? event.itemId : undefined;
}

/** The length of a message of the assistant; 0 for other items. */
function lengthOf(item: ThreadItem): number {
  if (item.type !== 'assistant_message') return 0;
  return item.content.reduce((sum, part) => sum + part.text.trimEnd().length, 0);
}

/** Whether a request of which nothing was heard may be sent again as it is; messages and retries have their own ways. */
function isRepeatable({type}: StreamingRequest, error: unknown): boolean {
  // What an action was refused for stays so; what did not arrive, or failed, has its key and counts once.
  if (type === 'threads.custom_action') return isConnectionLoss(error) || isServerFailure(error);
  return type === 'threads.add_client_tool_output';
}

/** Whether what was asked is wrong as it is. */
function isRefusal(error: unknown): boolean {
  return error instanceof RequestError && [400, 413, 422].includes(error.status);
}

function isServerFailure(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 429 || error.status >= 500);
}
