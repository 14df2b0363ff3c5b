/** The controller of a chat: turns intents and calls of the page into requests, and holds the settings. No DOM. */
import type {ChatKitEvents} from '@openai/chatkit';
import {ChosenOptions} from './composer/chosen-options.js';
import {DraftKeeper} from './composer/draft-keeper.js';
import type {Draft} from './composer/draft-text.js';
import {SideRequests} from './composer/side-requests.js';
import type {Intent} from './intents.js';
import {readOptions, type Settings} from './options.js';
import type {Attachment, JSONObject} from './protocol/types.js';
import {ChatKitClient} from './server/client.js';
import {isSignedOut, RequestError} from './server/request-error.js';
import {strings} from './strings.js';
import {Conversation, type Message} from './thread/conversation.js';
import {ImageDomains} from './thread/image-domains.js';
import {ItemRequests} from './thread/item-requests.js';
import {ThreadList} from './thread/thread-list.js';
import {toError} from './to-error.js';
import {unreachable} from './unreachable.js';

type WidgetAction = Extract<Intent, {readonly type: 'widget-action'}>['detail'];
type EventDetails = {readonly [K in keyof ChatKitEvents]: ChatKitEvents[K] extends CustomEvent<infer D> ? D : never};
export type EmitEvent = <K extends keyof ChatKitEvents>(name: K, detail: EventDetails[K]) => void;

export interface ChatHost {
  /** Called after every change of the state. */
  readonly changed: () => void;
  readonly emit: EmitEvent;
  /** Replaces the draft in the composer. */
  readonly showDraft: (draft: Draft) => void;
}

const NO_DOMAINS: readonly string[] = [];

export class Chat {
  readonly #host: ChatHost;
  readonly #client: ChatKitClient;
  readonly conversation: Conversation;
  readonly threads: ThreadList;
  readonly sideRequests: SideRequests;
  readonly chosen: ChosenOptions<Settings['tools'][number]>;
  readonly #drafts: DraftKeeper;
  readonly #items: ItemRequests;
  readonly #imageDomains = new ImageDomains();
  #settings: Settings = readOptions({}, '');
  #isHistoryOpen = false;
  #isDocked = false;
  #listedId: string | undefined;
  #alertText: string | undefined;
  #canRetryAlert = false;
  /** The thread that could not be opened because the user is signed out. */
  #unopenedThreadId: string | undefined;

