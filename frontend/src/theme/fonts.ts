/** Web fonts of the theme, registered with the document: browsers ignore a font that a shadow root declares. */
import {isObject} from '../protocol/parsing.js';

/** Fonts of one chat; further ones are passed over. */
const MAX_FONTS = 50;

interface Known {
  readonly face: FontFace;
  readonly users: Set<FontUser>;
}
const known = new Map<string, Known>();

/** One chat, as far as fonts go: a font stays in the document as long as one of them wants it. */
export class FontUser {
  readonly #onFailure: (family: string) => void;

  /** @param onFailure Gets the family of a font that cannot be read, possibly much later. */
  constructor(onFailure: (family: string) => void) {
    this.#onFailure = onFailure;
  }

  /**
   * Makes the fonts of `typography.fontSources` known to the document, each once, and takes back those of before that
   * are not among them; what is no font source is passed over. A font is fetched when text needs it.
   */
  use(sources: unknown): void {
    if (typeof FontFace === 'undefined') return;
    const fonts = (Array.isArray(sources) ? sources : []).slice(0, MAX_FONTS).flatMap(readFont);
    const keys = new Set(fonts.map(({key}) => key));
    for (const font of fonts) this.#add(font);
    for (const [key, {face, users}] of known) {
      if (keys.has(key) || !users.delete(this) || users.size > 0) continue;
      document.fonts.delete(face);
      known.delete(key);
    }
  }

  #add({key, family, source, descriptors}: Font): void {
    const same = known.get(key);
    if (same?.users.has(this)) return;
    if (same) {
      same.users.add(this);
      return;
    }
    try {
      const face = new FontFace(family, source, descriptors);
      face.loaded.catch(() => this.#onFailure(family));
      document.fonts.add(face);
      known.set(key, {face, users: new Set([this])});
    } catch {
      this.#onFailure(family);
    }
  }
}

interface Font {
  readonly key: string;
  readonly family: string;
  readonly source: string;
  readonly descriptors: FontFaceDescriptors;
}

function readFont(value: unknown): readonly Font[] {
  if (!isObject(value) || typeof value.family !== 'string' || typeof value.src !== 'string') return [];
  const {family, src} = value;
  // Pages give an address, or what CSS would take.
  const source = /^\s*(?:url|local)\(/i.test(src) ? src : `url(${JSON.stringify(src)})`;
  const descriptors: FontFaceDescriptors = {
    ...text('weight', value.weight),
    ...text('style', value.style),
    ...text('unicodeRange', value.unicodeRange),
    display: typeof value.display === 'string' ? (value.display as FontDisplay) : 'swap',
  };
  return [{key: JSON.stringify([family, source, descriptors]), family, source, descriptors}];
}

function text(name: string, value: unknown): Readonly<Record<string, string>> {
  return typeof value === 'string' || typeof value === 'number' ? {[name]: String(value)} : {};
}
