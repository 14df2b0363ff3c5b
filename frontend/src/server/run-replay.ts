/**
 * Joins an answer that is being written, as a page does that was reloaded in the middle of it.
 *
 * A server that is asked to attach a client to a run sends its events from the first one on: at once those that have
 * happened, the replay, and then the live ones as they happen. They are told apart here, because the replay is shown in
 * one step, like anything that is read from a thread, and only what is live is news.
 */
import type {StreamEvent} from '../protocol/types.js';
import type {RunCursor} from './client.js';

/** After so much silence a replay is over, and what comes next is live, where the server does not say where it ends. */
const REPLAY_SILENCE_MS = 80;
/** A lively answer has no silence; then this long after its first event. */
const REPLAY_LIMIT_MS = 300;
/** A page is not kept waiting longer for a run that says nothing. */
const FIRST_EVENT_LIMIT_MS = 3000;

/** A run that was joined in the middle. */
export interface JoinedRun {
  /** Events that had happened before this client came. */
  readonly replay: readonly StreamEvent[];
  /** Events that happen from now on. */
  readonly live: AsyncGenerator<StreamEvent, void, void>;
}

/**
 * Reads what a run has sent so far; `undefined` when there is none, or when it is over and the thread has it all.
 *
 * The server says where the replay ends; one that does not sends it in one piece, so that silence ends it. Never
 * rejects: without a run there is still a thread.
 */
export async function joinRun(
  events: AsyncGenerator<StreamEvent, void, void>,
  cursor: RunCursor,
): Promise<JoinedRun | undefined> {
  const replay: StreamEvent[] = [];
  let hasTimedOut = false;
  let limit: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      const next = events.next();
      next.catch(() => {});
      const {replayEnd} = cursor;
      const isWhole = replayEnd === undefined ? replay.length > 0 : (cursor.current ?? 0) >= replayEnd;
      // Behind the end, too: a run that is over ends its stream now, and the thread has it all.
      const result = await before(next, isWhole ? REPLAY_SILENCE_MS : FIRST_EVENT_LIMIT_MS);
      if (result === undefined && replay.length === 0 && replayEnd === undefined) {
        void events.return().catch(() => {});
        return undefined;
      }
      if (result === undefined) return {replay, live: continued(next, events)};
      if (result.done) return undefined;
      if (cursor.replayEnd !== undefined && (cursor.current ?? 0) > cursor.replayEnd) {
        return {replay, live: continued(next, events)};
      }
      replay.push(result.value);
      if (cursor.replayEnd !== undefined) continue;
      limit ??= setTimeout(() => {
        hasTimedOut = true;
      }, REPLAY_LIMIT_MS);
      if (hasTimedOut) return {replay, live: events};
    }
  } catch {
    return undefined;
  } finally {
    clearTimeout(limit);
  }
}

/** The value of `promise`, or `undefined` when it takes longer than `ms`. */
async function before<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function* continued(
  first: Promise<IteratorResult<StreamEvent, void>>,
  rest: AsyncGenerator<StreamEvent, void, void>,
): AsyncGenerator<StreamEvent, void, void> {
  const result = await first;
  if (result.done) return;
  yield result.value;
  yield* rest;
}
