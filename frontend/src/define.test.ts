import './testing/happy-dom.js';
import type {ChatKitOptions} from '@openai/chatkit';
import {afterEach, describe, expect, it, vi} from 'vitest';
import './define.js';
import {OpenAIChatKitElement} from './element.js';
import {assistant, created, done, FakeServer, user} from './testing/fake-server.js';

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

async function mount(tag: string, api: object, options: object = {}) {
  const element = document.createElement(tag) as OpenAIChatKitElement;
  const logs: unknown[] = [];
  element.addEventListener('chatkit.log', event => logs.push((event as CustomEvent).detail));
  document.body.append(element);
  const ready = new Promise(resolve => element.addEventListener('chatkit.ready', resolve, {once: true}));
  element.setOptions({api, ...options} as unknown as ChatKitOptions);
  await element.updateComplete;
  await ready;
  return {element, logs};
}

const composerOf = (element: Element) => element.shadowRoot?.querySelector('parlor-composer')?.shadowRoot;

describe('the script', () => {
  it('defines its public tags while it runs, before it fetches any part', () => {
    expect(customElements.get('openai-chatkit')).toBe(OpenAIChatKitElement);
    expect(customElements.get('parlor-chat')).toBeDefined();
    for (const name of ['history', 'dictation', 'structured-input', 'workflow']) {
      expect(customElements.get(`parlor-${name}`)).toBeUndefined();
    }
  });

  it('offers the element under a name of its own as well', async () => {
    const server = new FakeServer({
      'threads.create': () => [created, done(user('Hi')), done(assistant('a', 'Hello.'))],
    });
    const {element} = await mount('parlor-chat', {url: '/chatkit', domainKey: 'k', fetch: server.fetch});
    expect(element).toBeInstanceOf(OpenAIChatKitElement);
    await element.sendUserMessage({text: 'Hi'});
    expect(server.types()).toEqual(['threads.create']);
    await vi.waitFor(() => expect(element.shadowRoot?.querySelector('parlor-messages')).not.toBeNull());
  });
});

describe('attachments without an upload strategy', () => {
  const composer = {attachments: {enabled: true}};

  it('use two phases where the server is the hosted one', async () => {
    const getClientSecret = async () => 'secret';
    const {element} = await mount('openai-chatkit', {getClientSecret}, {composer, parlor: {baseUrl: '/chatkit'}});
    await vi.waitFor(() => expect(composerOf(element)?.querySelector('input[type=file]')).not.toBeNull());
  });

  it('are hidden where the server is the page’s own, and the log says why', async () => {
    const server = new FakeServer();
    const {element, logs} = await mount(
      'openai-chatkit',
      {url: '/chatkit', domainKey: 'k', fetch: server.fetch},
      {composer},
    );
    await vi.waitFor(() => expect(logs).toContainEqual(expect.objectContaining({name: 'composer.attachments_off'})));
    expect(composerOf(element)?.querySelector('input[type=file]')).toBeNull();
  });
});
