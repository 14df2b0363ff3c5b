/** The uploads of a draft: sends files to the server, tells their progress, deletes those that are taken back. */
import {isObject, parseAttachment} from '../protocol/parsing.js';
import type {Attachment, JSONObject} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import type {RequestError} from '../server/request-error.js';
import {strings} from '../strings.js';
import type {KeptUpload} from './kept-uploads.js';
import {mimeTypeOf, sortFiles, type UploadRules} from './upload-rules.js';

/** The way of the bytes: to a place that the server names first, or to one address for all files. */
export type UploadStrategy = {readonly type: 'two_phase'} | {readonly type: 'direct'; readonly uploadUrl: string};

export type UploadStatus = 'uploading' | 'done' | 'failed';

export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly mimeType: string;
  /** The size in bytes; `undefined` for a file that the page attached. */
  readonly size: number | undefined;
  readonly status: UploadStatus;
  /** The share of the bytes that is on its way, 0 to 1; `undefined` where nobody tells. */
  readonly progress: number | undefined;
  /** For images: of this document while the bytes travel, then the server's. */
  readonly previewUrl: string | undefined;
  /** The server’s record of the file; a message carries its id. */
  readonly attachment: Attachment | undefined;
  readonly problem: string | undefined;
}

export interface UploadsHost {
  readonly client: ChatKitClient;
  /** Called after every change of `list`. */
  readonly changed: () => void;
  /** Called with words for a person. */
  readonly failed: (error: Error) => void;
}

interface Job {
  readonly file: File | undefined;
  readonly previewUrl: string | undefined;
  abort: AbortController | undefined;
  /** The id of what is on the server and ours to delete, even when the bytes never arrived. */
  serverId: string | undefined;
}

interface Target {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
}

/** Browsers queue more requests than this per host anyway, and the chat itself needs room. */
const MAX_PARALLEL = 3;

/** Others have a preview when the server has made one of them. */
const SHOWN_BY_BROWSERS = /^image\/(?!hei[cf]|tiff)/;

export class Uploads {
  readonly #host: UploadsHost;
  #list: readonly Upload[] = [];
  #jobs = new Map<string, Job>();
  #sent: readonly Upload[] = [];
  #rules: UploadRules | undefined;
  #strategy: UploadStrategy | undefined;
  #count = 0;
  /** Reasons why some of the files that were chosen last were not taken. */
  #refusals: readonly string[] = [];

  constructor(host: UploadsHost) {
    this.#host = host;
  }

  get list(): readonly Upload[] {
    return this.#list;
  }

  /** The attachments that a message sent now would carry. */
  get ready(): readonly Attachment[] {
    return this.#list.map(({attachment, status}) => (status === 'done' ? attachment : undefined)).filter(isPresent);
  }

  configure(rules: UploadRules | undefined, strategy: UploadStrategy | undefined): void {
    this.#rules = rules;
    this.#strategy = strategy;
  }