  constructor(host: ChatHost) {
    this.#host = host;
    this.#client = new ChatKitClient((name, data) => host.emit('chatkit.log', {name, data}));
    this.#drafts = new DraftKeeper(name => host.emit('chatkit.log', {name}), host.showDraft);
    this.threads = new ThreadList(this.#client, host.changed);
    this.sideRequests = new SideRequests({
      client: this.#client,
      changed: host.changed,
      report: (error, isShown) => (isShown ? this.#showProblem(error) : host.emit('chatkit.error', {error})),
      log: (name, data) => host.emit('chatkit.log', data === undefined ? {name} : {name, data}),
    });
    this.chosen = new ChosenOptions({
      changed: host.changed,
      toolChanged: toolId => host.emit('chatkit.tool.change', {toolId}),
      log: (name, data) => host.emit('chatkit.log', {name, data}),
    });
    this.conversation = new Conversation({
      client: this.#client,
      changed: () => this.#onConversationChange(),
      emit: (name, detail) => host.emit(`chatkit.${name}`, detail as never),
      findClientTool: () => this.#settings.onClientTool,
      expectsResume: () => this.#settings.resume,
    });
    this.#items = new ItemRequests(this.#client, this.conversation);
  }

  get settings(): Settings {
    return this.#settings;
  }
  get isHistoryOpen(): boolean {
    return this.#isHistoryOpen;
  }
  get imageDomains(): readonly string[] {
    const threadDomains = this.conversation.state.thread?.allowedImageDomains ?? NO_DOMAINS;
    return this.#imageDomains.join(this.#settings.imageDomains, this.#client.imageDomains, threadDomains);
  }
  /** The message of a failure outside the conversation. */
  get alertText(): string | undefined {
    return this.#alertText;
  }

  /** Whether the alert says that the user is signed out, so that signing in again may help. */
  get canRetryAlert(): boolean {
    return this.#canRetryAlert;
  }

  /** Loads all older pages; `undefined` if there are none. A failure is shown, and does not reject. */
  loadAll(): Promise<void> | undefined {
    const loading = this.conversation.loadAll();
    if (loading) this.attempt(loading);
    return loading?.catch(() => {});
  }

  /** Applies new settings; the running answer, the draft and the thread are kept. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.#client.configure(settings.endpoint, settings.resume);
    this.sideRequests.configure(settings.composer);
    this.sideRequests.storeUploads(
      settings.drafts && settings.composer.attachments ? settings.endpoint?.url : undefined,
    );
    this.#drafts.configure(settings.drafts ? settings.endpoint?.url : undefined, settings.initialThread !== undefined);
    // At once, not with the first message: pages may hide the chat until their callback was called.
    this.attempt(this.#client.prepare());
    this.chosen.configure(settings);
    if (!settings.history.enabled) this.setHistoryOpen(false);
    if (!settings.endpoint) this.#showProblem(new Error(strings.noServer));
    else if (this.#alertText === strings.noServer) this.#setAlert(undefined);
    this.#host.changed();
  }

  handle(intent: Intent): void {
    const {conversation, threads} = this;
    switch (intent.type) {
      case 'send':
        this.#sendDraft(intent);
        this.sideRequests.uploads.markSent();
        break;
      case 'draft':
        this.#drafts.onChange(intent.draft);
        break;
      case 'send-prompt':
        this.#sendDraft(intent);
        break;
      case 'stop':
        conversation.stop();
        break;
      case 'retry':
        this.attempt(conversation.retry());
        break;
      case 'new-chat':
        this.setHistoryOpen(false);
        this.attempt(this.open(undefined));
        break;
      case 'open-history':
        this.setHistoryOpen(true);
        break;
      case 'close-history':
        this.setHistoryOpen(false);
        break;
      case 'more-threads':
        // The panel shows this failure itself.
        this.attempt(threads.loadMore(), {isShown: false});
        break;
      case 'load-older':
        this.attempt(conversation.loadOlder());
        break;
      case 'open-thread':
        this.setHistoryOpen(false);
        if (intent.threadId !== conversation.state.thread?.id) this.attempt(this.open(intent.threadId));
        break;
      case 'delete-thread':
        this.attempt(this.#deleteThread(intent.threadId));
        break;
      case 'rename-thread':
        this.attempt(this.#renameThread(intent.threadId, intent.title));
        break;
      case 'select-tool':
        this.chosen.selectTool(intent.toolId);
        break;
      case 'select-model':
        this.chosen.selectModel(intent.modelId);
        break;
      case 'feedback':
        this.attempt(this.#items.rate(intent));
        break;
      case 'dismiss-notice':
        conversation.dismissNotice(intent.key);
        break;
      case 'dismiss-alert':
        this.#setAlert(undefined);
        break;
      case 'sign-in-again':
        this.attempt(this.#signInAgain());
        break;
      case 'show-source':
      case 'focus-composer':
        break;
      case 'header-action':
        this.attempt(Promise.resolve().then(() => this.#settings.header[intent.side]?.onClick()));
        break;
      case 'deeplink':
        this.#host.emit('chatkit.deeplink', {name: intent.name, data: intent.data});
        break;
      case 'widget-action':
        this.#onWidgetAction(intent.detail);
        break;
      case 'answer-input':
        this.attempt(conversation.answerInput(intent.itemId, {status: intent.status, answers: intent.answers}));
        break;
      case 'add-files':
      case 'retry-upload':
      case 'remove-upload':
        // The alert about the last files is outdated, or will be shown again.
        this.#setAlert(undefined);
        this.sideRequests.handle(intent);
        break;
      case 'file-details':
      case 'transcribe':
      case 'entity-click':
      case 'entity-preview':
      case 'log':
      case 'report':
        this.sideRequests.handle(intent);
        break;
      default:
        unreachable(intent);
    }
  }

  /** Opens a thread, or the start screen for `undefined`. Rejects if it cannot be loaded; the current thread stays. */
  async open(threadId: string | undefined): Promise<void> {
    this.#setAlert(undefined);
    this.#unopenedThreadId = undefined;
    try {
      await this.conversation.open(threadId);
    } catch (error) {
      if (isSignedOut(error)) this.#unopenedThreadId = threadId;
      throw error;
    }
  }

  /** Opens the initial thread of a page; the start screen is shown if it does not exist, or belongs to another user. */
  async openInitial(threadId: string): Promise<void> {
    try {
      await this.open(threadId);
    } catch (error) {
      // Pages remember the id of the thread, and should forget this one. Other failures may be temporary.
      if (isMissing(error)) this.#host.emit('chatkit.thread.change', {threadId: null});
      this.#drafts.restore();
      throw error;
    }
  }

  setHistoryOpen(isOpen: boolean): void {
    if (isOpen && !this.#settings.history.enabled) return;
    // The panel shows this failure itself, with a button to retry.
    if (isOpen) this.attempt(this.threads.load(), {isShown: false});
    if (isOpen === this.#isHistoryOpen) return;
    this.#isHistoryOpen = isOpen;
    if (!isOpen) this.threads.close();
    this.#host.changed();
    this.#host.emit(isOpen ? 'chatkit.history.open' : 'chatkit.history.close', undefined);
  }

  /** While the history is docked, its list is kept up to date: it is loaded now, and with every new thread. */
  setDocked(isDocked: boolean): void {
    if (isDocked === this.#isDocked) return;
    this.#isDocked = isDocked;
    if (isDocked) this.#loadThreads();
  }

  #loadThreads(): void {
    if (this.#settings.endpoint) this.attempt(this.threads.load(), {isShown: false});
  }

  /** Reports and shows the rejection of a promise that is not awaited, unless it was aborted. */
  attempt(promise: Promise<unknown>, {isShown = true} = {}): void {
    promise.catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'AbortError') return;
      if (isShown) this.#showProblem(toError(error));
      else this.#host.emit('chatkit.error', {error: toError(error)});
    });
  }

  /** Resumes the answer that was in progress when `close` was called. */
  resume(): void {
    this.attempt(this.conversation.resume());
  }

  /** Aborts everything that runs. */
  close(): void {
    this.conversation.close();
    this.threads.close();
    this.sideRequests.close();
  }

  #sendDraft(draft: Partial<Message> & Pick<Message, 'content'>): void {
    const {content, attachments = [], quotedText} = draft;
    const {tool, toolId, modelId: model} = this.chosen;
    this.#setAlert(undefined);
    const message = {content, attachments, quotedText, toolId, model};
    this.attempt(this.#send(message));
    if (tool && tool.persistent !== true) this.chosen.selectTool(undefined);
  }

  async #send(message: Message): Promise<void> {
    const {content, quotedText} = message;
    if (this.#unopenedThreadId !== undefined) {
      // The message belongs to the thread that the page wanted to open.
      try {
        await this.open(this.#unopenedThreadId);
      } catch (error) {
        this.#host.showDraft({content, quotedText});
        throw error;
      }
    }
    this.#drafts.onSend({content, quotedText});
    try {
      await this.conversation.send(message);
    } finally {
      this.#restoreRejected({content, quotedText}, message.attachments);
    }
  }

  /** Removes the saved message once the server has confirmed it. */
  #forgetConfirmed(): void {
    const {unconfirmedKey, entries} = this.conversation.state;
    if (unconfirmedKey === undefined && entries.length > 0) this.#drafts.onConfirm();
  }

  /** Returns a rejected message and its files to the composer. */
  #restoreRejected(draft: Draft, attachments: readonly Attachment[]): void {
    const {failure} = this.conversation.state;
    const {uploads} = this.sideRequests;
    if (!failure?.isRefused || !this.conversation.withdraw()) {
      uploads.forgetSent();
      return;
    }
    this.#drafts.onReject(draft);
    if (uploads.list.length === 0) uploads.restoreSent(attachments, failure.message);
    this.#setAlert(failure.message);
  }

