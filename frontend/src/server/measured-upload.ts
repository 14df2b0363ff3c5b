/** Uploads whose progress is told: by XMLHttpRequest, since fetch keeps it to itself. */
import {strings} from '../strings.js';

interface UploadInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: File | FormData;
  readonly signal: AbortSignal;
}

/**
 * Whether listening changes nothing of the request: a form for another origin would be asked for first (CORS), and a place
 * that takes plain forms may refuse that; `PUT` is asked for anyway.
 */
export function canMeasure(url: string, method: string): boolean {
  if (typeof XMLHttpRequest === 'undefined') return false;
  return method === 'PUT' || new URL(url, document.baseURI).origin === location.origin;
}

/**
 * Sends a file as `fetch` does, with its errors, and tells how much of it is on its way.
 *
 * @param onProgress Called with 0 to 1.
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
      // A response with one of these statuses may have no body, not even an empty one.
      const isBare = [204, 205, 304].includes(status);
      resolve(new Response(isBare ? null : request.responseText, {status, statusText}));
    };
    request.onerror = () => reject(new TypeError(strings.uploadFailedShort));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener('abort', abort);
    request.send(body);
  });
}
