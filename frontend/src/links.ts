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

/** Relative, http(s) or inline image data; from `domains` and the page's own origin only, unless that is `undefined`. */
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
  return domains.some(domain => isOfDomain(parsed, domain));
}

/** `img.example`, `*.img.example`, `img.example:8443`, `https://img.example` or `*`: what is not said may be anything. */
const DOMAIN = /^(?:(https?):\/\/)?(\*\.)?(\*|[^\s/:@?#*[\]\\]+)(?::(\d{1,5}))?\/?$/i;
const PORTS: Readonly<Record<string, string>> = {'http:': '80', 'https:': '443'};

function isOfDomain(url: URL, domain: string): boolean {
  const [, scheme, isBelow, name = '', port] = DOMAIN.exec(domain) ?? [];
  if (scheme !== undefined && url.protocol !== `${scheme.toLowerCase()}:`) return false;
  // An origin without a port has that of its scheme.
  const expected = port ?? (scheme === undefined ? undefined : PORTS[url.protocol]);
  if (expected !== undefined && expected !== (url.port || PORTS[url.protocol])) return false;
  if (name === '*') return isBelow === undefined;
  const host = hostOf(name);
  if (host === undefined) return false;
  return isBelow === undefined ? url.hostname === host : url.hostname.endsWith(`.${host}`);
}

/** A name as browsers write it: in small letters, and in ASCII. */
function hostOf(name: string): string | undefined {
  try {
    return new URL(`http://${name}`).hostname;
  } catch {
    return undefined;
  }
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

/** The id of a file of ours that an address leads to, which ends after some minutes; `undefined` for any other address. */
export function fileOf(href: string): string | undefined {
  return /\/api\/attachments\/(atc_[0-9a-f]{32})\/file(?:[?#]|$)/.exec(href)?.[1];
}

/** Whether an address may be shown as a picture: this document's own, or one that is allowed. */
export function isShowable(url: string | undefined): url is string {
  return url !== undefined && (isOwnBlob(url) || isSafeImage(url, undefined, document.baseURI));
}
