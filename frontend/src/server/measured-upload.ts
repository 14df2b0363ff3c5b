/** Uploads with progress, by XMLHttpRequest: fetch does not report the progress of a request. */
import {strings} from '../strings.js';

interface UploadInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: File | FormData;
  readonly signal: AbortSignal;
}

/**
 * Whether progress can be measured without changing the request: listening to the progress of a form POST to another
 * origin causes a CORS preflight, which its server may refuse. `PUT` always has a preflight.
 */
export function canMeasure(url: string, method: string): boolean {
  if (typeof XMLHttpRequest === 'undefined') return false;
  return method === 'PUT' || new URL(url, document.baseURI).origin === location.origin;
}

/**
 * Sends a file as `fetch` does, with the same errors, and reports how much of it was sent.
 *
 * @param onProgress Called with the share that was sent, 0 to 1.
 */
export function sendMeasured(
  url: string,
  {method, headers, body, signal}: UploadInit,
  onProgress: (share: number) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    signal.addEventListener('abort', abort);
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({loaded, total, lengthComputable}) => {
      if (lengthComputable && total > 0) onProgress(loaded / total);
    };
    request.onload = () => {
      const {status, statusText} = request;
      // A `Response` with one of these statuses must not have a body, not even an empty one.
      const isBare = [204, 205, 304].includes(status);
      resolve(new Response(isBare ? null : request.responseText, {status, statusText}));
    };
    request.onerror = () => reject(new TypeError(strings.uploadFailedShort));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener('abort', abort);
    request.send(body);
  });
}
