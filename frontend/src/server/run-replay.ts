/**
 * Joins a run that is in progress, for example after the page was reloaded.
 *
 * After `runs.attach`, the server sends all events of the run from the first one on: the past events at once (the
 * replay), then the live ones as they happen. This module separates them: the replay is shown in one step, like a
 * thread that was loaded, while live events are announced.
 */
import type {StreamEvent} from '../protocol/types.js';
import type {RunCursor} from './client.js';

/** A server that does not say where the replay ends: this much silence ends it. */
const REPLAY_SILENCE_MS = 80;
/** The replay of a busy answer has no such pause: it ends this long after the first event. */
const REPLAY_LIMIT_MS = 300;
/** Longest wait for the first event of a run. */
const FIRST_EVENT_LIMIT_MS = 3000;

/** A run that was joined while it was in progress. */
export interface JoinedRun {
  /** Events from before the client attached. */
  readonly replay: readonly StreamEvent[];
  /** Events from then on. */
  readonly live: AsyncGenerator<StreamEvent, void, void>;
}

/**
 * Reads the replay of a run; `undefined` if there is no run, or if it is over and the thread contains all of it.
 *
 * Parlor servers say where the replay ends; for others, silence ends it. Never rejects: the thread can be shown without
 * the run.
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
      // Waits after the end of the replay too: if the run is over, its stream ends now.
      const result = await withTimeout(next, isWhole ? REPLAY_SILENCE_MS : FIRST_EVENT_LIMIT_MS);
      if (result === undefined && replay.length === 0 && replayEnd === undefined) {
        void events.return().catch(() => {});
        return undefined;
      }
      if (result === undefined) return {replay, live: prependEvent(next, events)};
      if (result.done) return undefined;
      if (cursor.replayEnd !== undefined && (cursor.current ?? 0) > cursor.replayEnd) {
        return {replay, live: prependEvent(next, events)};
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

/** Resolves to the value of `promise`, or to `undefined` after `ms`. */
async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
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

/** Yields the event that is already awaited, then the rest. */
async function* prependEvent(
  first: Promise<IteratorResult<StreamEvent, void>>,
  rest: AsyncGenerator<StreamEvent, void, void>,
): AsyncGenerator<StreamEvent, void, void> {
  const result = await first;
  if (result.done) return;
  yield result.value;
  yield* rest;
}
