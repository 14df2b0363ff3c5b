/**
 * Shims for five dependencies of the Markdown parser, built on what browsers offer: Unicode classes, character
 * references and URLs. The build replaces the packages by this module, which keeps 35 kB of tables out of the core.
 */
import DOMPurify from 'dompurify';

/** Punctuation and symbols. */
export const P = /\p{P}/u;
export const S = /\p{S}/u;

/** Decodes a character reference like `&amp;`, `&#8594;` or `&#x2192;`; returns anything else unchanged. */
export function decodeHTMLStrict(reference: string): string {
  // Only names and numbers reach the browser's parser, so that the input cannot be markup.
  if (!/^&(?:[a-z][a-z0-9]{1,31}|#\d{1,7}|#x[0-9a-f]{1,6});$/i.test(reference)) return reference;
  const decoded = DOMPurify.sanitize(reference, {RETURN_DOM_FRAGMENT: true}).textContent ?? '';
  // The parser may decode a prefix of an unknown name: `&notit;` as `¬it;`.
  const isWhole = decoded !== '' && (reference === '&semi;' || !decoded.endsWith(';'));
  return isWhole ? decoded : reference;
}

interface ParsedUrl {
  readonly pathname: string;
}
/** Does not split the URL: browsers encode host names themselves, and look-alikes are shown as sent. */
export function parse(url: string): ParsedUrl {
  return {pathname: url};
}

export function format({pathname}: ParsedUrl): string {
  return pathname;
}

/** Encodes characters that are not allowed in a URL, and keeps what is already encoded. */
export function encode(url: string): string {
  // A lone surrogate cannot be encoded.
  return url.replace(/%(?![0-9a-f]{2})|\p{Cs}|[^\w;/?:@&=+$,\-.!~*'()#%[\]]/giu, char =>
    /\p{Cs}/u.test(char) ? '%EF%BF%BD' : encodeURIComponent(char),
  );
}

/** Does not decode a URL for the text of a link: a decoded one could look like another. */
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

/** Finds URLs and mail addresses in plain text; the scheme may be missing. Source: GFM, 6.9. */
export class LinkifyIt {
  set(): this {
    return this;
  }

  test(text: string): boolean {
    return text.search(LINK) >= 0;
  }

  match(text: string): Link[] {
    return [...text.matchAll(LINK)].map(match => toLink(match[0], match.index));
  }

  matchAtStart(text: string): Link | null {
    const match = WEB_AT_START.exec(text);
    return match && toLink(match[0], 0);
  }
}

function toLink(matched: string, index: number): Link {
  const raw = trimPunctuation(matched);
  const scheme = /^https?:/i.exec(raw)?.[0] ?? (/^www\./i.test(raw) ? '' : 'mailto:');
  const url = scheme === '' ? `http://${raw}` : scheme === 'mailto:' ? `mailto:${raw}` : raw;
  return {schema: scheme, index, lastIndex: index + raw.length, raw, text: raw, url};
}

/** Removes punctuation of the sentence from the end of a URL, and closing brackets that it does not open. */
function trimPunctuation(url: string): string {
  for (let end = url.length; ; end -= 1) {
    const last = url[end - 1] ?? '';
    const trimmed = url.slice(0, end);
    if (/[?!.,:;*_~'"’”»]/u.test(last)) continue;
    if (last === ')' && trimmed.split(')').length > trimmed.split('(').length) continue;
    if (last === ']' && trimmed.split(']').length > trimmed.split('[').length) continue;
    return trimmed;
  }
}
