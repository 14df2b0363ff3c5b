/** `<openai-chatkit>`, the public element: takes options and calls, renders the views, dispatches events. */
import type {Attachment as AppAttachment, ChatKitOptions, OpenAIChatKit, ToolChoice} from '@openai/chatkit';
import {html, LitElement, type PropertyValues} from 'lit';
import {Chat} from './chat.js';
import {renderChat} from './chat-view.js';
import type {Draft} from './composer/draft-text.js';
import {EventQueue} from './event-queue.js';
import {frameSlices, nextFrame} from './frames.js';
import {type Intent, IntentEvent} from './intents.js';
import {lazyElements} from './lazy-elements.js';
import {showImagesInFrames} from './markdown/images.js';
import {findUnknownKeys, readOptions, toContent} from './options.js';
import {parseAttachment} from './protocol/parsing.js';
import type {Attachment} from './protocol/types.js';
import {strings} from './strings.js';
import {AppliedTheme} from './theme/applied-theme.js';
import {elementStyles} from './theme/element-style.js';
import {PrintLayout} from './theme/print.js';
import {defaultTokens} from './theme/tokens.js';
import type {ComposerView} from './views/composer.js';
import {guardFieldKeys} from './views/field-keys.js';
import type {HeaderView} from './views/header.js';
import type {MessagesView} from './views/messages.js';
import {statusRowStyles} from './views/status-row.js';
import {baseStyles, buttonStyles} from './views/styles.js';
import {Surroundings} from './views/surroundings.js';

type SendParameters = Parameters<OpenAIChatKit['sendUserMessage']>[0];
type DraftParameters = Parameters<OpenAIChatKit['setComposerValue']>[0];
/** Delay before the history is prefetched, so that it does not compete with the page. */
const PREFETCH_DELAY_MS = 1000;

/**
 * The chat element, compatible with ChatKit's.
 *
 * Options that only this client has are described in `extension-options.ts`. CSS parts are listed in
 * `views/exported-parts.ts`, custom properties in `theme/tokens.ts`; docs/theming.md describes both.
 *
 * @event chatkit.ready - Options are applied and the first frame is rendered; once.
 *
 * @attribute data-parlor-resume - The server supports joining an answer that is being written.
 * @attribute data-parlor-drafts - Drafts survive a reload.
 * @attribute data-parlor-stylesheet - A style sheet for the shadow roots: its URL at the page's origin, or its text.
 * @attribute data-parlor-image-domains - Domains that images in answers may come from, separated by commas.
 * @attribute data-parlor-base-url - The server's URL in hosted mode, if the options have no `api.url`.
 * @cssproperty --chatkit-accent - Colour of main buttons. Every property of `tokens.ts` may be set on the element.
 */
export class OpenAIChatKitElement extends LitElement implements OpenAIChatKit {
  /** Declared so that Lit applies options that a page has set before the element was defined. */
  static override properties = {options: {attribute: false, noAccessor: true}};
  static override styles = [defaultTokens, baseStyles, buttonStyles, elementStyles, statusRowStyles];

