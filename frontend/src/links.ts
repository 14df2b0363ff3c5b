/** The allow-list of addresses: the URLs that may become links and images. */

const LINK_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'mailto', 'tel', 'chatkit-link']);
const IMAGE_SCHEMES: ReadonlySet<string> = new Set(['http', 'https']);

// Browsers ignore control characters and white space inside a scheme, so that `java\nscript:` would run.
const DROPPED_BY_BROWSERS = /[\p{Cc}\p{Cf}\p{Z}]/gu;

// An encoded colon or letter in the first segment: something else that decodes the URL would find a scheme.
const DISGUISED_SCHEME = /^(?:[^/?#]*(?::|&colon;|%3a)|[^/?]*&#x?[0-9a-f])/i;

function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url.replace(DROPPED_BY_BROWSERS, ''))?.[1]?.toLowerCase();
}

/** Whether a URL may be a link: http, https, mailto, tel, `chatkit-link`, or relative. */
export function isSafeLink(url: string): boolean {
  const scheme = schemeOf(url);
  if (scheme === undefined) return !DISGUISED_SCHEME.test(url.replace(DROPPED_BY_BROWSERS, ''));
  return LINK_SCHEMES.has(scheme);
}

/**
 * Whether a URL may be loaded as an image: relative, http(s) or inline image data.
 *
 * @param domains Domains besides the page's own origin; `undefined` allows all.
 */
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
  if (domains === undefined || parsed.origin === new URL(base).origin) return true;
  return domains.some(domain => matchesDomain(parsed, domain));
}

/** Syntax of a domain: `img.example`, `*.img.example`, `img.example:8443`, `https://img.example` or `*`. */
const DOMAIN = /^(?:(https?):\/\/)?(\*\.)?(\*|[^\s/:@?#*[\]\\]+)(?::(\d{1,5}))?\/?$/i;
const PORTS: Readonly<Record<string, string>> = {'http:': '80', 'https:': '443'};

function matchesDomain(url: URL, domain: string): boolean {
  const [, scheme, isSubdomain, name = '', port] = DOMAIN.exec(domain) ?? [];
  if (scheme !== undefined && url.protocol !== `${scheme.toLowerCase()}:`) return false;
  // An origin without a port has the default port of its scheme.
  const expected = port ?? (scheme === undefined ? undefined : PORTS[url.protocol]);
  if (expected !== undefined && expected !== (url.port || PORTS[url.protocol])) return false;
  if (name === '*') return isSubdomain === undefined;
  const host = normalizeHost(name);
  if (host === undefined) return false;
  return isSubdomain === undefined ? url.hostname === host : url.hostname.endsWith(`.${host}`);
}

/** Returns a host name as browsers write it: in lower case and ASCII. */
function normalizeHost(name: string): string | undefined {
  try {
    return new URL(`http://${name}`).hostname;
  } catch {
    return undefined;
  }
}

/** Whether a URL refers to a blob of the page's own origin. */
export function isOwnBlob(url: string): boolean {
  return url.startsWith(`blob:${location.origin}/`);
}

/** Parses name and data of a `chatkit-link://name/path?key=value` URL; `undefined` for any other URL. */
export function parseDeeplink(
  href: string,
): {readonly name: string; readonly data: Record<string, string>} | undefined {
  if (schemeOf(href) !== 'chatkit-link') return undefined;
  const [path = '', query = ''] = href.replace(/^\s*chatkit-link:(\/\/)?/i, '').split('?', 2);
  let name = path.replace(/\/+$/, '');
  try {
    name = decodeURIComponent(name);
  } catch {
    // The name has an invalid escape sequence: use it undecoded.
  }
  return {name, data: Object.fromEntries(new URLSearchParams(query))};
}

/** Returns the id of the attachment that a temporary download URL refers to; `undefined` for any other URL. */
export function attachmentIdOf(href: string): string | undefined {
  return /\/api\/attachments\/(atc_[0-9a-f]{32})\/file(?:[?#]|$)/.exec(href)?.[1];
}

/** Whether a URL may be shown as a preview image: a blob of this page, or any safe image. */
export function isShowable(url: string | undefined): url is string {
  return url !== undefined && (isOwnBlob(url) || isSafeImage(url, undefined, document.baseURI));
}
