/** Icons that are not built in: the rarer ones of ChatKit in one lazy part, all of Lucide in sixteen of about 8 kB. */
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {lucidePartOf, toLucideKey} from './lucide-names.js';

export interface IconPart {
  /** The SVG path of each icon, on a 24-unit grid. */
  readonly icons: ReadonlyMap<string, string>;
}

type Fetch = (part: string, attempt: number) => Promise<IconPart>;
type IconPath = string | undefined;

export class LazyIcons {
  readonly #fetch: Fetch;
  readonly #parts = new Map<string, LazyPart<IconPart>>();

  constructor(fetch: Fetch = fetchPart<IconPart>) {
    this.#fetch = fetch;
  }

  /**
   * Finds the path of an icon; returns a promise while its part is loading, which never rejects.
   *
   * The path is `undefined` if there is no icon of that name, or its part could not be fetched.
   *
   * @param isLucide Whether the name is Lucide's. Otherwise ChatKit's icons are searched first, then Lucide's.
   */
  find(name: string, isLucide: boolean): IconPath | Promise<IconPath> {
    const key = toLucideKey(name);
    if (key === undefined) return undefined;
    const findInLucide = (): IconPath | Promise<IconPath> => this.#findIn(lucidePartOf(key), key);
    if (isLucide) return findInLucide();
    const own = this.#findIn('icons', name);
    return typeof own === 'object' ? own.then(path => path ?? findInLucide()) : (own ?? findInLucide());
  }

  #findIn(partName: string, key: string): IconPath | Promise<IconPath> {
    const known = this.#parts.get(partName);
    const part = known ?? new LazyPart<IconPart>(attempt => this.#fetch(partName, attempt));
    if (!known) this.#parts.set(partName, part);
    return part.value ? part.value.icons.get(key) : part.load().then(loaded => loaded?.icons.get(key));
  }
}
