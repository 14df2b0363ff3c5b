/** Web fonts of the theme, registered with the document: browsers ignore fonts that are declared in a shadow root. */
import {isObject} from '../protocol/parsing.js';

/** How many fonts a chat may register; further ones are ignored. */
const MAX_FONTS = 50;

interface RegisteredFont {
  readonly face: FontFace;
  readonly users: Set<FontUser>;
}
const registered = new Map<string, RegisteredFont>();

/** The fonts of one chat. A font is registered as long as any chat of the page uses it. */
export class FontUser {
  readonly #onFailure: (family: string) => void;

  /** @param onFailure Called with the family of a font that cannot be loaded, possibly much later. */
  constructor(onFailure: (family: string) => void) {
    this.#onFailure = onFailure;
  }

  /**
   * Registers the fonts of `typography.fontSources`, and removes this chat's other fonts. Invalid entries are ignored.
   * Browsers fetch a font when text needs it.
   */
  use(sources: unknown): void {
    if (typeof FontFace === 'undefined') return;
    const fonts = (Array.isArray(sources) ? sources : []).slice(0, MAX_FONTS).flatMap(readFont);
    const keys = new Set(fonts.map(({key}) => key));
    for (const font of fonts) this.#add(font);
    for (const [key, {face, users}] of registered) {
      if (keys.has(key) || !users.delete(this) || users.size > 0) continue;
      document.fonts.delete(face);
      registered.delete(key);
    }
  }

  #add({key, family, source, descriptors}: Font): void {
    const existing = registered.get(key);
    if (existing?.users.has(this)) return;
    if (existing) {
      existing.users.add(this);
      return;
    }
    try {
      const face = new FontFace(family, source, descriptors);
      face.loaded.catch(() => this.#onFailure(family));
      document.fonts.add(face);
      registered.set(key, {face, users: new Set([this])});
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
  // Pages pass a URL, or a value of the CSS property `src`.
  const source = /^\s*(?:url|local)\(/i.test(src) ? src : `url(${JSON.stringify(src)})`;
  const descriptors: FontFaceDescriptors = {
    ...toDescriptor('weight', value.weight),
    ...toDescriptor('style', value.style),
    ...toDescriptor('unicodeRange', value.unicodeRange),
    display: typeof value.display === 'string' ? (value.display as FontDisplay) : 'swap',
  };
  return [{key: JSON.stringify([family, source, descriptors]), family, source, descriptors}];
}

function toDescriptor(name: string, value: unknown): Readonly<Record<string, string>> {
  return typeof value === 'string' || typeof value === 'number' ? {[name]: String(value)} : {};
}
