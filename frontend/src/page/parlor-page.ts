/** The controller of the page: chooses the use case, puts its chat there, and says why when there is none. */
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

/** The page's requests to the server, which tests answer themselves. */
export interface PageServices {
  readonly loadPlatform: () => Promise<Platform>;
  readonly loadChatScript: (url: string) => Promise<void>;
  /** The way to the server, where it is not the browser's own. */
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

  /** Loads what the page shows. Never rejects: what goes wrong is told on the page. */
  async start(): Promise<void> {
    const {signal} = this.#stopped;
    this.#systemIsDark.addEventListener('change', () => this.#applyScheme(), {signal});
    this.#window.addEventListener('popstate', () => this.#showAddressed(), {signal});
    this.#applyScheme();
    await this.#load();
  }

  /** Leaves nothing behind that listens. */
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
    const answered = error instanceof PlatformError && error.status !== 0 ? error : undefined;
    this.#showNotice(
      'globe',
      answered ? pageStrings.problem : pageStrings.unreachable,
      answered ? pageStrings.problemText(String(answered.errorId ?? answered.status)) : pageStrings.unreachableText,
      {onRetry: () => this.#reload()},
    );
  }

  /** Shows the use case that the address names, or the default one. */
  #showAddressed(): void {
    const useCases = this.#platform?.useCases ?? [];
    const name = new URL(this.#window.location.href).searchParams.get(USE_CASE_PARAMETER);
    const useCase =
      useCases.find(candidate => candidate.name === name) ??
      useCases.find(candidate => candidate.isDefault) ??
      useCases[0];
    if (!useCase) return;
    // An address that names nothing would be shared as it is.
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
    const place = this.#document.createElement('div');
    render(
      hintView(text, () => {
        place.remove();
        this.#focusComposer();
      }),
      place,
    );
    this.#main().prepend(place);
  }

  /** Who comes to a chat comes to write; a keyboard on the screen would take half of it. */
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
    // An attribute, not an option: the hosted implementation refuses options that it does not know.
    chat.setAttribute('data-parlor-resume', '');
    chat.setAttribute('data-parlor-drafts', '');
    chat.setAttribute('data-parlor-sidebar', '');
    chat.setAttribute('data-parlor-page-drop', '');
    // Our policy keeps out pictures of other origins; `/picture` shows the one that a person asks for.
    chat.setAttribute('data-parlor-image-frame', serverAddress('/picture'));
    const {maxChars} = useCase.composer;
    if (typeof maxChars === 'number') chat.setAttribute('data-parlor-max-chars', String(maxChars));
    const remembered = this.#memory.thread(useCase.name);
    let isResuming = remembered !== null;
    // Before it is attached: it may load its thread at once.
    chat.addEventListener('chatkit.thread.change', event => {
      isResuming = false;
      this.#memory.keepThread(useCase.name, event.detail.threadId);
    });
    chat.addEventListener('chatkit.error', event => {
      // Deleted elsewhere: told once, not at every visit. Any other failure may pass, and the thread is kept.
      if (isResuming && isMissing(event.detail.error)) this.#memory.keepThread(useCase.name, null);
    });
    chat.setOptions(buildChatOptions(useCase, this.#look(), remembered, this.#services.fetch));
    this.#main().replaceChildren(chat);
    this.#chat = chat;
    this.#focusComposer();
  }

  #choose(event: MouseEvent, useCase: UseCase): void {
    // Another tab or window is the browser's affair.
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
    // While the chat's script is missing, choosing only changes the address.
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
      this.#chat.setOptions(buildChatOptions(this.#current, this.#look(), thread, this.#services.fetch));
    }
  }

  #look(): ChatLook {
    const scheme: ColorScheme =
      this.#scheme === 'system' ? (this.#systemIsDark.matches ? 'dark' : 'light') : this.#scheme;
    const accent = this.#platform ? primaryColor(this.#document, this.#platform.brand) : '';
    return {scheme, accent};
  }

  /** Colours the browser's own bars on phones. */
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
    // A container of its own: Lit must not find its place emptied by the chat that follows.
    const container = this.#document.createElement('div');
    container.className = 'state';
    render(view, container);
    this.#main().replaceChildren(container);
  }

  #main(): HTMLElement {
    const main = this.#document.querySelector<HTMLElement>('#chat');
    if (!main) throw new Error('index.html has no element with the id "chat"');
    return main;
  }
}

/** Our element's errors carry the HTTP status; the published type does not say so. */
function isMissing(error: Error): boolean {
  return 'status' in error && error.status === 404;
}
