/** Lazy custom elements: a class is fetched when its element is to be shown, and registered then. */
import {type Clock, fetchPart, LazyPart} from './lazy-parts.js';

interface ElementPart {
  readonly element: CustomElementConstructor;
}

/** `coming` becomes `there` or `missing`, and whoever has asked is drawn again. */
export type Presence = 'there' | 'coming' | 'missing';

interface Host {
  requestUpdate(): void;
}

export class LazyElements<Tag extends string> {
  readonly #parts: ReadonlyMap<Tag, LazyPart<ElementPart>>;
  readonly #waiting = new Map<Tag, Set<Host>>();
  readonly #missing = new Set<Tag>();

  constructor(fetches: Readonly<Record<Tag, (attempt: number) => Promise<ElementPart>>>, clock?: Clock) {
    const entries = Object.entries(fetches) as [Tag, (attempt: number) => Promise<ElementPart>][];
    this.#parts = new Map(entries.map(([tag, fetch]) => [tag, new LazyPart(fetch, clock)]));
  }

  /** Whether the element could be fetched and defined. Never rejects. */
  async load(tag: Tag): Promise<boolean> {
    const loaded = await this.#parts.get(tag)?.load();
    if (loaded && !customElements.get(tag)) customElements.define(tag, loaded.element);
    return loaded !== undefined;
  }

  /** Asked while `host` draws: whether it may draw the element, which is fetched if nobody has asked before. */
  demand(tag: Tag, host: Host): Presence {
    if (customElements.get(tag)) return 'there';
    if (this.#missing.has(tag)) return 'missing';
    const hosts = this.#waiting.get(tag);
    if (hosts) hosts.add(host);
    else void this.#settle(tag, host);
    return 'coming';
  }

  /** After a failure: the next demand fetches again. */
  retry(tag: Tag, host: Host): void {
    this.#missing.delete(tag);
    host.requestUpdate();
  }

  async #settle(tag: Tag, first: Host): Promise<void> {
    const hosts = new Set([first]);
    this.#waiting.set(tag, hosts);
    if (!(await this.load(tag))) this.#missing.add(tag);
    this.#waiting.delete(tag);
    for (const host of hosts) host.requestUpdate();
  }
}

const fetching = (name: string) => (attempt: number) => fetchPart<ElementPart>(name, attempt);

export const lazyElements = new LazyElements({
  'parlor-attached-files': fetching('attached-files'),
  'parlor-dictation': fetching('dictation'),
  'parlor-drop-zone': fetching('drop-zone'),
  'parlor-generated-image': fetching('generated-image'),
  'parlor-history': fetching('history'),
  'parlor-lightbox': fetching('lightbox'),
  'parlor-sources': fetching('sources'),
  'parlor-structured-input': fetching('structured-input'),
  'parlor-uploads': fetching('upload-list'),
  'parlor-workflow': fetching('workflow'),
});

export type LazyTag = Parameters<typeof lazyElements.demand>[0];
