/** URLs of the server, which may be mounted below a path, or be at another origin than the page. */

const API_META = 'meta[name="parlor-api"]';

/**
 * Returns the URL of a path on the server.
 *
 * @param path An absolute path; anything else is returned unchanged.
 * @param base The URL of the server: by default the page's own folder, unless the page was exported.
 */
export function serverAddress(path: string, base: string = serverBase()): string {
  if (!path.startsWith('/') || path.startsWith('//')) return path;
  try {
    const address = new URL(path.slice(1), new URL('.', base));
    const isHere = address.origin === new URL(document.baseURI).origin;
    return isHere ? address.pathname + address.search : address.href;
  } catch {
    // A document without a URL, as in a frame of `about:blank`.
    return path;
  }
}

/** Whether the page was exported, so that its server is at another origin. */
export function isServerElsewhere(): boolean {
  return document.querySelector(API_META) !== null;
}

function serverBase(): string {
  return document.querySelector<HTMLMetaElement>(API_META)?.content ?? document.baseURI;
}
