/**
 * Makes one stream of events out of as many connections as it takes, so that an answer survives a lost one.
 *
 * A Parlor server goes on with an answer, a "run", when its reader is gone, and numbers the events. The client remembers
 * the number of the last event that it has taken (`RunCursor`). When the connection breaks it waits a moment
 * (`BACK_OFF_MS`), sends `runs.attach` with that number, and reads on behind it. Two cases are different:
 *
 * - Nothing was heard yet. Then nobody knows whether the request has arrived, and sending it twice could do a thing twice.
 *   It is sent again only where that cannot happen: the server has said that it is about to restart and takes nothing,
 *   or the request leaves nothing new the second time.
 * - The events have no numbers, as those of other ChatKit servers. Then there is nothing to go on with, and the person is
 *   told that the connection was lost.
 *
 * What goes over the wire is described in docs/runs.md.
 */

import type {StreamEvent, StreamingRequest} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {ChatKitClient, RunCursor} from './client.js';
import {DRAINING, NO_RUN, RequestError, RUN_ACTIVE} from './request-error.js';

/** Before each try to connect again, in milliseconds; after the last one the connection counts as lost. */
export const BACK_OFF_MS: readonly number[] = [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000];

export interface RunHost {
  readonly client: ChatKitClient;
  readonly signal: AbortSignal;
  readonly cursor: RunCursor;
  /** The thread whose run it is; `undefined` until the server has created the thread. */
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
    if (threadId === undefined) throw new RequestError(strings.connectionBroken, {code: 'connection'});
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
