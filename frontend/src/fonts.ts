/** Web fonts of the theme, which browsers know per document only: a rule in a shadow root is not honoured. */
import {isObject} from './parsing.js';

const MAX_FONTS = 50;
const registered = new Set<string>();

/**
 * Makes the fonts of `typography.fontSources` known to the document, each once; what is no font source is passed over.
 * A font is fetched when text needs it. None is taken away again: another chat on the page may use it.
 *
 * @param onFailure Gets the family of a font that cannot be read, possibly much later.
 */
export function registerFonts(sources: unknown, onFailure: (family: string) => void): void {
  if (!Array.isArray(sources) || typeof FontFace === 'undefined') return;
  for (const source of sources) {
    if (!isObject(source) || typeof source.family !== 'string' || typeof source.src !== 'string') continue;
    const {family, src} = source;
    const descriptors: FontFaceDescriptors = {
      ...text('weight', source.weight),
      ...text('style', source.style),
      ...text('unicodeRange', source.unicodeRange),
      display: typeof source.display === 'string' ? (source.display as FontDisplay) : 'swap',
    };
    const key = JSON.stringify([family, src, descriptors]);
    if (registered.has(key) || registered.size >= MAX_FONTS) continue;
    registered.add(key);
    try {
      const face = new FontFace(family, toSource(src), descriptors);
      face.loaded.catch(() => onFailure(family));
      document.fonts.add(face);
    } catch {
      onFailure(family);
    }
  }
}

/** Pages give an address, or what CSS would take. */
function toSource(src: string): string {
  return /^\s*(?:url|local)\(/i.test(src) ? src : `url(${JSON.stringify(src)})`;
}

function text(name: string, value: unknown): Readonly<Record<string, string>> {
  return typeof value === 'string' || typeof value === 'number' ? {[name]: String(value)} : {};
}