  #options: ChatKitOptions | undefined;
  #reportedKeys = new Set<string>();
  #hasStarted = false;
  #wasHistoryOpen = false;
  #isScrolledUp = false;
  #wasScrolledUp = false;
  #isDocked = false;
  /** Methods that need the thread wait for the initial one: pages call them as soon as the element is ready. */
  #initialLoad: Promise<void> | undefined;
  #configure: () => void = () => {};
  readonly #configured = new Promise<void>(resolve => {
    this.#configure = resolve;
  });
  readonly #events = new EventQueue(this);
  readonly #theme = new AppliedTheme(this, (name, data) => this.#events.emit('chatkit.log', {name, data}));
  readonly #printLayout = new PrintLayout(this, () =>
    this.#chat
      .loadAll()
      ?.then(() => this.updateComplete)
      .then(() => frameSlices.settled()),
  );
  readonly #surroundings = new Surroundings(this);
  readonly #chat = new Chat({
    changed: () => this.requestUpdate(),
    emit: (name, detail) => this.#events.emit(name, detail ?? null),
    showDraft: draft => void this.updateComplete.then(() => this.#composer?.setDraft(draft)),
  });

  static override get observedAttributes(): string[] {
    // biome-ignore lint/complexity/noThisInStatic: Lit finalizes the class on which this is read, which must be ours
    return [...super.observedAttributes, 'classname'];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#printLayout.connect();
    if (this.#hasStarted) this.#chat.resume();
    this.#applyTheme();
    this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // Moving the element disconnects it for a moment; it is closed only if it stays disconnected.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#chat.close();
      this.#theme.releaseFonts();
      this.#printLayout.disconnect();
    });
  }

  override attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    super.attributeChangedCallback(name, before, value);
    if (name === 'classname') this.#mirrorClassName();
  }

  setOptions(options: ChatKitOptions): void {
    this.#options = options;
    this.#mirrorClassName();
    this.#chat.configure(readOptions(options, navigator.language, this.dataset));
    showImagesInFrames(this.#chat.settings.imageFrame);
    this.#applyTheme();
    this.#reportUnknownKeys(options);
    this.requestUpdate();
    this.#configure();
    this.#start();
  }

  get options(): ChatKitOptions | undefined {
    return this.#options;
  }

  set options(options: ChatKitOptions) {
    this.setOptions(options);
  }

  focusComposer(): Promise<void> {
    return this.#whenConfigured(async () => {
      await this.updateComplete;
      this.#composer?.focus();
    });
  }

  setThreadId(threadId: string | null | undefined): Promise<void> {
    return this.#whenConfigured(async () => {
      await this.#initialLoad;
      if (this.#chat.conversation.isBusy) throw new Error(strings.busy);
      const opening = this.#chat.open(threadId ?? undefined);
      // Many pages do not await the promise: a failure is also shown to the user and emitted as an event.
      this.#chat.attempt(opening);
      await opening;
    });
  }

  sendUserMessage(params: SendParameters): Promise<void> {
    return this.#whenConfigured(async () => {
      await this.#initialLoad;
      if (this.#chat.conversation.isBusy) throw new Error(strings.busy);
      if (params.newThread) await this.#chat.open(undefined);
      await this.#chat.conversation.send({
        content: toContent(params.content ?? params.text),
        attachments: toAttachments(params.attachments),
        quotedText: params.reply || undefined,
        toolId: (params.toolChoice as ToolChoice | undefined)?.id ?? this.#chat.chosen.toolId,
        model: params.model ?? this.#chat.chosen.modelId,
      });
    });
  }

  setComposerValue(params: DraftParameters): Promise<void> {
    return this.#whenConfigured(async () => {
      await this.updateComplete;
      const {text, content, reply, attachments, files, selectedToolId, selectedModelId} = params;
      const draft: {-readonly [K in keyof Draft]?: Draft[K]} = {};
      if (content !== undefined || text !== undefined) draft.content = toContent(content ?? text);
      if (reply !== undefined) draft.quotedText = reply || undefined;
      this.#composer?.setDraft(draft);
      const {uploads} = this.#chat.sideRequests;
      if (attachments !== undefined) uploads.replaceWith(toAttachments(attachments));
      if (files !== undefined) uploads.add([...files]);
      if (selectedToolId !== undefined) this.#chat.chosen.selectTool(selectedToolId ?? undefined);
      if (selectedModelId !== undefined) this.#chat.chosen.selectModel(selectedModelId);
    });
  }

  sendCustomAction(action: {type: string; payload?: Record<string, unknown>}, itemId?: string): Promise<void> {
    return this.#whenConfigured(async () => {
      await this.#initialLoad;
      await this.#chat.conversation.act(action, itemId, true);
    });
  }

  /** Deprecated name of `sendCustomAction`. */
  sendAction(action: {type: string; payload?: Record<string, unknown>}, itemId?: string): Promise<void> {
    return this.sendCustomAction(action, itemId);
  }

  fetchUpdates(): Promise<void> {
    return this.#whenConfigured(() => this.#chat.conversation.refresh());
  }

  showHistory(): Promise<void> {
    return this.#whenConfigured(async () => this.#chat.setHistoryOpen(true));
  }

  hideHistory(): Promise<void> {
    return this.#whenConfigured(async () => this.#chat.setHistoryOpen(false));
  }

  protected override createRenderRoot(): HTMLElement | DocumentFragment {
    const root = super.createRenderRoot();
    root.addEventListener(IntentEvent.type, event => this.#onIntent((event as IntentEvent).intent));
    guardFieldKeys(root as ShadowRoot);
    return root;
  }

  /** Renders at most once per frame while an answer streams; in a hidden tab, by a timer. */
  protected override async scheduleUpdate(): Promise<void> {
    if (this.#chat.conversation.state.isResponding) await nextFrame();
    super.scheduleUpdate();
  }

  protected override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed);
    this.#applyTheme();
  }

  protected override willUpdate(): void {
    if (this.#chat.isHistoryOpen && lazyElements.demand('parlor-history', this) === 'missing') {
      this.#chat.setHistoryOpen(false);
      this.#chat.attempt(Promise.reject(new Error(strings.partMissing)));
      lazyElements.retry('parlor-history', this);
    }
    const {history, sidebar} = this.#chat.settings;
    this.#isDocked = sidebar && history.enabled && this.#surroundings.isWide;
    this.#chat.setDocked(this.#isDocked);
    const {isHistoryOpen} = this.#chat;
    const hasClosed = this.#wasHistoryOpen && !isHistoryOpen;
    this.#wasHistoryOpen = isHistoryOpen;
    // The focus returns to the button that opened the history, but only if it would be lost otherwise.
    if (!hasClosed || this.shadowRoot?.activeElement?.localName !== 'parlor-history') return;
    void this.updateComplete.then(() => {
      if (!this.shadowRoot?.activeElement)
        this.renderRoot.querySelector<HeaderView>('parlor-header')?.focusHistoryButton();
    });
  }

  protected override render() {
    const {state, loadingId} = this.#chat.conversation;
    if (!this.#options) return html`<div class="root"></div>`;
    const isNew =
      state.entries.length === 0 && !state.thread && loadingId === undefined && !state.isResponding && !state.failure;
    // There is no transcript; the next one reports its own scroll position.
    if (isNew) this.#isScrolledUp = this.#wasScrolledUp = false;
    return renderChat({
      host: this,
      chat: this.#chat,
      isNew,
      isDocked: this.#isDocked,
      isOffline: this.#surroundings.isOffline,
      isScrolledUp: this.#isScrolledUp,
      wasScrolledUp: this.#wasScrolledUp,
      onScrollChange: this.#onScrollChange,
      toLatest: this.#scrollToLatest,
    });
  }

  #start(): void {
    if (!this.#options || !this.isConnected || this.#hasStarted) return;
    this.#hasStarted = true;
    this.#events.emit('chatkit.ready', null);
    this.#events.openAfterFrame();
    // Prefetched, so that it opens without delay.
    if (this.#chat.settings.history.enabled)
      setTimeout(() => void (this.isConnected && lazyElements.load('parlor-history')), PREFETCH_DELAY_MS);
    const {initialThread} = this.#chat.settings;
    if (initialThread === undefined) return;
    const loading = this.#chat.openInitial(initialThread);
    this.#chat.attempt(loading);
    this.#initialLoad = loading.catch(() => {});
  }

  #onScrollChange = (event: Event): void => {
    this.#isScrolledUp = (event.target as MessagesView).isScrolledUp;
    this.#wasScrolledUp ||= this.#isScrolledUp;
    this.requestUpdate();
  };

  #scrollToLatest = (): void => this.renderRoot.querySelector<MessagesView>('parlor-messages')?.scrollToLatest();

  #onIntent(intent: Intent): void {
    this.#chat.handle(intent);
    // The pressed button is gone, and the user will write next.
    if (intent.type === 'new-chat') void this.focusComposer();
    // On a touch screen the keyboard would cover the result of the click.
    if (intent.type === 'focus-composer' && !matchMedia('(pointer: coarse)').matches) void this.focusComposer();
  }

  /** Runs a public method after the first options were set. */
  #whenConfigured(run: () => Promise<void>): Promise<void> {
    const promise = this.#configured.then(run);
    // Pages often do not await a method, which must not cause an unhandled rejection.
    promise.catch(() => {});
    return promise;
  }

  #reportUnknownKeys(options: unknown): void {
    for (const key of findUnknownKeys(options)) {
      if (this.#reportedKeys.has(key)) continue;
      this.#reportedKeys.add(key);
      this.#events.emit('chatkit.log', {name: 'options.unknown_key', data: {key}});
    }
  }

  #applyTheme(): void {
    const {theme, stylesheet} = this.#chat.settings;
    if (this.#options) this.#theme.use(theme, stylesheet);
  }

  /** Copies the attribute `classname`, which React 18 writes for `className`, to `class`. */
  #mirrorClassName(): void {
    const className = this.getAttribute('classname');
    // Not before the first options: an earlier change of the host breaks hydration.
    if (className !== null && this.#options && this.getAttribute('class') !== className)
      this.setAttribute('class', className);
  }

  get #composer(): ComposerView | null {
    return this.renderRoot.querySelector<ComposerView>('parlor-composer');
  }
}

function toAttachments(attachments: readonly AppAttachment[] | undefined): readonly Attachment[] {
  return (attachments ?? []).map(parseAttachment).filter(attachment => attachment !== undefined);
}
