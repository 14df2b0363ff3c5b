/**
 * Shims for five packages that the Markdown parser would bring along: Unicode classes, named characters and addresses as
 * the browser knows them. The build puts this module in their place, which keeps 35 kB of tables out of the core.
 */
import DOMPurify from 'dompurify';

/** Punctuation and symbols. */
export const P = /\p{P}/u;
export const S = /\p{S}/u;

/** The character of a reference like `&amp;`, `&#8594;` or `&#x2192;`; anything else comes back as it is. */
export function decodeHTMLStrict(reference: string): string {
  // Nothing but a name or number reaches the browser's parser, so that nothing can be markup.
  if (!/^&(?:[a-z][a-z0-9]{1,31}|#\d{1,7}|#x[0-9a-f]{1,6});$/i.test(reference)) return reference;
  const decoded = DOMPurify.sanitize(reference, {RETURN_DOM_FRAGMENT: true}).textContent ?? '';
  // Of an unknown name it may read a prefix: `&notit;` as `¬it;`.
  const isWhole = decoded !== '' && (reference === '&semi;' || !decoded.endsWith(';'));
  return isWhole ? decoded : reference;
}

interface ParsedUrl {
  readonly pathname: string;
}
/** Addresses stay in one piece: a browser encodes hosts by itself, and look-alikes are shown as they are sent. */
export function parse(url: string): ParsedUrl {
  return {pathname: url};
}

export function format({pathname}: ParsedUrl): string {
  return pathname;
}

/** Encodes what an address cannot hold, and leaves what is encoded already. */
export function encode(url: string): string {
  // With its other half missing, a surrogate cannot be encoded.
  return url.replace(/%(?![0-9a-f]{2})|\p{Cs}|[^\w;/?:@&=+$,\-.!~*'()#%[\]]/giu, char =>
    /\p{Cs}/u.test(char) ? '%EF%BF%BD' : encodeURIComponent(char),
  );
}

/** Keeps an address as it was written, as the text of a link: decoded, it could show what it is not. */
export function decode(url: string): string {
  return url;
}
decode.defaultChars = '';

// biome-ignore lint/style/noDefaultExport: the parser imports its host names as a default
export default {toASCII: (host: string): string => host, toUnicode: (host: string): string => host};

interface Link {
  readonly schema: string;
  readonly index: number;
  readonly lastIndex: number;
  readonly raw: string;
  readonly text: string;
  readonly url: string;
}

const REST = String.raw`[^\s<>"\x60\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]`;
const WEB = String.raw`https?:\/\/[\p{L}\p{N}[]${REST}*`;
const LINK = new RegExp(
  String.raw`(?<![\p{L}\p{N}_/.@-])(?:${WEB}|www\.[\p{L}\p{N}-]+\.${REST}+|[\w.+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+(?![\w-]))`,
  'giu',
);
const WEB_AT_START = new RegExp(`^${WEB}`, 'iu');

/** Finds addresses in plain text: of the web, with or without its scheme, and of mail. Source: GFM, 6.9. */
export class LinkifyIt {
  set(): this {
    return this;
  }

  test(text: string): boolean {
    return text.search(LINK) >= 0;
  }

  match(text: string): Link[] {
    return [...text.matchAll(LINK)].map(found => toLink(found[0], found.index));
  }

  matchAtStart(text: string): Link | null {
    const found = WEB_AT_START.exec(text);
    return found && toLink(found[0], 0);
  }
}

function toLink(found: string, index: number): Link {
  const raw = withoutEnd(found);
  const scheme = /^https?:/i.exec(raw)?.[0] ?? (/^www\./i.test(raw) ? '' : 'mailto:');
  const url = scheme === '' ? `http://${raw}` : scheme === 'mailto:' ? `mailto:${raw}` : raw;
  return {schema: scheme, index, lastIndex: index + raw.length, raw, text: raw, url};
}

/** Returns an address without the punctuation of its sentence, and a bracket that it does not open. */
function withoutEnd(url: string): string {
  for (let end = url.length; ; end -= 1) {
    const last = url[end - 1] ?? '';
    const kept = url.slice(0, end);
    if (/[?!.,:;*_~'"’”»]/u.test(last)) continue;
    if (last === ')' && kept.split(')').length > kept.split('(').length) continue;
    if (last === ']' && kept.split(']').length > kept.split('[').length) continue;
    return kept;
  }
}
