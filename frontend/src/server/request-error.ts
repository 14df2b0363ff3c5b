/** Failures of requests: what the server has refused, and what came of a connection, in words for a person. */
import {parseFailure} from '../protocol/parsing.js';
import {strings} from '../strings.js';
import {ClientSecretError} from './client-secret.js';

/** The code of the error that says: there is no run to attach to. */
export const NO_RUN = 'run.none';
/** Parlor's code for: one answer at a time in a thread. */
export const RUN_ACTIVE = 'run.active';
/** Parlor's code for: no new answers, since the server is about to restart. Nothing has come of the request. */
export const DRAINING = 'runs.draining';

/** A request that failed, with words for a person. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string | undefined;
  /** The id under which the server logged it. */
  readonly id: string | undefined;

  constructor(
    message: string,
    details: {status?: number; code?: string | undefined; id?: string | undefined; cause?: unknown} = {},
  ) {
    super(message, {cause: details.cause});
    this.status = details.status ?? 0;
    this.code = details.code;
    this.id = details.id;
  }
}

/** Whether nobody knows, or not any more, who asks: the page has to sign the person in. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ClientSecretError || (error instanceof RequestError && error.status === 401);
}

/** Returns the refusal that an answer of the server is. */
export async function failureOf(response: Response): Promise<RequestError> {
  let body: unknown;
  try {
    body = JSON.parse(await response.text());
  } catch {
    body = undefined;
  }
  const {message, code, id} = parseFailure(body);
  return new RequestError(message ?? strings.refused(response.status), {
    status: response.status,
    code,
    id,
  });
}

/** The refusal of a new secret in words for a person; the server's own are in `cause`. */
export function signedOut(refusal: RequestError): RequestError {
  const {status, code, id} = refusal;
  return new RequestError(strings.signedOut, {status, code, id, cause: refusal});
}

/** Returns what a failed request is thrown as: the reason of an abort, or an error with words for a person. */
export function explainFailure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof RequestError || error instanceof ClientSecretError) return error;
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new RequestError(strings.noAnswerInTime, {cause: error, code: 'timeout'});
  }
  if (error instanceof SyntaxError) return new RequestError(strings.notJSON, {cause: error});
  return new RequestError(strings.connectionBroken, {cause: error, code: 'connection'});
}