  /** Starts to upload what the rules allow and reports the rest. */
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
    this.#set([...this.#list, ...added]);
    this.#startNext();
    this.#refusals = problems;
    if (problems.length > 0) this.#host.failed(new Error(this.#problems()));
  }

  /** Puts files that the page uploaded by itself in place of everything; they are never deleted from here. */
  replaceWith(attachments: readonly Attachment[]): void {
    this.#drop(this.#list.map(({key}) => key));
    this.#set(attachments.map(attachment => this.#uploaded(attachment, undefined)));
  }

  /** Puts files back that were uploaded before a reload, behind what has been added since. */
  restore(kept: readonly KeptUpload[]): void {
    const known = new Set(this.#list.map(({attachment}) => attachment?.id));
    const restored = kept
      .filter(({attachment}) => !known.has(attachment.id))
      .map(({attachment, size}) => {
        const upload = this.#uploaded(attachment, size);
        this.#jobs.set(upload.key, {file: undefined, previewUrl: undefined, abort: undefined, serverId: attachment.id});
        return upload;
      });
    if (restored.length > 0) this.#set([...this.#list, ...restored]);
  }

  retry(key: string): void {
    const job = this.#jobs.get(key);
    const upload = this.#list.find(each => each.key === key);
    if (!job || upload?.status !== 'failed') return;
    // A descriptor may have expired: the second attempt asks for its own.
    this.#discard(job);
    this.#change(key, {status: 'uploading', progress: undefined, problem: undefined});
    this.#startNext();
  }

  /** Takes a file out of the message, and off the server, whose refusal changes nothing here. */
  remove(key: string): void {
    const job = this.#jobs.get(key);
    job?.abort?.abort(new DOMException('Removed.', 'AbortError'));
    if (job) this.#discard(job);
    this.#release([key]);
    this.#startNext();
  }

  /** Takes what is sent with a message out; until it is let go, it can be put back. */
  takeOut(): void {
    this.letGo();
    this.#sent = this.#list;
    this.#set([]);
  }

  /** Forgets what was sent: the server has taken the message. */
  letGo(): void {
    this.#release(this.#sent.map(({key}) => key));
    this.#sent = [];
  }

  /** Puts the files of a message back that the server refused, and looks for which of them. */
  putBack(attachments: readonly Attachment[], problem: string | undefined): void {
    const sent = this.#sent;
    if (sent[0]?.attachment !== attachments[0]) {
      this.replaceWith(attachments);
      return;
    }
    this.#sent = [];
    this.#set(sent);
    for (const {key} of sent) {
      const job = this.#jobs.get(key);
      if (!job?.serverId) continue;
      this.#host.client.describeFile(job.serverId).catch(({code}: RequestError) => {
        if (code !== 'not_found') return;
        job.serverId = undefined;
        // What was uploaded before a reload cannot be sent anew.
        if (job.file) this.#change(key, {status: 'failed', problem});
        else this.#release([key]);
      });
    }
  }

  /** Leaves nothing running and no preview in memory. */
  close(): void {
    this.#drop([...this.#jobs.keys()]);
  }

  #newKey(): string {
    this.#count += 1;
    return `upload-${this.#count}`;
  }

  #uploaded(attachment: Attachment, size: number | undefined): Upload {
    const {name, mimeType, previewUrl} = attachment;
    return {
      ...{key: this.#newKey(), name, mimeType, previewUrl, attachment, size},
      ...{status: 'done', progress: undefined, problem: undefined},
    };
  }

  #drop(keys: readonly string[]): void {
    for (const key of keys) this.#jobs.get(key)?.abort?.abort(new DOMException('Closed.', 'AbortError'));
    this.#release(keys);
  }

  #release(keys: readonly string[]): void {
    if (keys.length === 0) return;
    for (const key of keys) {
      const url = this.#jobs.get(key)?.previewUrl;
      if (url !== undefined) URL.revokeObjectURL(url);
      this.#jobs.delete(key);
    }
    this.#set(this.#list.filter(({key}) => !keys.includes(key)));
  }

  #discard(job: Job): void {
    const id = job.serverId;
    job.serverId = undefined;
    if (id === undefined) return;
    this.#host.client.send({type: 'attachments.delete', params: {attachment_id: id}}).catch(() => {
      // The file stays on the server, where unused uploads expire; nobody here can do more about it.
    });
  }

  #startNext(): void {
    for (const {key, status} of this.#list) {
      const running = [...this.#jobs.values()].filter(({abort}) => abort !== undefined).length;
      if (running >= MAX_PARALLEL) return;
      const job = this.#jobs.get(key);
      if (status === 'uploading' && job && !job.abort) void this.#run(key, job);
    }
  }

  async #run(key: string, job: Job): Promise<void> {
    const {file} = job;
    const strategy = this.#strategy;
    const onProgress = (share: number): void => this.#tellProgress(key, share);
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
      this.#host.failed(new Error(this.#problems(), {cause: error}));
    } finally {
      job.abort = undefined;
      this.#startNext();
    }
  }

  /** Problems of all files, a line for each: the person is shown the last text alone. */
  #problems(): string {
    const failures = this.#list.flatMap(({name, problem}) =>
      problem === undefined ? [] : [strings.uploadFailed(name, problem)],
    );
    return [...this.#refusals, ...failures].join('\n');
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
    const target = readTarget(created);
    if (!attachment || !target) throw new Error(strings.uploadUnanswered);
    job.serverId = attachment.id;
    const body = target.method === 'PUT' ? file : toForm(file);
    const updated = parseAttachment(await this.#host.client.upload({...target, body, onProgress}, signal));
    return updated?.id === attachment.id ? updated : attachment;
  }

  /** Tells the progress in whole percents: a drawing for each piece that is sent would be too many. */
  #tellProgress(key: string, share: number): void {
    const progress = Math.floor(share * 100) / 100;
    const upload = this.#list.find(each => each.key === key);
    if (upload?.status === 'uploading' && upload.progress !== progress) this.#change(key, {progress});
  }

  #change(key: string, change: Partial<Upload>): void {
    this.#set(this.#list.map(upload => (upload.key === key ? {...upload, ...change} : upload)));
  }

  #set(list: readonly Upload[]): void {
    this.#list = list;
    this.#host.changed();
  }
}

/** The place to which the bytes of a created attachment go; older servers name only `upload_url`. */
function readTarget(value: unknown): Target | undefined {
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
