/** The events of one request, over as many connections as it takes where the server numbers its events. */
import type {StreamEvent, StreamingRequest} from '../protocol/types.js';
import {type ChatKitClient, DRAINING, NO_RUN, RequestError, RUN_ACTIVE, type RunCursor} from './client.js';

/** Before each try to connect again, in milliseconds; after the last one the connection counts as lost. */
export const BACK_OFF_MS: readonly number[] = [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000];
/** After so much silence a replay is over, and what comes next is live, where the server does not say where it ends. */
const REPLAY_SILENCE_MS = 80;
/** A lively answer has no silence; then this long after its first event. */
const REPLAY_LIMIT_MS = 300;
/** A page is not kept waiting longer for a run that says nothing. */
const FIRST_EVENT_LIMIT_MS = 3000;

export interface RunHost {
  readonly client: ChatKitClient;
  readonly signal: AbortSignal;
  readonly cursor: RunCursor;
  /** Whose run it is; `undefined` until the server has created the thread. */
  readonly threadId: () => string | undefined;
  /** Asked at a clean end: some proxies end a connection as if the answer were whole. */
  readonly looksUnfinished: () => boolean;
  readonly onConnection: (isLost: boolean) => void;
  /** The server does not know the run any more; how it ended is in the thread. */
  readonly onVanished: () => void;
}

/**
 * Streams a request; where its events are numbered, a lost connection is made again and goes on behind the last event.
 * While the server restarts, a request that it has not taken, or that does the same a second time, is sent again.
 *
 * @throws RequestError When the server refuses, or when the connection stays lost.
 */
export async function* streamRun(request: StreamingRequest, host: RunHost): AsyncGenerator<StreamEvent, void, void> {
  const {client, signal, cursor} = host;
  let next = request;
  let isRestarting = false;
  /** Cutting off what follows a message does nothing the second time. */
  const isSafe = ({type}: StreamingRequest): boolean => type === 'threads.retry_after_item' && client.resumes === true;
  for (let attempt = 0; ; ) {
    const before = cursor.last;
    const runBefore = cursor.runId;
    let isOtherRun = false;
    try {
      for await (const event of client.stream(next, signal, cursor)) {
        attempt = 0;
        if (!isOtherRun && runBefore !== undefined && cursor.runId !== runBefore && next.type === 'runs.attach') {
          // The run that broke off is over, and how it ended is not in this one.
          isOtherRun = true;
          yield {type: 'run.gap'};
        }
        host.onConnection(false);
        yield event;
      }
      host.onConnection(false);
      const hasNews = next.type !== 'runs.attach' || cursor.last !== before;
      if (cursor.last === undefined || !hasNews || !host.looksUnfinished()) return;
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof RequestError && error.code === NO_RUN) {
        host.onConnection(false);
        host.onVanished();
        return;
      }
      isRestarting ||= hasCode(error, DRAINING);
      // Sent again, it meets the run that it has begun: nobody had heard of it.
      const isBegun = attempt > 0 && hasCode(error, RUN_ACTIVE);
      const isHeard = cursor.last !== undefined;
      const mayGoOn = isHeard ? isTransient(error, next) : isBegun || (isDown(error) && (isRestarting || isSafe(next)));
      const wait = BACK_OFF_MS[attempt];
      if (wait === undefined || !mayGoOn) throw error;
      host.onConnection(true);
      await waitForTry(wait, signal);
      attempt += 1;
      if (!isHeard && !isBegun) continue;
    }
    const threadId = host.threadId();
    if (threadId === undefined) throw new RequestError('The connection to the server was lost.', {code: 'connection'});
    next = attachTo(threadId, cursor);
  }
}

export function attachTo(threadId: string, from?: RunCursor): StreamingRequest & {readonly type: 'runs.attach'} {
  const after = from?.last === undefined ? {} : {after: from.last};
  // A number counts within its run only.
  const run = from?.last === undefined || from.runId === undefined ? {} : {run_id: from.runId};
  return {type: 'runs.attach', params: {thread_id: threadId, ...after, ...run}};
}

/** Whether the connection broke, rather than that the server said no. */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof RequestError && (error.code === 'connection' || error.code === 'timeout');
}

function isTransient(error: unknown, request: StreamingRequest): boolean {
  if (isConnectionLoss(error)) return true;
  // What a proxy says while the server restarts. Only attaching may be repeated: it changes nothing.
  const status = error instanceof RequestError ? error.status : 0;
  return request.type === 'runs.attach' && [429, 502, 503, 504].includes(status);
}

/** Whether there is no server for now, rather than one that says in its own words what it refuses. */
function isDown(error: unknown): boolean {
  if (isConnectionLoss(error) || hasCode(error, DRAINING)) return true;
  return hasCode(error, undefined) && [502, 503, 504].includes(error.status);
}

function hasCode(error: unknown, code: string | undefined): error is RequestError {
  return error instanceof RequestError && error.code === code;
}

/** Resolves after `ms`, or as soon as the browser is online again. */
function waitForTry(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      removeEventListener('online', finish);
      signal.removeEventListener('abort', finish);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(finish, ms);
    addEventListener('online', finish);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}

/** A run that was joined in the middle. */
export interface JoinedRun {
  /** What had happened before. */
  readonly replay: readonly StreamEvent[];
  /** What happens from now on. */
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

/** What `promise` gives, or `undefined` when that takes longer than `ms`. */
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
