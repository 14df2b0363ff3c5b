import '../testing/happy-dom.js';
import {afterEach, expect, it, vi} from 'vitest';
import {ChatKitClient} from './client.js';
import {canMeasure, sendMeasured} from './measured-upload.js';

afterEach(() => vi.unstubAllGlobals());

/** A request that the test answers. */
class Request {
  static last: Request;
  readonly sent: unknown[] = [];
  readonly upload: {onprogress?: (event: object) => void} = {};
  status = 0;
  statusText = '';
  responseText = '';
  declare onload: () => void;
  declare onerror: () => void;
  declare onabort: () => void;
  declare onloadend: () => void;

  constructor() {
    Request.last = this;
  }

  open = (...what: unknown[]) => this.sent.push(what);
  setRequestHeader = (...what: unknown[]) => this.sent.push(what);
  send = (body: unknown) => this.sent.push(body);
  abort = () => this.onabort();
}

function send(signal: AbortSignal, shares: number[] = []) {
  vi.stubGlobal('XMLHttpRequest', Request);
  const body = new File(['bytes'], 'x');
  return sendMeasured('/up', {method: 'PUT', headers: {'x-a': '1'}, body, signal}, share => shares.push(share));
}

it('tells how much of a file is on its way, and answers as fetch does', async () => {
  const shares: number[] = [];
  const answer = send(new AbortController().signal, shares);
  const request = Request.last;
  expect(request.sent.slice(0, 2)).toEqual([
    ['PUT', '/up'],
    ['x-a', '1'],
  ]);
  request.upload.onprogress?.({loaded: 1, total: 4, lengthComputable: true});
  request.upload.onprogress?.({loaded: 1, total: 0, lengthComputable: false});
  Object.assign(request, {status: 413, responseText: '{"error":{}}'});
  request.onload();
  const response = await answer;
  expect([response.status, await response.text(), shares]).toEqual([413, '{"error":{}}', [0.25]]);
});

it('has no body where none may be', async () => {
  const answer = send(new AbortController().signal);
  Request.last.status = 204;
  Request.last.onload();
  expect((await answer).status).toBe(204);
});

it('ends with the reason of an abort, and with an error when the line breaks', async () => {
  const abort = new AbortController();
  const aborted = send(abort.signal);
  abort.abort(new DOMException('Removed.', 'AbortError'));
  await expect(aborted).rejects.toThrow('Removed.');
  const broken = send(new AbortController().signal);
  Request.last.onerror();
  await expect(broken).rejects.toThrow(TypeError);
});

it('is left to fetch where listening would change the request', () => {
  vi.stubGlobal('XMLHttpRequest', Request);
  expect(canMeasure('/up', 'POST')).toBe(true);
  expect(canMeasure('https://elsewhere.example/up', 'PUT')).toBe(true);
  expect(canMeasure('https://elsewhere.example/up', 'POST')).toBe(false);
});

it('is what a client sends files by, unless the page has a fetch of its own', async () => {
  const shares: number[] = [];
  const file = {url: '/up', method: 'PUT', headers: {}, body: new File(['bytes'], 'x')} as const;
  const client = new ChatKitClient(() => {});
  client.configure({url: '/chatkit', locale: 'en', fetch: undefined});
  vi.stubGlobal('XMLHttpRequest', Request);
  const before = Request.last;
  const answer = client.upload({...file, onProgress: share => shares.push(share)});
  await vi.waitFor(() => expect(Request.last).not.toBe(before));
  Request.last.upload.onprogress?.({loaded: 3, total: 4, lengthComputable: true});
  Object.assign(Request.last, {status: 200, responseText: '{"id":"f"}'});
  Request.last.onload();
  expect([await answer, shares]).toEqual([{id: 'f'}, [0.75]]);

  const measured = Request.last;
  client.configure({url: '/chatkit', locale: 'en', fetch: async () => new Response('{"id":"g"}')});
  expect(await client.upload({...file, onProgress: share => shares.push(share)})).toEqual({id: 'g'});
  expect([Request.last, shares.length]).toEqual([measured, 1]);
});
