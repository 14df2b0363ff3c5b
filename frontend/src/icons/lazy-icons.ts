/** Icons that are not built in: the rarer ones of ChatKit in one part, and all of Lucide in sixteen of about 8 kB. */
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {lucidePartOf, toLucideKey} from './lucide-names.js';

export interface IconPart {
  /** The drawing of each icon as one path on a grid of 24. */
  readonly icons: ReadonlyMap<string, string>;
}

type Fetch = (part: string, attempt: number) => Promise<IconPart>;
type Found = string | undefined;

export class LazyIcons {
  readonly #fetch: Fetch;
  readonly #parts = new Map<string, LazyPart<IconPart>>();

  constructor(fetch: Fetch = fetchPart<IconPart>) {
    this.#fetch = fetch;
  }

  /**
   * The path of an icon; a promise while its part is on the way, which never rejects.
   *
   * `undefined` stands for no icon of that name, and for one that cannot be had now.
   *
   * @param isOfLucide Servers name icons of Lucide without saying so, too: without it, ChatKit's own come first.
   */
  find(name: string, isOfLucide: boolean): Found | Promise<Found> {
    const key = toLucideKey(name);
    if (key === undefined) return undefined;
    const inLucide = (): Found | Promise<Found> => this.#look(lucidePartOf(key), key);
    if (isOfLucide) return inLucide();
    const own = this.#look('icons', name);
    return typeof own === 'object' ? own.then(found => found ?? inLucide()) : (own ?? inLucide());
  }

  #look(partName: string, key: string): Found | Promise<Found> {
    const known = this.#parts.get(partName);
    const part = known ?? new LazyPart<IconPart>(attempt => this.#fetch(partName, attempt));
    if (!known) this.#parts.set(partName, part);
    return part.value ? part.value.icons.get(key) : part.load().then(loaded => loaded?.icons.get(key));
  }
}
