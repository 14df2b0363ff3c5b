/** Stores the ids of uploaded files in `sessionStorage`, if the page wants drafts to survive a reload. No DOM. */
import {isObject, parseAttachment} from '../protocol/parsing.js';
import type {Attachment} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';

const KEY = 'parlor.uploads ';
/** More than a message has: limits the requests for ids that something else has written to the storage. */
const MAX_IDS = 50;

/** A file that was uploaded and is in no message yet. */
export interface StoredUpload {
  readonly attachment: Attachment;
  readonly size: number | undefined;
}

export class UploadStorage {
  readonly #client: ChatKitClient;
  #url: string | undefined;

  constructor(client: ChatKitClient) {
    this.#client = client;
  }

  /**
   * @param url The server's address; `undefined` stores nothing.
   * @returns Whether the address is new, so that `load` may find files.
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
      // Without the storage a reload forgets the files; the server removes them after a while.
    }
  }

  /** Loads the stored files that the server still has and that are in no message. Never rejects. */
  async load(): Promise<readonly StoredUpload[]> {
    const answers = await Promise.all(this.#readIds().map(id => this.#client.describeFile(id).catch(() => undefined)));
    return answers.flatMap(parseUnsent);
  }

  #readIds(): readonly string[] {
    try {
      const ids: unknown = JSON.parse(sessionStorage.getItem(KEY + this.#url) ?? '[]');
      return Array.isArray(ids) ? ids.filter(id => typeof id === 'string').slice(0, MAX_IDS) : [];
    } catch {
      return [];
    }
  }
}

function parseUnsent(value: unknown): readonly StoredUpload[] {
  if (!isObject(value) || value.state !== 'uploaded') return [];
  const attachment = parseAttachment({...value, type: typeof value.preview_url === 'string' ? 'image' : 'file'});
  return attachment ? [{attachment, size: typeof value.size === 'number' ? value.size : undefined}] : [];
}
