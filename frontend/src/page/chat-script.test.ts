import type {DetachedWindowAPI} from 'happy-dom';
import {afterEach, beforeAll, describe, expect, it, vi} from 'vitest';
import {CHATKIT_TAG, loadChatScript} from './chat-script.js';

const URL = '/chatkit.js';
const scripts = (): HTMLScriptElement[] => [...document.head.querySelectorAll<HTMLScriptElement>('script')];

declare const happyDOM: DetachedWindowAPI;

describe('loadChatScript', () => {
  beforeAll(() => {
    // The test itself says what became of the script.
    happyDOM.settings.handleDisabledFileLoadingAsSuccess = true;
  });

  afterEach(() => {
    for (const script of scripts()) script.remove();
  });

  it('rejects when the script cannot be loaded, and leaves no tag, so that it can be tried again', async () => {
    const loading = loadChatScript(document, URL);
    scripts()[0]?.dispatchEvent(new Event('error'));
    await expect(loading).rejects.toThrow('/chatkit.js could not be loaded');
    expect(scripts()).toEqual([]);
  });

  it('names its address as trusted where the page requires that', async () => {
    const createScriptURL = vi.fn((url: string) => `${url}#trusted`);
    vi.stubGlobal('trustedTypes', {createPolicy: () => ({createScriptURL})});
    const loading = loadChatScript(document, URL);
    vi.unstubAllGlobals();
    expect(scripts()[0]?.src).toContain('/chatkit.js#trusted');
    scripts()[0]?.dispatchEvent(new Event('error'));
    await expect(loading).rejects.toThrow();
  });

  it('rejects when the script defines no element in time', async () => {
    await expect(loadChatScript(document, URL, 0)).rejects.toThrow('/chatkit.js defined no openai-chatkit');
    expect(scripts()).toEqual([]);
  });

  it('resolves once the element is defined, and asks for nothing after that', async () => {
    const loading = loadChatScript(document, URL);
    customElements.define(CHATKIT_TAG, class extends HTMLElement {});
    await loading;
    for (const script of scripts()) script.remove();
    await loadChatScript(document, URL);
    expect(scripts()).toEqual([]);
  });
});
