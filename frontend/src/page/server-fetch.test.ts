import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {buildServerFetch} from './server-fetch.js';

const SERVER = 'https://api.example';

interface Asked {
  readonly url: string;
  readonly token: string | null;
}

/** A server that knows some tokens, and gives the next one, `t1`, `t2` and so on, for those that it can renew. */
class FakeServer {
  readonly asked: Asked[] = [];
  known = new Set<string>();
  renewable = new Set<string>();
  #count = 0;

  readonly fetch: typeof fetch = async (input, init) => {
    const url = String(input);
    const token = new Headers(init?.headers).get('Authorization')?.replace('Bearer ', '') ?? null;
    this.asked.push({url, token});
    if (!url.endsWith('/api/browser-token')) {
      return new Response('', {status: token === null || this.known.has(token) ? 200 : 401});
    }
    if (token !== null && !this.renewable.has(token)) return new Response('', {status: 401});
    this.#count += 1;
    this.known.add(`t${this.#count}`);
    return Response.json({token: `t${this.#count}`});
  };

  get tokens(): readonly (string | null)[] {
    return this.asked.filter(({url}) => !url.endsWith('/api/browser-token')).map(({token}) => token);
  }
}

let server: FakeServer;

function send(storage: () => Storage = () => localStorage): typeof fetch {
  const made = buildServerFetch(server.fetch, storage);
  if (made === undefined) throw new Error('the page is the server’s own');
  return made;
}

beforeEach(() => {
  server = new FakeServer();
  localStorage.clear();
  document.head.innerHTML = `<meta name="parlor-api" content="${SERVER}/">`;
});

afterEach(() => document.head.replaceChildren());

describe('requests of an exported page', () => {
  it('need no token where the page is the server’s own', () => {
    document.head.replaceChildren();
    expect(buildServerFetch(server.fetch)).toBeUndefined();
  });

  it('that go at once share one token, which is kept', async () => {
    const first = send();
    await Promise.all([first(`${SERVER}/a`), first(`${SERVER}/b`)]);
    await send()(`${SERVER}/c`);
    expect(server.tokens).toEqual(['t1', 't1', 't1']);
    expect(server.asked).toHaveLength(4);
  });

  it('are repeated once with the next token when it has expired', async () => {
    localStorage.setItem('parlor.token', 'old');
    server.renewable.add('old');
    const response = await send()(`${SERVER}/a`, {method: 'POST', body: '{}', headers: {'X-Page': '1'}});
    expect(response.status).toBe(200);
    expect(server.tokens).toEqual(['old', 't1']);
    expect(localStorage.getItem('parlor.token')).toBe('t1');
  });

  it('begin anew with a token that the server does not know', async () => {
    localStorage.setItem('parlor.token', 'of another key');
    expect((await send()(`${SERVER}/a`)).status).toBe(200);
    expect(server.tokens).toEqual(['of another key', 't1']);
  });

  it('take the token that another tab has got meanwhile', async () => {
    localStorage.setItem('parlor.token', 'old');
    const fetch = send(() => ({
      ...localStorage,
      getItem: () => (server.asked.length === 0 ? 'old' : 'of the other tab'),
      setItem: () => {},
    }));
    server.known.add('of the other tab');
    expect((await fetch(`${SERVER}/a`)).status).toBe(200);
    expect(server.tokens).toEqual(['old', 'of the other tab']);
    expect(server.asked).toHaveLength(2);
  });

  it('work where the storage is blocked', async () => {
    const fetch = send(() => {
      throw new DOMException('blocked', 'SecurityError');
    });
    await fetch(`${SERVER}/a`);
    await fetch(`${SERVER}/b`);
    expect(server.tokens).toEqual(['t1', 't1']);
  });

  it('to other places carry no token', async () => {
    await send()('https://bucket.example/a', {method: 'PUT'});
    expect(server.asked).toEqual([{url: 'https://bucket.example/a', token: null}]);
  });

  it('that are refused twice end', async () => {
    server.known.has = () => false;
    expect((await send()(`${SERVER}/a`)).status).toBe(401);
    expect(server.tokens).toEqual(['t1', 't2']);
  });
});
