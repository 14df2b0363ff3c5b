/** What the composer needs beside the conversation: uploads, dictation in words, entities that are clicked and previewed. */

import type {ComposerSettings, EntityRef} from './composer-options.js';
import {isObject} from './protocol/parsing.js';
import type {JSONObject} from './protocol/types.js';
import type {ChatKitClient} from './server/client.js';
import {toError} from './to-error.js';
import {unreachable} from './unreachable.js';
import {Uploads} from './uploads.js';
import type {ComposingIntent} from './views/intents.js';

/** The oldest preview makes room for a new one. */
const MAX_PREVIEWS = 100;
const PREVIEW_ROOTS: ReadonlySet<unknown> = new Set(['Basic', 'Card', 'ListView']);

export interface ComposingHost {
  readonly client: ChatKitClient;
  /** Called after every change of `uploads.list`. */
  readonly changed: () => void;
  /** Tells the page, and with `isShown` the person as well. */
  readonly report: (error: Error, isShown: boolean) => void;
  readonly log: (name: string, data?: Readonly<Record<string, string>>) => void;
}

export class Composing {
  readonly uploads: Uploads;
  readonly #host: ComposingHost;
  #settings: ComposerSettings | undefined;
  #previews = new Map<string, Promise<JSONObject | undefined>>();
  #lackedStrategy = false;

  constructor(host: ComposingHost) {
    this.#host = host;
    this.uploads = new Uploads({
      client: host.client,
      changed: host.changed,
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

  handle(intent: ComposingIntent): void {
    switch (intent.type) {
      case 'add-files':
        this.uploads.add(intent.files);
        break;
      case 'retry-upload':
        this.uploads.retry(intent.key);
        break;
      case 'remove-upload':
        this.uploads.remove(intent.key);
        break;
      case 'transcribe':
        intent.done(this.#transcribe(intent.audio));
        break;
      case 'entity-click':
        this.#click(intent.entity);
        break;
      case 'entity-preview':
        intent.done(this.#preview(intent.entity));
        break;
      case 'log':
        this.#host.log(intent.name, intent.data);
        break;
      case 'report':
        this.#host.report(intent.error, intent.isShown);
        break;
      default:
        unreachable(intent);
    }
  }

  close(): void {
    this.uploads.close();
    this.#previews.clear();
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
