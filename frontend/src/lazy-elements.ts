/** Lazy custom elements: fetched and registered when they are first rendered. */
import {type Clock, fetchPart, LazyPart} from './lazy-parts.js';

interface ElementPart {
  readonly element: CustomElementConstructor;
}

/** The state of a lazy element; hosts are updated when `loading` becomes `ready` or `missing`. */
export type LoadState = 'ready' | 'loading' | 'missing';

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

  /** Fetches and defines an element; false if it could not be fetched. Never rejects. */
  async load(tag: Tag): Promise<boolean> {
    const loaded = await this.#parts.get(tag)?.load();
    if (loaded && !customElements.get(tag)) customElements.define(tag, loaded.element);
    return loaded !== undefined;
  }

  /** Returns whether `host` can render the element; starts to fetch it if necessary, and updates `host` afterwards. */
  demand(tag: Tag, host: Host): LoadState {
    if (customElements.get(tag)) return 'ready';
    if (this.#missing.has(tag)) return 'missing';
    const hosts = this.#waiting.get(tag);
    if (hosts) hosts.add(host);
    else void this.#loadFor(tag, host);
    return 'loading';
  }

  /** Makes the next `demand` fetch a missing element again. */
  retry(tag: Tag, host: Host): void {
    this.#missing.delete(tag);
    host.requestUpdate();
  }

  async #loadFor(tag: Tag, first: Host): Promise<void> {
    const hosts = new Set([first]);
    this.#waiting.set(tag, hosts);
    if (!(await this.load(tag))) this.#missing.add(tag);
    this.#waiting.delete(tag);
    for (const host of hosts) host.requestUpdate();
  }
}

const buildFetch = (name: string) => (attempt: number) => fetchPart<ElementPart>(name, attempt);

export const lazyElements = new LazyElements({
  'parlor-attached-files': buildFetch('attached-files'),
  'parlor-dictation': buildFetch('dictation'),
  'parlor-drop-zone': buildFetch('drop-zone'),
  'parlor-generated-image': buildFetch('generated-image'),
  'parlor-history': buildFetch('history'),
  'parlor-lightbox': buildFetch('lightbox'),
  'parlor-sources': buildFetch('sources'),
  'parlor-structured-input': buildFetch('structured-input'),
  'parlor-uploads': buildFetch('upload-list'),
  'parlor-workflow': buildFetch('workflow'),
});

export type LazyTag = Parameters<typeof lazyElements.demand>[0];
