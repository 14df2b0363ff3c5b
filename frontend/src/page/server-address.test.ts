import {afterEach, describe, expect, it} from 'vitest';
import {isServerElsewhere, serverAddress} from './server-address.js';

const HERE = 'http://localhost:3000';

function exportTo(api: string): void {
  const meta = document.createElement('meta');
  meta.name = 'parlor-api';
  meta.content = api;
  document.head.append(meta);
}

afterEach(() => document.head.replaceChildren());

describe('an address of the server', () => {
  it.each([
    [`${HERE}/`, '/api/branding', '/api/branding'],
    [`${HERE}/tools/chat/`, '/api/branding', '/tools/chat/api/branding'],
    [`${HERE}/tools/chat/?use_case=todo#x`, '/chatkit/to%20do', '/tools/chat/chatkit/to%20do'],
    ['https://api.example/', '/static/logo.svg?v=2', 'https://api.example/static/logo.svg?v=2'],
    ['https://api.example/chat/', '/chatkit/todo', 'https://api.example/chat/chatkit/todo'],
  ])('of the page at %s lies beside it', (base, path, expected) => {
    const page = document.baseURI;
    const address = serverAddress(path, base.startsWith(HERE) ? base.replace(HERE, new URL(page).origin) : base);
    expect(address).toBe(expected);
  });

  it.each(['https://cdn.example/logo.png', '//cdn.example/logo.png', 'logo.png'])('%s is left as it is', address => {
    expect(serverAddress(address, `${HERE}/tools/`)).toBe(address);
  });

  it('is what an exported page says', () => {
    expect(isServerElsewhere()).toBe(false);
    exportTo('https://api.example/chat/');
    expect(isServerElsewhere()).toBe(true);
    expect(serverAddress('/api/use-cases')).toBe('https://api.example/chat/api/use-cases');
  });
});
