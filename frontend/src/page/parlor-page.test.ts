import type {ChatKitOptions} from '@openai/chatkit';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {CHATKIT_TAG} from './chat-script.js';
import {type PageServices, ParlorPage} from './parlor-page.js';
import {DEFAULT_CHATKIT_URL, type DisabledUseCase, type Platform, PlatformError, type UseCase} from './platform.js';

/** Stands in for the chat: remembers the options it was given. */
class RecordingChat extends HTMLElement {
  readonly received: ChatKitOptions[] = [];

  setOptions(options: ChatKitOptions): void {
    this.received.push(options);
  }
}

function useCase(name: string, title: string, isDefault = false): UseCase {
  return {
    name,
    title,
    description: '',
    icon: 'sun',
    greeting: undefined,
    prompts: [],
    composer: {},
    accentColor: undefined,
    isDefault,
  };
}

const PLATFORM: Platform = {
  brand: {
    name: 'Acme',
    tagline: 'Ask us',
    logoUrl: '/logo.png',
    primaryColor: '#0f766e',
    faviconUrl: '/icon.png',
    chatkitJsUrl: DEFAULT_CHATKIT_URL,
  },
  useCases: [useCase('todo', 'To-do list'), useCase('weather', 'Weather', true)],
  disabled: [],
};

const DOWN: DisabledUseCase = {
  name: 'crm',
  message: 'It cannot be reached.',
  errorId: '',
  title: 'Customers',
  icon: 'users',
};

let page: ParlorPage | undefined;

async function show(address: string, services: Partial<PageServices> = {}): Promise<void> {
  history.replaceState(null, '', address);
  page = new ParlorPage(window, {loadPlatform: async () => PLATFORM, loadChatScript: async () => {}, ...services});
  await page.start();
}

function find<T extends Element = HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

const chat = (): RecordingChat => find<RecordingChat>(CHATKIT_TAG);
const link = (title: string): HTMLAnchorElement => {
  const found = [...document.querySelectorAll<HTMLAnchorElement>('nav a')].find(a => a.textContent?.includes(title));
  if (!found) throw new Error(`there is no link ${title}`);
  return found;
};
const shownUrl = (): unknown => chat().received.at(-1)?.api;
const click = (title: string, init: MouseEventInit = {}): boolean =>
  link(title).dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, ...init}));
const changeThread = (threadId: string | null): boolean =>
  chat().dispatchEvent(new CustomEvent('chatkit.thread.change', {detail: {threadId}}));
const settle = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

