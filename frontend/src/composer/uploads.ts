/** The uploads of a draft: sends files to the server, tracks their progress, deletes those that are removed. */
import {isObject, parseAttachment} from '../protocol/parsing.js';
import type {Attachment, JSONObject} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import type {RequestError} from '../server/request-error.js';
import {strings} from '../strings.js';
import {mimeTypeOf, sortFiles, type UploadRules} from './upload-rules.js';
import type {StoredUpload} from './upload-storage.js';

/** How files are uploaded: to an address that the server creates for each file, or to one address for all. */
export type UploadStrategy = {readonly type: 'two_phase'} | {readonly type: 'direct'; readonly uploadUrl: string};

export type UploadStatus = 'uploading' | 'done' | 'failed';

export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly mimeType: string;
  /** The size in bytes; `undefined` for a file that the page attached. */
  readonly size: number | undefined;
  readonly status: UploadStatus;
  /** The share of the bytes that was sent, 0 to 1; `undefined` if unknown. */
  readonly progress: number | undefined;
  /** For images: a `blob:` URL, or the server's preview if the browser cannot show the file. */
  readonly previewUrl: string | undefined;
  /** The server’s record of the uploaded file. */
  readonly attachment: Attachment | undefined;
  readonly problem: string | undefined;
}

export interface UploadsHost {
  readonly client: ChatKitClient;
  /** Called after every change of `list`. */
  readonly changed: () => void;
  /** Called with a message for the user. */
  readonly failed: (error: Error) => void;
}

/** The internal state of an upload. */
interface Job {
  readonly file: File | undefined;
  readonly previewUrl: string | undefined;
  abort: AbortController | undefined;
  /** The id of the attachment on the server, which exists even if the bytes never arrived. */
  serverId: string | undefined;
}

interface UploadTarget {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
}

/** Browsers limit the connections per host, and the chat itself needs some. */
const MAX_PARALLEL = 3;

/** Images that browsers can show; for others, the server may create a preview. */
const SHOWN_BY_BROWSERS = /^image\/(?!hei[cf]|tiff)/;

export class Uploads {
  readonly #host: UploadsHost;
  #list: readonly Upload[] = [];
  #jobs = new Map<string, Job>();
  /** Uploads of the message that was sent last, until the server has accepted it. */
  #sent: readonly Upload[] = [];
  #rules: UploadRules | undefined;
  #strategy: UploadStrategy | undefined;
  #count = 0;
  /** Why some of the files that were chosen last were rejected. */
  #rejections: readonly string[] = [];

  constructor(host: UploadsHost) {
    this.#host = host;
  }

  get list(): readonly Upload[] {
    return this.#list;
  }

  /** The attachments that are uploaded. */
  get ready(): readonly Attachment[] {
    return this.#list.map(({attachment, status}) => (status === 'done' ? attachment : undefined)).filter(isPresent);
  }

  configure(rules: UploadRules | undefined, strategy: UploadStrategy | undefined): void {
    this.#rules = rules;
    this.#strategy = strategy;
  }

