/** The allow-list of addresses: the URLs that may become links and images. */

const LINK_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'mailto', 'tel', 'chatkit-link']);
const IMAGE_SCHEMES: ReadonlySet<string> = new Set(['http', 'https']);

// Browsers drop control characters and white space inside a scheme, so that `java\nscript:` would run.
const DROPPED_BY_BROWSERS = /[\p{Cc}\p{Cf}\p{Z}]/gu;

// An encoded colon or letter in the first segment would be a scheme for careless readers further on.
const DISGUISED_SCHEME = /^(?:[^/?#]*(?::|&colon;|%3a)|[^/?]*&#x?[0-9a-f])/i;

function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url.replace(DROPPED_BY_BROWSERS, ''))?.[1]?.toLowerCase();
}

/** http, https, mailto, tel, `chatkit-link`, or relative. */
export function isSafeLink(url: string): boolean {
  const scheme = schemeOf(url);
  if (scheme === undefined) return !DISGUISED_SCHEME.test(url.replace(DROPPED_BY_BROWSERS, ''));
  return LINK_SCHEMES.has(scheme);
}

/** Relative, http(s) or inline image data; only from `domains` when the thread names some. */
export function isSafeImage(url: string, domains: readonly string[] | undefined, base: string): boolean {
  const scheme = schemeOf(url);
  if (scheme === 'data') return /^data:image\/[a-z0-9.+-]+[;,]/i.test(url);
  if (scheme === undefined ? DISGUISED_SCHEME.test(url) : !IMAGE_SCHEMES.has(scheme)) return false;
  let parsed: URL;
  try {
    parsed = new URL(url, base);
  } catch {
    return false;
  }
  if (parsed.username !== '' || parsed.password !== '') return false;
  return domains === undefined || parsed.origin === new URL(base).origin || domains.includes(parsed.hostname);
}

/** An address of something in this page's own memory; `blob:` addresses of other origins are nobody's business here. */
export function isOwnBlob(url: string): boolean {
  return url.startsWith(`blob:${location.origin}/`);
}

/** Name and data of a `chatkit-link://name/path?key=value` address; `undefined` for any other address. */
export function parseDeeplink(
  href: string,
): {readonly name: string; readonly data: Record<string, string>} | undefined {
  if (schemeOf(href) !== 'chatkit-link') return undefined;
  const [path = '', query = ''] = href.replace(/^\s*chatkit-link:(\/\/)?/i, '').split('?', 2);
  let name = path.replace(/\/+$/, '');
  try {
    name = decodeURIComponent(name);
  } catch {
    // A stray percent sign: the raw name is the better answer than none.
  }
  return {name, data: Object.fromEntries(new URLSearchParams(query))};
}
