/** Failures of requests: what they say to a person, and what they mean for the request. */
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
  /** The name of the form field whose value was refused. */
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

/** Whether nobody knows, or not any more, who asks: the page has to sign the person in. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ClientSecretError || (error instanceof RequestError && error.status === 401);
}

/** Whether the server does not know the operation; bare ChatKit servers answer 500 to what they cannot parse. */
export function isUnknownOperation({status}: RequestError): boolean {
  return status === 400 || status === 405 || status === 422 || status === 500 || status === 501;
}

/** Whether what was asked is wrong as it is, or carries a file that is not taken, has not arrived, or was sent already. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof RequestError)) return false;
  return [400, 413, 415, 422].includes(error.status) || error.code?.startsWith('attachments.') === true;
}

/** Whether the server could not answer now, and may later. */
export function isServerFailure(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 429 || error.status >= 500);
}

/** The failure that a response tells. */
export async function failureOf(response: Response): Promise<RequestError> {
  let body: unknown;
  try {
    body = JSON.parse(await response.text());
  } catch {
    body = undefined;
  }
  const {message, ...details} = parseFailure(body);
  return new RequestError(message ?? strings.refused(response.status), {status: response.status, ...details});
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
