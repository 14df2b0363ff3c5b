/** Keeps the ids of uploaded files in `sessionStorage`, where the page wants drafts to outlive a reload. No DOM. */
import {isObject, parseAttachment} from '../protocol/parsing.js';
import type {Attachment} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';

const KEY = 'parlor.uploads ';
/** No message has more; what a page wrote there itself is not asked for without end. */
const MAX_KEPT = 50;

/** A file that is on the server and in no message yet. */
export interface KeptUpload {
  readonly attachment: Attachment;
  readonly size: number | undefined;
}

export class KeptUploads {
  readonly #client: ChatKitClient;
  #url: string | undefined;

  constructor(client: ChatKitClient) {
    this.#client = client;
  }

  /**
   * @param url The server's address; `undefined` when nothing is to be kept.
   * @returns Whether the address is another server's, of which `load` may know files.
   */
  configure(url: string | undefined): boolean {
    const isNew = url !== undefined && url !== this.#url;
    this.#url = url;
    return isNew;
  }

  save(ids: readonly string[]): void {
    if (this.#url === undefined) return;
    try {
      if (ids.length === 0) sessionStorage.removeItem(KEY + this.#url);
      else sessionStorage.setItem(KEY + this.#url, JSON.stringify(ids));
    } catch {
      // Where nothing can be stored, a reload forgets the files, which the server sweeps.
    }
  }

  /** Returns the files that the server still has and no message has brought meanwhile. Never rejects. */
  async load(): Promise<readonly KeptUpload[]> {
    const found = await Promise.all(this.#readIds().map(id => this.#client.describeFile(id).catch(() => undefined)));
    return found.flatMap(parseUnsent);
  }

  #readIds(): readonly string[] {
    try {
      const kept: unknown = JSON.parse(sessionStorage.getItem(KEY + this.#url) ?? '[]');
      return Array.isArray(kept) ? kept.filter(id => typeof id === 'string').slice(0, MAX_KEPT) : [];
    } catch {
      return [];
    }
  }
}

function parseUnsent(value: unknown): readonly KeptUpload[] {
  if (!isObject(value) || value.state !== 'uploaded') return [];
  const attachment = parseAttachment({...value, type: typeof value.preview_url === 'string' ? 'image' : 'file'});
  return attachment ? [{attachment, size: typeof value.size === 'number' ? value.size : undefined}] : [];
}