  async #signInAgain(): Promise<void> {
    await this.#client.renew();
    this.#setAlert(undefined);
    if (this.#unopenedThreadId !== undefined) await this.open(this.#unopenedThreadId);
  }

  #onWidgetAction({action, itemId, widget, done}: WidgetAction): void {
    const promise = this.#runWidgetAction(action, itemId, widget);
    done(promise);
    this.attempt(promise);
  }

  async #runWidgetAction(action: WidgetAction['action'], itemId: string, widget: unknown): Promise<void> {
    if (action.handler !== 'client') return await this.#items.click(action, itemId, action.streaming);
    const {onAction} = this.#settings;
    if (!onAction) this.#host.emit('chatkit.log', {name: 'widget.no_handler', data: {type: action.type}});
    await onAction?.({type: action.type, payload: action.payload}, {id: itemId, widget: widget as JSONObject});
  }

  async #renameThread(threadId: string, title: string): Promise<void> {
    await this.threads.rename(threadId, title);
    this.conversation.retitle(threadId, title);
  }

  async #deleteThread(threadId: string): Promise<void> {
    await this.threads.remove(threadId);
    this.#drafts.onRemove(threadId);
    this.conversation.abort(threadId);
    if (this.conversation.state.thread?.id === threadId) await this.open(undefined);
  }

  #onConversationChange(): void {
    const {thread} = this.conversation.state;
    if (thread) this.threads.retitle(thread.id, thread.title);
    if (this.#isDocked && thread && thread.id !== this.#listedId) {
      this.#listedId = thread.id;
      if (!this.threads.state.threads.some(({id}) => id === thread.id)) this.#loadThreads();
    }
    this.#drafts.follow(thread?.id, this.conversation.openings);
    this.#forgetConfirmed();
    this.#host.changed();
  }

  #showProblem(error: Error): void {
    this.#canRetryAlert = isSignedOut(error);
    this.#setAlert(error.message);
    this.#host.emit('chatkit.error', {error});
  }

  #setAlert(text: string | undefined): void {
    if (this.#alertText === text) return;
    this.#alertText = text;
    this.#host.changed();
  }
}

/** Whether the server has no such thread for this user. */
function isMissing(error: unknown): boolean {
  return error instanceof RequestError && [400, 403, 404, 410, 422].includes(error.status);
}