  /** Starts to upload the files that the rules allow, and reports the others. */
  add(files: readonly File[]): void {
    if (files.length === 0) return;
    if (!this.#rules || !this.#strategy) {
      this.#host.failed(new Error(strings.attachmentsOff));
      return;
    }
    const {accepted, problems} = sortFiles(files, this.#rules, this.#list.length);
    const added = accepted.map((file): Upload => {
      const key = this.#newKey();
      const mimeType = mimeTypeOf(file);
      const previewUrl = SHOWN_BY_BROWSERS.test(mimeType) ? URL.createObjectURL(file) : undefined;
      this.#jobs.set(key, {file, previewUrl, abort: undefined, serverId: undefined});
      return {
        key,
        name: file.name,
        mimeType,
        size: file.size,
        status: 'uploading',
        progress: undefined,
        previewUrl,
        attachment: undefined,
        problem: undefined,
      };
    });
    this.#setList([...this.#list, ...added]);
    this.#startNext();
    this.#rejections = problems;
    if (problems.length > 0) this.#host.failed(new Error(this.#describeProblems()));
  }

  /** Replaces all uploads by files that the page has uploaded itself; those are never deleted on the server. */
  replaceWith(attachments: readonly Attachment[]): void {
    this.#cancel(this.#list.map(({key}) => key));
    this.#setList(attachments.map(attachment => this.#buildUploaded(attachment, undefined)));
  }

  /** Appends files that were uploaded before a reload. */
  restore(stored: readonly StoredUpload[]): void {
    const known = new Set(this.#list.map(({attachment}) => attachment?.id));
    const restored = stored
      .filter(({attachment}) => !known.has(attachment.id))
      .map(({attachment, size}) => {
        const upload = this.#buildUploaded(attachment, size);
        this.#jobs.set(upload.key, {file: undefined, previewUrl: undefined, abort: undefined, serverId: attachment.id});
        return upload;
      });
    if (restored.length > 0) this.#setList([...this.#list, ...restored]);
  }

  retry(key: string): void {
    const job = this.#jobs.get(key);
    const upload = this.#find(key);
    if (!job || upload?.status !== 'failed') return;
    // The upload address may have expired: the next attempt creates a new attachment.
    this.#deleteOnServer(job);
    this.#change(key, {status: 'uploading', progress: undefined, problem: undefined});
    this.#startNext();
  }

  /** Removes a file from the draft and from the server; a failure of the latter is ignored. */
  remove(key: string): void {
    const job = this.#jobs.get(key);
    job?.abort?.abort(new DOMException('Removed.', 'AbortError'));
    if (job) this.#deleteOnServer(job);
    this.#forget([key]);
    this.#startNext();
  }

  /** Moves the uploads out of the draft with a sent message; until `forgetSent` they can be restored. */
  markSent(): void {
    this.forgetSent();
    this.#sent = this.#list;
    this.#setList([]);
  }

  /** Forgets the uploads of the sent message: the server has accepted it. */
  forgetSent(): void {
    this.#forget(this.#sent.map(({key}) => key));
    this.#sent = [];
  }

  /** Restores the uploads of a message that the server has rejected, and marks those that the server no longer has. */
  restoreSent(attachments: readonly Attachment[], problem: string | undefined): void {
    const sent = this.#sent;
    if (sent[0]?.attachment !== attachments[0]) {
      this.replaceWith(attachments);
      return;
    }
    this.#sent = [];
    this.#setList(sent);
    for (const {key} of sent) {
      const job = this.#jobs.get(key);
      if (!job?.serverId) continue;
      this.#host.client.describeFile(job.serverId).catch(({code}: RequestError) => {
        if (code !== 'not_found') return;
        job.serverId = undefined;
        // A file that was uploaded before a reload cannot be uploaded again.
        if (job.file) this.#change(key, {status: 'failed', problem});
        else this.#forget([key]);
      });
    }
  }

  /** Cancels all uploads and releases their previews. */
  close(): void {
    this.#cancel([...this.#jobs.keys()]);
  }

