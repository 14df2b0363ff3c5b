/** The controller of the page: selects the use case, shows its chat, or a notice if there is none. */
import type {ColorScheme, OpenAIChatKit} from '@openai/chatkit';
import {render, type TemplateResult} from 'lit';
import {pageStrings} from '../strings.js';
import {applyBrand, buildTitle, primaryColor} from './brand.js';
import {buildChatOptions, type ChatLook} from './chat-options.js';
import {CHATKIT_TAG} from './chat-script.js';
import {Memory, type SchemePreference} from './memory.js';
import {type Platform, PlatformError, type UseCase} from './platform.js';
import {serverAddress} from './server-address.js';
import {describeDisabled, headerView, hintView, loadingView, MENU_ID, noticeView} from './views.js';

const USE_CASE_PARAMETER = 'use_case';

/** The page's requests to the server, replaced in tests. */
export interface PageServices {
  readonly loadPlatform: () => Promise<Platform>;
  readonly loadChatScript: (url: string) => Promise<void>;
  /** Replaces the browser's `fetch`, if set. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export class ParlorPage {
  readonly #window: Window;
  readonly #services: PageServices;
  readonly #memory: Memory;
  readonly #systemIsDark: MediaQueryList;
  readonly #stopped = new AbortController();
  #platform: Platform | undefined;
  #current: UseCase | undefined;
  #chat: OpenAIChatKit | undefined;
  #scheme: SchemePreference;

  constructor(window: Window, services: PageServices) {
    this.#window = window;
    this.#services = services;
    this.#memory = new Memory(() => window.localStorage);
    this.#systemIsDark = window.matchMedia('(prefers-color-scheme: dark)');
    this.#scheme = this.#memory.scheme();
  }

  /** Loads and shows the page. Never rejects: errors are shown on the page. */
  async start(): Promise<void> {
    const {signal} = this.#stopped;
    this.#systemIsDark.addEventListener('change', () => this.#applyScheme(), {signal});
    this.#window.addEventListener('popstate', () => this.#showAddressed(), {signal});
    this.#applyScheme();
    await this.#load();
  }

  /** Removes all event listeners. */
  stop(): void {
    this.#stopped.abort();
  }

