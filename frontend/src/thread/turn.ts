/** One turn of a conversation: from the request to the end of the last stream that follows from it. */
import type {StreamEvent} from '../protocol/types.js';
import type {RunCursor} from '../server/client.js';

/** How many events are recorded; a longer turn discards its recorded events. */
const MAX_RECORDED = 20_000;

/** The cause of a turn, which decides how it may be retried after a failure. */
export type TurnKind = 'answer' | 'action' | 'input';

export class Turn {
  readonly kind: TurnKind;
  /** The position in the current stream. */
  cursor: RunCursor = {last: undefined};
  /** Whether the current request has produced an event: it must not be sent again unless the user asks for it. */
  hasEvents = false;
  hasFailed = false;
  /** The error that ended the turn; `undefined` if the server reported the failure as an event. */
  failure: unknown;
  /** Whether the server no longer knows the run. */
  hasVanished = false;
  isStreaming = false;
  isStopping = false;
  isOver = false;
  /** Whether the user has stopped it. */
  isStopped = false;
  /** Whether another thread is shown; events are only recorded. */
  isInBackground = false;
  threadId: string | undefined;
  #received: StreamEvent[] = [];
  readonly #controller = new AbortController();
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(kind: TurnKind) {
    this.kind = kind;
  }

  /** Events received so far, to be replayed when the thread is shown again. */
  get received(): readonly StreamEvent[] {
    return this.#received;
  }

  record(event: StreamEvent): void {
    this.hasEvents = true;
    if (event.type === 'thread.created') this.threadId = event.thread.id;
    // If events have numbers, the server replays them.
    if (this.cursor.last !== undefined || this.#received.length >= MAX_RECORDED) this.#received = [];
    else this.#received.push(event);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resets the state of the stream for the next request of the turn. */
  beginStream(from?: RunCursor): void {
    this.cursor = {last: from?.last, runId: from?.runId};
    this.hasEvents = false;
    this.hasVanished = false;
  }

  /** Waits for the stream to end by itself, and aborts it after `ms`. */
  stopWithin(ms: number): void {
    this.isStopping = true;
    this.#stopTimer ??= setTimeout(() => this.abort('Stopped.'), ms);
  }

  abort(reason: string): void {
    clearTimeout(this.#stopTimer);
    this.#controller.abort(new DOMException(reason, 'AbortError'));
  }
}
