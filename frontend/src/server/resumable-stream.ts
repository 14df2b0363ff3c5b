/**
 * Reconnects a broken event stream, so that an answer survives a lost connection.
 *
 * A Parlor server continues an answer (a "run") after its reader has disconnected, and numbers the events. The client
 * remembers the number of the last event it has consumed (`RunCursor`). When the connection breaks, it waits
 * (`BACK_OFF_MS`), sends `runs.attach` with that number, and continues after it. There are two exceptions:
 *
 * - No event was received yet. Then it is unknown whether the request arrived, and sending it twice could have its
 *   effect twice. It is sent again only if that is impossible: the server is about to restart and has rejected it, or
 *   the request is idempotent.
 * - The events have no numbers, as with other ChatKit servers. Then the stream cannot be resumed, and the user is told
 *   that the connection was lost.
 *
 * The wire format is described in docs/runs.md.
 */

import type {StreamEvent, StreamingRequest} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {ChatKitClient, RunCursor} from './client.js';
import {DRAINING, NO_RUN, RequestError, RUN_ACTIVE} from './request-error.js';

/** Delays before each attempt to reconnect, in milliseconds; after the last attempt the connection counts as lost. */
export const BACK_OFF_MS: readonly number[] = [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000];

export interface RunHost {
  readonly client: ChatKitClient;
  readonly signal: AbortSignal;
  readonly cursor: RunCursor;
  /** Returns the thread of the run; `undefined` until the server has created the thread. */
  readonly threadId: () => string | undefined;
  /** Called when a stream has ended without an error: some proxies close connections before the answer is complete. */
  readonly looksUnfinished: () => boolean;
  readonly onConnection: (isLost: boolean) => void;
  /** Called when the server no longer knows the run; its outcome is in the thread. */
  readonly onVanished: () => void;
}

/**
 * Streams a request. If its events are numbered, a lost connection is resumed after the last event. While the server
 * restarts, a request that it has not accepted, or that is idempotent, is sent again.
 *
 * @throws RequestError When the server refuses the request, or all attempts to reconnect have failed.
 */
export async function* streamRun(request: StreamingRequest, host: RunHost): AsyncGenerator<StreamEvent, void, void> {
  const {client, signal, cursor} = host;
  let next = request;
  let isRestarting = false;
  /** Whether a request is idempotent, as a retry is, which first deletes everything after the message. */
  const isIdempotent = ({type}: StreamingRequest): boolean =>
    type === 'threads.retry_after_item' && client.resumes === true;
  for (let attempt = 0; ; ) {
    const lastBefore = cursor.last;
    const runIdBefore = cursor.runId;
    let isOtherRun = false;
    try {
      for await (const event of client.stream(next, signal, cursor)) {
        attempt = 0;
        if (!isOtherRun && runIdBefore !== undefined && cursor.runId !== runIdBefore && next.type === 'runs.attach') {
          // The interrupted run is over, and its end is not in this stream.
          isOtherRun = true;
          yield {type: 'run.gap'};
        }
        host.onConnection(false);
        yield event;
      }
      host.onConnection(false);
      const hasProgress = next.type !== 'runs.attach' || cursor.last !== lastBefore;
      if (cursor.last === undefined || !hasProgress || !host.looksUnfinished()) return;
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof RequestError && error.code === NO_RUN) {
        host.onConnection(false);
        host.onVanished();
        return;
      }
      isRestarting ||= hasCode(error, DRAINING);
      // The repeated request was refused because the first one had arrived and started a run.
      const hasStarted = attempt > 0 && hasCode(error, RUN_ACTIVE);
      const hasEvents = cursor.last !== undefined;
      const mayRepeat = hasStarted || (isUnavailable(error) && (isRestarting || isIdempotent(next)));
      const delayMs = BACK_OFF_MS[attempt];
      if (delayMs === undefined || !(hasEvents ? isTransient(error, next) : mayRepeat)) throw error;
      host.onConnection(true);
      await waitForRetry(delayMs, signal);
      attempt += 1;
      if (!hasEvents && !hasStarted) continue;
    }
    const threadId = host.threadId();
    if (threadId === undefined) throw new RequestError(strings.connectionBroken, {code: 'connection'});
    next = buildAttachRequest(threadId, cursor);
  }
}

/** Builds the request that views the run of a thread, after `from` or from its beginning. */
export function buildAttachRequest(
  threadId: string,
  from?: RunCursor,
): StreamingRequest & {readonly type: 'runs.attach'} {
  const after = from?.last === undefined ? {} : {after: from.last};
  // Event numbers are unique within a run only.
  const run = from?.last === undefined || from.runId === undefined ? {} : {run_id: from.runId};
  return {type: 'runs.attach', params: {thread_id: threadId, ...after, ...run}};
}

/** Whether the connection broke or timed out, rather than the server refusing the request. */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof RequestError && (error.code === 'connection' || error.code === 'timeout');
}

function isTransient(error: unknown, request: StreamingRequest): boolean {
  if (isConnectionLoss(error)) return true;
  // Statuses of a proxy while the server restarts. Only attaching may be repeated: it changes nothing.
  const status = error instanceof RequestError ? error.status : 0;
  return request.type === 'runs.attach' && [429, 502, 503, 504].includes(status);
}

/** Whether the server cannot be reached for now, rather than having refused the request with an error of its own. */
function isUnavailable(error: unknown): boolean {
  if (isConnectionLoss(error) || hasCode(error, DRAINING)) return true;
  return hasCode(error, undefined) && [502, 503, 504].includes(error.status);
}

function hasCode(error: unknown, code: string | undefined): error is RequestError {
  return error instanceof RequestError && error.code === code;
}

/** Resolves after `ms`, or as soon as the browser is online again. */
function waitForRetry(ms: number, signal: AbortSignal): Promise<void> {
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