  get #document(): Document {
    return this.#window.document;
  }

  async #load(): Promise<void> {
    this.#show(loadingView());
    try {
      if (!this.#platform) {
        this.#platform = await this.#services.loadPlatform();
        applyBrand(this.#document, this.#platform.brand);
      }
    } catch (error) {
      this.#showUnreachable(error);
      return;
    }
    const {brand, useCases, disabled} = this.#platform;
    this.#document.title = buildTitle(brand);
    this.#renderHeader();
    this.#tintBrowser();
    if (useCases.length === 0) {
      this.#showNotice('lifesaver', pageStrings.noAssistant, pageStrings.noAssistantText, {
        details: disabled.map(describeDisabled),
        onRetry: () => this.#reload(),
      });
      return;
    }
    try {
      await this.#services.loadChatScript(brand.chatkitJsUrl);
    } catch {
      this.#showNotice('square-code', pageStrings.noScript, pageStrings.noScriptText(brand.chatkitJsUrl), {
        onRetry: () => void this.#load(),
      });
      return;
    }
    if (!this.#stopped.signal.aborted) this.#showAddressed();
  }

  #reload(): void {
    this.#platform = undefined;
    void this.#load();
  }

  #showUnreachable(error: unknown): void {
    const response = error instanceof PlatformError && error.status !== 0 ? error : undefined;
    this.#showNotice(
      'globe',
      response ? pageStrings.problem : pageStrings.unreachable,
      response ? pageStrings.problemText(String(response.errorId ?? response.status)) : pageStrings.unreachableText,
      {onRetry: () => this.#reload()},
    );
  }

  /** Shows the use case in the URL, or the default one. */
  #showAddressed(): void {
    const useCases = this.#platform?.useCases ?? [];
    const name = new URL(this.#window.location.href).searchParams.get(USE_CASE_PARAMETER);
    const useCase =
      useCases.find(candidate => candidate.name === name) ??
      useCases.find(candidate => candidate.isDefault) ??
      useCases[0];
    if (!useCase) return;
    // Corrects an invalid URL, so that it is not shared.
    const isUnknown = name !== null && name !== useCase.name;
    if (isUnknown) this.#window.history.replaceState(null, '', this.#addressOf(useCase));
    this.#showUseCase(useCase);
    if (!isUnknown) return;
    const down = this.#platform?.disabled.find(disabled => disabled.name === name);
    this.#showHint(
      down?.title === undefined
        ? pageStrings.unknownAssistant(name.slice(0, 60), useCase.title)
        : pageStrings.assistantIsDown(down.title, useCase.title),
    );
  }

  #showHint(text: string): void {
    const container = this.#document.createElement('div');
    render(
      hintView(text, () => {
        container.remove();
        this.#focusComposer();
      }),
      container,
    );
    this.#findChatContainer().prepend(container);
  }

  /** Focuses the composer, except on touch screens, where the keyboard would cover half of the chat. */
  #focusComposer(): void {
    const {activeElement, body} = this.#document;
    const isTouch = this.#window.matchMedia('(pointer: coarse) and (hover: none)').matches;
    if (!isTouch && (activeElement === null || activeElement === body)) void this.#chat?.focusComposer?.();
  }

  #showUseCase(useCase: UseCase): void {
    if (!this.#platform || (this.#chat && useCase.name === this.#current?.name)) return;
    this.#current = useCase;
    this.#document.title = buildTitle(this.#platform.brand, useCase.title);
    this.#renderHeader();
    this.#document.querySelector('.switcher [aria-current]')?.scrollIntoView({block: 'nearest', inline: 'nearest'});
    const chat = this.#document.createElement(CHATKIT_TAG) as OpenAIChatKit;
    // Attributes instead of options: the hosted implementation rejects unknown options.
    chat.setAttribute('data-parlor-resume', '');
    chat.setAttribute('data-parlor-drafts', '');
    chat.setAttribute('data-parlor-sidebar', '');
    chat.setAttribute('data-parlor-page-drop', '');
    // Our policy blocks images of other origins; `/picture` shows one that the user requests.
    chat.setAttribute('data-parlor-image-frame', serverAddress('/picture'));
    const {maxChars} = useCase.composer;
    if (typeof maxChars === 'number') chat.setAttribute('data-parlor-max-chars', String(maxChars));
    const remembered = this.#memory.thread(useCase.name);
    let isResuming = remembered !== null;
    // Added before the element is connected, since it may load its thread at once.
    chat.addEventListener('chatkit.thread.change', event => {
      isResuming = false;
      this.#memory.keepThread(useCase.name, event.detail.threadId);
    });
    chat.addEventListener('chatkit.error', event => {
      // A thread that was deleted elsewhere is reported once. Other failures may be temporary.
      if (isResuming && isMissing(event.detail.error)) this.#memory.keepThread(useCase.name, null);
    });
    chat.setOptions(buildChatOptions(useCase, this.#buildLook(), remembered, this.#services.fetch));
    this.#findChatContainer().replaceChildren(chat);
    this.#chat = chat;
    this.#focusComposer();
  }

  #choose(event: MouseEvent, useCase: UseCase): void {
    // The browser opens the link in another tab or window.
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    ) {
      return;
    }
    event.preventDefault();
    this.#document.querySelector<HTMLElement>(`#${MENU_ID}`)?.hidePopover?.();
    if (useCase.name === this.#current?.name) return;
    this.#window.history.pushState(null, '', this.#addressOf(useCase));
    // Without the chat script, only the URL changes.
    if (this.#chat) this.#showUseCase(useCase);
  }

  #addressOf(useCase: UseCase): string {
    return `?${USE_CASE_PARAMETER}=${encodeURIComponent(useCase.name)}`;
  }

  #chooseScheme(scheme: SchemePreference): void {
    this.#scheme = scheme;
    this.#memory.keepScheme(scheme);
    this.#applyScheme();
  }

  #applyScheme(): void {
    const root = this.#document.documentElement;
    if (this.#scheme === 'system') delete root.dataset.scheme;
    else root.dataset.scheme = this.#scheme;
    this.#renderHeader();
    this.#tintBrowser();
    if (this.#chat && this.#current) {
      const thread = this.#memory.thread(this.#current.name);
      this.#chat.setOptions(buildChatOptions(this.#current, this.#buildLook(), thread, this.#services.fetch));
    }
  }

  #buildLook(): ChatLook {
    const scheme: ColorScheme =
      this.#scheme === 'system' ? (this.#systemIsDark.matches ? 'dark' : 'light') : this.#scheme;
    const accent = this.#platform ? primaryColor(this.#document, this.#platform.brand) : '';
    return {scheme, accent};
  }

  /** Sets the colour of the browser's bars on phones. */
  #tintBrowser(): void {
    let meta = this.#document.querySelector<HTMLMetaElement>('meta[name="theme-color"]');
    if (!meta) {
      meta = this.#document.createElement('meta');
      meta.name = 'theme-color';
      this.#document.head.append(meta);
    }
    const root = this.#document.documentElement;
    meta.content = this.#document.defaultView?.getComputedStyle(root).backgroundColor ?? '';
  }

  #renderHeader(): void {
    const header = this.#document.querySelector<HTMLElement>('#header');
    if (!header) return;
    render(
      headerView({
        brand: this.#platform?.brand,
        useCases: this.#platform?.useCases ?? [],
        disabled: this.#platform?.disabled ?? [],
        current: this.#current,
        scheme: this.#scheme,
        addressOf: useCase => this.#addressOf(useCase),
        onChoose: (event, useCase) => this.#choose(event, useCase),
        onScheme: scheme => this.#chooseScheme(scheme),
      }),
      header,
    );
  }

  #showNotice(
    icon: string,
    title: string,
    text: string,
    more: {readonly details?: readonly string[]; readonly onRetry?: () => void},
  ): void {
    this.#show(noticeView({icon, title, text, ...more}));
  }

  #show(view: TemplateResult): void {
    this.#chat = undefined;
    // A separate container, because Lit must not find its container emptied by the next chat.
    const container = this.#document.createElement('div');
    container.className = 'state';
    render(view, container);
    this.#findChatContainer().replaceChildren(container);
  }

  #findChatContainer(): HTMLElement {
    const main = this.#document.querySelector<HTMLElement>('#chat');
    if (!main) throw new Error('index.html has no element with the id "chat"');
    return main;
  }
}

/** Whether an error of our element has the HTTP status 404; the published type has no status. */
function isMissing(error: Error): boolean {
  return 'status' in error && error.status === 404;
}
