/** One turn of a conversation: from the request to the end of the last stream that follows from it. */
import type {StreamEvent} from '../protocol/types.js';
import type {RunCursor} from '../server/client.js';

/** The most events that are told again; of a longer answer, none that came before is. */
const MAX_HEARD = 20_000;

/** The cause of a turn: it decides what may be offered when the turn fails. */
export type TurnKind = 'answer' | 'action' | 'input';

export class Turn {
  readonly kind: TurnKind;
  /** The place up to which the current stream has been read. */
  cursor: RunCursor = {last: undefined};
  /** Whether the current request was heard: it must not be sent twice without a person's wish. */
  hasEvents = false;
  hasFailed = false;
  /** Why, where it was more than an event that said so. */
  failure: unknown;
  hasVanished = false;
  isStreaming = false;
  isStopping = false;
  isOver = false;
  /** A person has stopped it. */
  isStopped = false;
  /** Another thread is shown; what comes is only noted. */
  isLeft = false;
  threadId: string | undefined;
  #heard: StreamEvent[] = [];
  readonly #controller = new AbortController();
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(kind: TurnKind) {
    this.kind = kind;
  }

  /** Events that were heard so far, for whoever comes back to the turn. */
  get heard(): readonly StreamEvent[] {
    return this.#heard;
  }

  note(event: StreamEvent): void {
    this.hasEvents = true;
    if (event.type === 'thread.created') this.threadId = event.thread.id;
    // Where events have numbers, the server tells them again.
    if (this.cursor.last !== undefined || this.#heard.length >= MAX_HEARD) this.#heard = [];
    else this.#heard.push(event);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A new request of the same turn begins. */
  beginStream(from?: RunCursor): void {
    this.cursor = {last: from?.last, runId: from?.runId};
    this.hasEvents = false;
    this.hasVanished = false;
  }

  /** Waits for the stream to end by itself, but not for ever. */
  stopWithin(ms: number): void {
    this.isStopping = true;
    this.#stopTimer ??= setTimeout(() => this.abort('Stopped.'), ms);
  }

  abort(reason: string): void {
    clearTimeout(this.#stopTimer);
    this.#controller.abort(new DOMException(reason, 'AbortError'));
  }
}
