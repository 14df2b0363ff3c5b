/** Errors of requests: their messages for the user, and whether the request may be repeated. */
import {parseFailure} from '../protocol/parsing.js';
import {strings} from '../strings.js';
import {ClientSecretError} from './client-secret.js';

/** Error code: there is no run to attach to. */
export const NO_RUN = 'run.none';
/** Parlor's error code: the thread already has an answer being written. */
export const RUN_ACTIVE = 'run.active';
/** Parlor's error code: the server is about to restart and accepts no new answers. The request had no effect. */
export const DRAINING = 'runs.draining';

/** A failed request, with a message for the user. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** HTTP status; 0 if there was no response. */
  readonly status: number;
  readonly code: string | undefined;
  /** The id under which the server logged it. */
  readonly id: string | undefined;
  /** The name of the form field whose value was rejected. */
  readonly field: string | undefined;

  constructor(
    message: string,
    details: {
      readonly status?: number;
      readonly code?: string | undefined;
      readonly id?: string | undefined;
      readonly field?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, {cause: details.cause});
    this.status = details.status ?? 0;
    this.code = details.code;
    this.id = details.id;
    this.field = details.field;
  }
}

/** Whether the user is not signed in, or no longer: the page has to sign them in. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ClientSecretError || (error instanceof RequestError && error.status === 401);
}

/** Whether the server does not know the operation; plain ChatKit servers answer 500 to requests they cannot parse. */
export function isUnknownOperation({status}: RequestError): boolean {
  return status === 400 || status === 405 || status === 422 || status === 500 || status === 501;
}

/** Whether the request is invalid as it is, or has a file that was rejected, never arrived, or was sent before. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof RequestError)) return false;
  return [400, 413, 415, 422].includes(error.status) || error.code?.startsWith('attachments.') === true;
}

/** Whether the server failed for now, so that a later attempt may succeed. */
export function isServerFailure(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 429 || error.status >= 500);
}

/** Reads the error from the body of a failed response. */
export async function readRequestError(response: Response): Promise<RequestError> {
  let body: unknown;
  try {
    body = JSON.parse(await response.text());
  } catch {
    body = undefined;
  }
  const {message, ...details} = parseFailure(body);
  return new RequestError(message ?? strings.refused(response.status), {status: response.status, ...details});
}

/** Builds the error shown when a renewed secret was refused as well; the server's own error is its `cause`. */
export function toSignedOutError(refusal: RequestError): RequestError {
  const {status, code, id} = refusal;
  return new RequestError(strings.signedOut, {status, code, id, cause: refusal});
}

/** Normalizes anything a request threw: the abort reason, or an error with a message for the user. */
export function normalizeError(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof RequestError || error instanceof ClientSecretError) return error;
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new RequestError(strings.noAnswerInTime, {cause: error, code: 'timeout'});
  }
  if (error instanceof SyntaxError) return new RequestError(strings.notJSON, {cause: error});
  return new RequestError(strings.connectionBroken, {cause: error, code: 'connection'});
}
