/** Requests beside the conversation: uploads, transcription of speech, clicks on entities and their previews. */
import {isObject} from '../protocol/parsing.js';
import type {JSONObject} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import {toError} from '../to-error.js';
import {unreachable} from '../unreachable.js';
import type {ComposerSettings, EntityRef} from './composer-options.js';
import {type FileDetails, parseFileDetails} from './file-details.js';
import {KeptUploads} from './kept-uploads.js';
import {Uploads} from './uploads.js';

/** The oldest preview makes room for a new one. */
const MAX_PREVIEWS = 100;
const PREVIEW_ROOTS: ReadonlySet<unknown> = new Set(['Basic', 'Card', 'ListView']);

/** A wish of the composer, or of a tag in the transcript, that starts no answer. */
export type SideRequest =
  | {readonly type: 'add-files'; readonly files: readonly File[]}
  | {readonly type: 'retry-upload' | 'remove-upload'; readonly key: string}
  /** `done` gets what the server says of a sent file, with fresh addresses, or `undefined`; it never rejects. */
  | {
      readonly type: 'file-details';
      readonly id: string;
      readonly done: (details: Promise<FileDetails | undefined>) => void;
    }
  /** `done` gets what was said, in words. */
  | {readonly type: 'transcribe'; readonly audio: Blob; readonly done: (text: Promise<string>) => void}
  | {readonly type: 'entity-click'; readonly entity: EntityRef}
  /** `done` gets the widget to show, or `undefined` for none; it never rejects. */
  | {
      readonly type: 'entity-preview';
      readonly entity: EntityRef;
      readonly done: (widget: Promise<JSONObject | undefined>) => void;
    }
  | {readonly type: 'log'; readonly name: string; readonly data?: Readonly<Record<string, string>>}
  /** Something went wrong in a view; `isShown` false only tells the page. */
  | {readonly type: 'report'; readonly error: Error; readonly isShown: boolean};

export interface SideRequestsHost {
  readonly client: ChatKitClient;
  /** Called after every change of `uploads.list`. */
  readonly changed: () => void;
  /** Tells the page, and with `isShown` the person as well. */
  readonly report: (error: Error, isShown: boolean) => void;
  readonly log: (name: string, data?: Readonly<Record<string, string>>) => void;
}

export class SideRequests {
  readonly uploads: Uploads;
  readonly #host: SideRequestsHost;
  readonly #kept: KeptUploads;
  #settings: ComposerSettings | undefined;
  #previews = new Map<string, Promise<JSONObject | undefined>>();
  #lackedStrategy = false;

  constructor(host: SideRequestsHost) {
    this.#host = host;
    this.#kept = new KeptUploads(host.client);
    this.uploads = new Uploads({
      client: host.client,
      changed: () => {
        this.#kept.save(this.uploads.ready.map(({id}) => id));
        host.changed();
      },
      failed: error => host.report(error, true),
    });
  }

  configure(settings: ComposerSettings): void {
    this.#settings = settings;
    this.uploads.configure(settings.attachments, settings.uploadStrategy);
    if (settings.lacksStrategy && !this.#lackedStrategy) {
      this.#host.log('composer.attachments_off', {reason: 'api.uploadStrategy is missing'});
    }
    this.#lackedStrategy = settings.lacksStrategy;
  }

  /** @param url The server's address; `undefined` when a reload may forget the files of the draft. */
  keepUploads(url: string | undefined): void {
    if (this.#kept.configure(url)) void this.#kept.load().then(kept => this.uploads.restore(kept));
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
        request.done(this.#describe(request.id));
        break;
      case 'transcribe':
        request.done(this.#transcribe(request.audio));
        break;
      case 'entity-click':
        this.#click(request.entity);
        break;
      case 'entity-preview':
        request.done(this.#preview(request.entity));
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

  /** A file that is gone, or of a server that describes none, is shown by its name alone. */
  #describe(id: string): Promise<FileDetails | undefined> {
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

  #click(entity: EntityRef): void {
    Promise.resolve()
      .then(() => this.#settings?.entities.onClick?.(entity))
      .catch((error: unknown) => this.#host.report(toError(error), false));
  }

  #preview(entity: EntityRef): Promise<JSONObject | undefined> {
    const ask = this.#settings?.entities.onRequestPreview;
    if (!ask) return Promise.resolve(undefined);
    const key = JSON.stringify([entity.id, entity.data]);
    const known = this.#previews.get(key);
    if (known) return known;
    const asked = Promise.resolve()
      .then(() => ask(entity))
      .then(toPreview)
      .catch((error: unknown) => {
        // A failure is not remembered: the next hover may ask again.
        this.#previews.delete(key);
        this.#host.report(toError(error), false);
        return undefined;
      });
    this.#previews.set(key, asked);
    const [oldest] = this.#previews.keys();
    if (this.#previews.size > MAX_PREVIEWS && oldest !== undefined) this.#previews.delete(oldest);
    return asked;
  }
}

function toPreview(answer: unknown): JSONObject | undefined {
  const preview = isObject(answer) ? answer.preview : undefined;
  return isObject(preview) && PREVIEW_ROOTS.has(preview.type) ? preview : undefined;
}

function toBase64(bytes: Uint8Array): string {
  // In pieces, since arguments of a call are limited.
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return btoa(pieces.join(''));
}