describe('ParlorPage', () => {
  beforeAll(() => customElements.define(CHATKIT_TAG, RecordingChat));

  beforeEach(() => {
    localStorage.clear();
    document.head.innerHTML = '<link rel="icon" href="/favicon.ico">';
    document.body.innerHTML = '<header id="header"></header><main id="chat"></main>';
  });

  afterEach(() => page?.stop());

  it('tells our element that the server resumes answers, in a way that no other implementation minds', async () => {
    await show('/');
    expect(chat().getAttribute('data-parlor-resume')).toBe('');
    expect(chat().received.at(-1)).not.toHaveProperty('parlor');
  });

  it('shows the default use case under the brand', async () => {
    await show('/');
    expect(shownUrl()).toMatchObject({url: '/chatkit/weather'});
    expect(document.title).toBe('Weather · Acme');
    expect(find('.brand').textContent).toContain('Ask us');
    expect(find<HTMLLinkElement>('link[rel="icon"]').getAttribute('href')).toContain('/icon.png');
    expect(chat().received[0]?.theme).toMatchObject({color: {accent: {primary: '#0f766e'}}});
  });

  it('shows the use case that the address names', async () => {
    await show('/?use_case=todo');
    expect(shownUrl()).toMatchObject({url: '/chatkit/todo'});
    expect(link('To-do').getAttribute('aria-current')).toBe('page');
    expect(link('Weather').hasAttribute('aria-current')).toBe(false);
  });

  it('corrects an address that names nothing', async () => {
    await show('/?use_case=stocks');
    expect(location.search).toBe('?use_case=weather');
  });

  it('makes a fresh chat and a shareable address when another use case is chosen', async () => {
    await show('/');
    const first = chat();
    expect(click('To-do')).toBe(false);
    expect(chat()).not.toBe(first);
    expect(location.search).toBe('?use_case=todo');
    expect(document.title).toBe('To-do list · Acme');
  });

  it('leaves a click that opens another window to the browser', async () => {
    await show('/');
    expect(click('To-do', {ctrlKey: true})).toBe(true);
    expect(shownUrl()).toMatchObject({url: '/chatkit/weather'});
  });

  it('follows the browser’s back button', async () => {
    await show('/');
    click('To-do');
    history.replaceState(null, '', '/?use_case=weather');
    window.dispatchEvent(new PopStateEvent('popstate'));
    expect(shownUrl()).toMatchObject({url: '/chatkit/weather'});
  });

  it('resumes each use case’s own thread, also after a reload', async () => {
    await show('/?use_case=weather');
    changeThread('thr_w');
    click('To-do');
    expect(chat().received[0]?.initialThread).toBeNull();
    changeThread('thr_t');
    click('Weather');
    expect(chat().received[0]?.initialThread).toBe('thr_w');
    page?.stop();
    await show('/?use_case=todo');
    expect(chat().received[0]?.initialThread).toBe('thr_t');
  });

  it('forgets the thread when the person starts a new chat', async () => {
    await show('/?use_case=todo');
    changeThread('thr_t');
    changeThread(null);
    page?.stop();
    await show('/?use_case=todo');
    expect(chat().received[0]?.initialThread).toBeNull();
  });

  it.each([
    [404, null],
    [0, 'thr_t'],
  ])('keeps a thread that could not be resumed unless it is gone (status %d)', async (status, expected) => {
    await show('/?use_case=todo');
    changeThread('thr_t');
    page?.stop();
    await show('/?use_case=todo');
    const error = Object.assign(new Error('failed'), {status});
    chat().dispatchEvent(new CustomEvent('chatkit.error', {detail: {error}}));
    page?.stop();
    await show('/?use_case=todo');
    expect(chat().received[0]?.initialThread).toBe(expected);
  });

  it('changes the colour scheme of page and chat, and remembers it', async () => {
    await show('/');
    const first = chat();
    const dark = find<HTMLInputElement>('input[value="dark"]');
    dark.checked = true;
    dark.dispatchEvent(new Event('change', {bubbles: true}));
    expect(document.documentElement.dataset.scheme).toBe('dark');
    expect(chat()).toBe(first);
    expect(first.received.at(-1)?.theme).toMatchObject({colorScheme: 'dark'});
    page?.stop();
    await show('/');
    expect(chat().received[0]?.theme).toMatchObject({colorScheme: 'dark'});
  });

  it.each([
    [new PlatformError(0), 'cannot be reached'],
    [new PlatformError(500, 'err_42'), 'err_42'],
  ])('says so when the service does not answer well, and tries again on request', async (failure, text) => {
    const answers: (() => Promise<Platform>)[] = [() => Promise.reject(failure), async () => PLATFORM];
    await show('/', {loadPlatform: async () => answers.shift()?.() ?? PLATFORM});
    expect(find('[role=alert]').textContent).toContain(text);
    find<HTMLButtonElement>('[role=alert] button').click();
    await settle();
    expect(shownUrl()).toMatchObject({url: '/chatkit/weather'});
    expect(document.querySelector('[role=alert]')).toBeNull();
  });

  it('says so when the chat’s script does not arrive, and tries again on request', async () => {
    let attempts = 0;
    const loadChatScript = async (): Promise<void> => {
      attempts += 1;
      if (attempts === 1) throw new Error('404');
    };
    await show('/', {loadChatScript});
    expect(find('[role=alert]').textContent).toContain(DEFAULT_CHATKIT_URL);
    find<HTMLButtonElement>('[role=alert] button').click();
    await settle();
    expect(shownUrl()).toMatchObject({url: '/chatkit/weather'});
  });

  it('names what is disabled when nothing can be shown', async () => {
    const disabled = [{...DOWN, message: 'It could not be loaded.', errorId: 'err_7', title: undefined}];
    await show('/', {loadPlatform: async () => ({...PLATFORM, useCases: [], disabled})});
    expect(find('[role=alert]').textContent).toContain('crm: It could not be loaded. err_7');
    expect(document.querySelector(CHATKIT_TAG)).toBeNull();
  });

  it('shows an assistant of another service that is down as such', async () => {
    const services = {loadPlatform: async () => ({...PLATFORM, disabled: [DOWN, {...DOWN, title: undefined}]})};
    await show('/?use_case=crm', services);
    const down = [...document.querySelectorAll('nav .is-down')];
    expect(down.map(each => each.textContent?.trim())).toEqual(['CustomersIt cannot be reached.']);
    expect(find('.hint').textContent).toContain('“Customers” cannot be reached');
    expect(shownUrl()).toMatchObject({url: '/chatkit/weather'});
  });

  it('offers no switcher for a single use case', async () => {
    await show('/', {loadPlatform: async () => ({...PLATFORM, useCases: [useCase('weather', 'Weather')]})});
    expect(document.querySelector('nav')).toBeNull();
  });

  it('writes texts from the server as text', async () => {
    const brand = {...PLATFORM.brand, name: '<img src=x onerror=alert(1)>'};
    await show('/', {loadPlatform: async () => ({...PLATFORM, brand})});
    expect(find('.brand-name').textContent).toBe(brand.name);
  });
});
