/** Requests beside the conversation: uploads, transcription of speech, clicks on entities and their previews. */
import {isObject} from '../protocol/parsing.js';
import type {JSONObject} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import {toError} from '../to-error.js';
import {unreachable} from '../unreachable.js';
import type {ComposerSettings, EntityRef} from './composer-options.js';
import {type FileDetails, parseFileDetails} from './file-details.js';
import {UploadStorage} from './upload-storage.js';
import {Uploads} from './uploads.js';

/** How many previews are cached; the oldest are dropped. */
const MAX_PREVIEWS = 100;
const PREVIEW_ROOTS: ReadonlySet<unknown> = new Set(['Basic', 'Card', 'ListView']);

/** An intent of the composer, or of a tag in the transcript, that starts no answer. */
export type SideRequest =
  | {readonly type: 'add-files'; readonly files: readonly File[]}
  | {readonly type: 'retry-upload' | 'remove-upload'; readonly key: string}
  /** Passes the server's details of a sent file, with fresh URLs, or `undefined` to `done`; never rejects. */
  | {
      readonly type: 'file-details';
      readonly id: string;
      readonly done: (details: Promise<FileDetails | undefined>) => void;
    }
  /** `done` gets the transcribed text. */
  | {readonly type: 'transcribe'; readonly audio: Blob; readonly done: (text: Promise<string>) => void}
  | {readonly type: 'entity-click'; readonly entity: EntityRef}
  /** `done` gets the widget to show, or `undefined` for none; the promise never rejects. */
  | {
      readonly type: 'entity-preview';
      readonly entity: EntityRef;
      readonly done: (widget: Promise<JSONObject | undefined>) => void;
    }
  | {readonly type: 'log'; readonly name: string; readonly data?: Readonly<Record<string, string>>}
  /** An error in a view; without `isShown` it is reported to the page only. */
  | {readonly type: 'report'; readonly error: Error; readonly isShown: boolean};

export interface SideRequestsHost {
  readonly client: ChatKitClient;
  /** Called after every change of `uploads.list`. */
  readonly changed: () => void;
  /** Reports an error to the page, and with `isShown` to the user as well. */
  readonly report: (error: Error, isShown: boolean) => void;
  readonly log: (name: string, data?: Readonly<Record<string, string>>) => void;
}

export class SideRequests {
  readonly uploads: Uploads;
  readonly #host: SideRequestsHost;
  readonly #uploadStorage: UploadStorage;
  #settings: ComposerSettings | undefined;
  #previews = new Map<string, Promise<JSONObject | undefined>>();
  #lacksStrategy = false;

  constructor(host: SideRequestsHost) {
    this.#host = host;
    this.#uploadStorage = new UploadStorage(host.client);
    this.uploads = new Uploads({
      client: host.client,
      changed: () => {
        this.#uploadStorage.save(this.uploads.ready.map(({id}) => id));
        host.changed();
      },
      failed: error => host.report(error, true),
    });
  }

  configure(settings: ComposerSettings): void {
    this.#settings = settings;
    this.uploads.configure(settings.attachments, settings.uploadStrategy);
    if (settings.lacksStrategy && !this.#lacksStrategy) {
      this.#host.log('composer.attachments_off', {reason: 'api.uploadStrategy is missing'});
    }
    this.#lacksStrategy = settings.lacksStrategy;
  }

  /** @param url The server's address; `undefined` if the files of the draft need not survive a reload. */
  storeUploads(url: string | undefined): void {
    if (this.#uploadStorage.configure(url))
      void this.#uploadStorage.load().then(stored => this.uploads.restore(stored));
  }

  handle(request: SideRequest): void {
    switch (request.type) {
      case 'add-files':
        this.uploads.add(request.files);
        break;
      case 'retry-upload':
        this.uploads.retry(request.key);
        break;
      case 'remove-upload':
        this.uploads.remove(request.key);
        break;
      case 'file-details':
        request.done(this.#fetchDetails(request.id));
        break;
      case 'transcribe':
        request.done(this.#transcribe(request.audio));
        break;
      case 'entity-click':
        this.#callClickHandler(request.entity);
        break;
      case 'entity-preview':
        request.done(this.#requestPreview(request.entity));
        break;
      case 'log':
        this.#host.log(request.name, request.data);
        break;
      case 'report':
        this.#host.report(request.error, request.isShown);
        break;
      default:
        unreachable(request);
    }
  }

  close(): void {
    this.uploads.close();
    this.#previews.clear();
  }

  /** Fetches the details of a file; `undefined` if it is gone, or the server has none. */
  #fetchDetails(id: string): Promise<FileDetails | undefined> {
    return this.#host.client
      .describeFile(id)
      .then(parseFileDetails)
      .catch(() => undefined);
  }

  async #transcribe(audio: Blob): Promise<string> {
    const params = {audio_base64: toBase64(new Uint8Array(await audio.arrayBuffer())), mime_type: audio.type};
    const answer = await this.#host.client.send({type: 'input.transcribe', params});
    return isObject(answer) && typeof answer.text === 'string' ? answer.text.trim() : '';
  }

  #callClickHandler(entity: EntityRef): void {
    Promise.resolve()
      .then(() => this.#settings?.entities.onClick?.(entity))
      .catch((error: unknown) => this.#host.report(toError(error), false));
  }

  #requestPreview(entity: EntityRef): Promise<JSONObject | undefined> {
    const callback = this.#settings?.entities.onRequestPreview;
    if (!callback) return Promise.resolve(undefined);
    const key = JSON.stringify([entity.id, entity.data]);
    const cached = this.#previews.get(key);
    if (cached) return cached;
    const preview = Promise.resolve()
      .then(() => callback(entity))
      .then(parsePreview)
      .catch((error: unknown) => {
        // A failure is not cached: the next hover requests the preview again.
        this.#previews.delete(key);
        this.#host.report(toError(error), false);
        return undefined;
      });
    this.#previews.set(key, preview);
    const [oldest] = this.#previews.keys();
    if (this.#previews.size > MAX_PREVIEWS && oldest !== undefined) this.#previews.delete(oldest);
    return preview;
  }
}

function parsePreview(answer: unknown): JSONObject | undefined {
  const preview = isObject(answer) ? answer.preview : undefined;
  return isObject(preview) && PREVIEW_ROOTS.has(preview.type) ? preview : undefined;
}

function toBase64(bytes: Uint8Array): string {
  // In chunks, because the number of arguments of a call is limited.
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) chunks.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return btoa(chunks.join(''));
}
