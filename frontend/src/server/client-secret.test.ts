import {describe, expect, it, vi} from 'vitest';
import {type Call, FakeServer} from '../testing/fake-server.js';
import {ChatKitClient} from './client.js';
import type {ReadClientSecret} from './client-secret.js';
import {isSignedOut} from './request-error.js';

const LIST = {type: 'threads.list', params: {limit: 1, order: 'desc'}} as const;

function buildHostedClient(getClientSecret: ReadClientSecret, server: FakeServer): ChatKitClient {
  const client = new ChatKitClient();
  client.configure({url: 'https://own.example/chatkit', locale: 'en', fetch: server.fetch as never, getClientSecret});
  return client;
}

const bearers = (server: FakeServer) => server.calls.map(({headers}) => headers.Authorization);

describe('hosted mode', () => {
  it('asks the page once, with null, before any request, however often the options come', async () => {
    const read = vi.fn(async () => 'one');
    const server = new FakeServer();
    const client = buildHostedClient(read, server);
    void client.prepare();
    client.configure({
      url: 'https://own.example/chatkit',
      locale: 'en',
      fetch: server.fetch as never,
      getClientSecret: read,
    });
    await client.prepare();
    expect(read).toHaveBeenCalledExactlyOnceWith(null);
    expect(server.calls).toEqual([]);
    await client.send(LIST);
    await client.send(LIST);
    expect(read).toHaveBeenCalledTimes(1);
    expect(bearers(server)).toEqual(['Bearer one', 'Bearer one']);
  });

  it('renews a refused secret once for all requests that it was refused to, and repeats each of them once', async () => {
    const read = vi.fn(async (current: string | null) => (current === null ? 'old' : 'new'));
    const refuse = ({headers}: Call) =>
      headers.Authorization === 'Bearer old' ? new Response('', {status: 401}) : {data: [], has_more: false};
    const server = new FakeServer({'threads.list': refuse});
    const client = buildHostedClient(read, server);
    await Promise.all([client.send(LIST), client.send(LIST), client.send(LIST)]);
    expect(read.mock.calls).toEqual([[null], ['old']]);
    expect(bearers(server).toSorted()).toEqual([...Array(3).fill('Bearer new'), ...Array(3).fill('Bearer old')]);
  });

  it('does not go round in circles when the new secret is refused too', async () => {
    const read = vi.fn(async () => 'bad');
    const server = new FakeServer({'threads.list': () => new Response('', {status: 401})});
    await expect(buildHostedClient(read, server).send(LIST)).rejects.toMatchObject({
      status: 401,
      message: 'You are signed out.',
    });
    expect(server.calls).toHaveLength(2);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('No session.')), 'No session.'],
    [
      'throws',
      () => {
        throw new Error('No session.');
      },
      'No session.',
    ],
    ['gives nothing', () => undefined, 'no secret'],
  ])('names the callback that %s, sends nothing, and asks again with the next request', async (_, fail, words) => {
    let isBroken = true;
    const server = new FakeServer();
    const client = buildHostedClient(() => (isBroken ? fail() : 'fine'), server);
    const named = {
      message: 'The page could not sign you in.',
      cause: {message: expect.stringMatching(new RegExp(`getClientSecret.*${words}`))},
    };
    await expect(client.prepare()).rejects.toMatchObject(named);
    await expect(client.prepare()).resolves.toBeUndefined();
    await expect(client.send(LIST)).rejects.toMatchObject(named);
    expect(server.calls).toEqual([]);
    isBroken = false;
    await client.send(LIST);
    expect(bearers(server)).toEqual(['Bearer fine']);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('{"error":"gone"}')), '{"error":"gone"}'],
    ['gives nothing', () => undefined, 'returned no secret'],
  ])(
    'says that the person is signed out when the callback %s at renewal, and tells the page why',
    async (_, fail, why) => {
      const server = new FakeServer({'threads.list': () => new Response('', {status: 401})});
      const reports: [string, Record<string, unknown>][] = [];
      const client = new ChatKitClient((...report) => reports.push(report));
      const getClientSecret = (current: string | null) => (current === null ? 'old' : fail());
      client.configure({url: '/chatkit', locale: 'en', fetch: server.fetch as never, getClientSecret});
      const failure = await client.send(LIST).catch((error: unknown) => error);
      expect(isSignedOut(failure)).toBe(true);
      expect(failure).toMatchObject({message: 'You are signed out.', cause: {message: expect.stringContaining(why)}});
      expect(reports).toEqual([['client_secret.not_renewed', {reason: expect.stringContaining(why)}]]);
      expect(server.calls).toHaveLength(1);
    },
  );

  it('does not wait for a callback that never settles once the request is given up', async () => {
    const controller = new AbortController();
    const sending = buildHostedClient(() => new Promise(() => {}), new FakeServer()).send(LIST, controller.signal);
    controller.abort(new DOMException('Left.', 'AbortError'));
    await expect(sending).rejects.toThrow('Left.');
  });

  it('sends the secret to the chat’s server and nowhere else', async () => {
    const calls: [string, RequestInit][] = [];
    const fetch = async (url: string, init: RequestInit) => {
      calls.push([url, init]);
      return Response.json({});
    };
    const client = new ChatKitClient();
    client.configure({url: '/chatkit', locale: 'en', fetch: fetch as never, getClientSecret: async () => 'one'});
    await client.upload(
      {url: 'https://store.example/x', method: 'PUT', headers: {'x-a': '1'}, body: new File(['bytes'], 'x')},
      new AbortController().signal,
    );
    expect(calls[0]?.[1].headers).toEqual({'x-a': '1'});
  });
});