  #newKey(): string {
    this.#count += 1;
    return `upload-${this.#count}`;
  }

  #buildUploaded(attachment: Attachment, size: number | undefined): Upload {
    const {name, mimeType, previewUrl} = attachment;
    return {
      ...{key: this.#newKey(), name, mimeType, previewUrl, attachment, size},
      ...{status: 'done', progress: undefined, problem: undefined},
    };
  }

  #cancel(keys: readonly string[]): void {
    for (const key of keys) this.#jobs.get(key)?.abort?.abort(new DOMException('Closed.', 'AbortError'));
    this.#forget(keys);
  }

  #forget(keys: readonly string[]): void {
    if (keys.length === 0) return;
    for (const key of keys) {
      const url = this.#jobs.get(key)?.previewUrl;
      if (url !== undefined) URL.revokeObjectURL(url);
      this.#jobs.delete(key);
    }
    this.#setList(this.#list.filter(({key}) => !keys.includes(key)));
  }

  #deleteOnServer(job: Job): void {
    const id = job.serverId;
    job.serverId = undefined;
    if (id === undefined) return;
    this.#host.client.send({type: 'attachments.delete', params: {attachment_id: id}}).catch(() => {
      // The file stays on the server, which removes unused uploads after a while.
    });
  }

  #startNext(): void {
    for (const {key, status} of this.#list) {
      const running = [...this.#jobs.values()].filter(({abort}) => abort !== undefined).length;
      if (running >= MAX_PARALLEL) return;
      const job = this.#jobs.get(key);
      if (status === 'uploading' && job && !job.abort) void this.#upload(key, job);
    }
  }

  async #upload(key: string, job: Job): Promise<void> {
    const {file} = job;
    const strategy = this.#strategy;
    const onProgress = (share: number): void => this.#setProgress(key, share);
    if (!file || !strategy) return;
    const abort = new AbortController();
    job.abort = abort;
    try {
      const attachment = await (strategy.type === 'direct'
        ? this.#uploadDirectly(file, strategy.uploadUrl, abort.signal, onProgress)
        : this.#uploadInTwoPhases(file, job, abort.signal, onProgress));
      if (abort.signal.aborted) return;
      job.serverId = attachment.id;
      this.#change(key, {status: 'done', attachment, previewUrl: job.previewUrl ?? attachment.previewUrl});
    } catch (error) {
      if (abort.signal.aborted) return;
      const problem = error instanceof Error ? error.message : String(error);
      this.#change(key, {status: 'failed', problem});
      this.#host.failed(new Error(this.#describeProblems(), {cause: error}));
    } finally {
      job.abort = undefined;
      this.#startNext();
    }
  }

  /** Lists the problems of all files, one per line: a new message replaces the previous one. */
  #describeProblems(): string {
    const failures = this.#list.flatMap(({name, problem}) =>
      problem === undefined ? [] : [strings.uploadFailed(name, problem)],
    );
    return [...this.#rejections, ...failures].join('\n');
  }

  async #uploadDirectly(
    file: File,
    url: string,
    signal: AbortSignal,
    onProgress: (share: number) => void,
  ): Promise<Attachment> {
    const request = {url, method: 'POST', headers: {}, body: toForm(file), onProgress} as const;
    const answer = await this.#host.client.upload(request, signal);
    const attachment = parseAttachment(answer);
    if (!attachment) throw new Error(strings.uploadUnanswered);
    return attachment;
  }

  async #uploadInTwoPhases(
    file: File,
    job: Job,
    signal: AbortSignal,
    onProgress: (share: number) => void,
  ): Promise<Attachment> {
    const params = {name: file.name, size: file.size, mime_type: mimeTypeOf(file)};
    const created = await this.#host.client.send({type: 'attachments.create', params}, signal);
    const attachment = parseAttachment(created);
    const target = parseTarget(created);
    if (!attachment || !target) throw new Error(strings.uploadUnanswered);
    job.serverId = attachment.id;
    const body = target.method === 'PUT' ? file : toForm(file);
    const updated = parseAttachment(await this.#host.client.upload({...target, body, onProgress}, signal));
    return updated?.id === attachment.id ? updated : attachment;
  }

  /** Sets the progress in whole percent, so that not every chunk causes an update. */
  #setProgress(key: string, share: number): void {
    const progress = Math.floor(share * 100) / 100;
    const upload = this.#find(key);
    if (upload?.status === 'uploading' && upload.progress !== progress) this.#change(key, {progress});
  }

  #find(key: string): Upload | undefined {
    return this.#list.find(upload => upload.key === key);
  }

  #change(key: string, change: Partial<Upload>): void {
    this.#setList(this.#list.map(upload => (upload.key === key ? {...upload, ...change} : upload)));
  }

  #setList(list: readonly Upload[]): void {
    this.#list = list;
    this.#host.changed();
  }
}

/** Parses the upload address of a created attachment; older servers send only `upload_url`. */
function parseTarget(value: unknown): UploadTarget | undefined {
  const created: JSONObject = isObject(value) ? value : {};
  const descriptor = isObject(created.upload_descriptor) ? created.upload_descriptor : {url: created.upload_url};
  if (typeof descriptor.url !== 'string' || descriptor.url === '') return undefined;
  const headers = Object.entries(isObject(descriptor.headers) ? descriptor.headers : {});
  return {
    url: descriptor.url,
    method: String(descriptor.method).toUpperCase() === 'PUT' ? 'PUT' : 'POST',
    headers: Object.fromEntries(headers.map(([name, header]) => [name, String(header)])),
  };
}

function toForm(file: File): FormData {
  const form = new FormData();
  const mimeType = mimeTypeOf(file);
  form.append('file', file.type === mimeType ? file : new File([file], file.name, {type: mimeType}), file.name);
  return form;
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
