/** Addresses of the server, which may lie below a path of its host, or elsewhere than the page. */

const API_META = 'meta[name="parlor-api"]';

/**
 * The address of what the server has at `path`.
 *
 * @param path Begins with one slash for a place on the server; anything else is returned as it is.
 * @param base The address of the server: the page's own folder, unless the page was exported to another place.
 */
export function serverAddress(path: string, base: string = serverBase()): string {
  if (!path.startsWith('/') || path.startsWith('//')) return path;
  try {
    const address = new URL(path.slice(1), new URL('.', base));
    const isHere = address.origin === new URL(document.baseURI).origin;
    return isHere ? address.pathname + address.search : address.href;
  } catch {
    // A document without an address, as in a frame of `about:blank`.
    return path;
  }
}

/** Whether the page was exported and its server is another origin, which knows a person by a cookie of its own. */
export function isServerElsewhere(): boolean {
  return document.querySelector(API_META) !== null;
}

function serverBase(): string {
  return document.querySelector<HTMLMetaElement>(API_META)?.content ?? document.baseURI;
}
