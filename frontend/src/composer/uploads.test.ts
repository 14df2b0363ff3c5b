import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {ChatKitClient} from '../server/client.js';
import {readUploadRules} from './upload-rules.js';
import {type UploadStrategy, Uploads} from './uploads.js';

interface Call {
  readonly url: string;
  readonly init: RequestInit;
  /** Type of the operation; `undefined` for bytes. */
  readonly type: string | undefined;
  readonly params: Record<string, unknown>;
}
type Answer = Response | Promise<Response>;

let previews: string[];
beforeEach(() => {
  previews = [];
  let count = 0;
  vi.stubGlobal(
    'URL',
    Object.assign(URL, {
      createObjectURL: () => {
        const url = `blob:${count++}`;
        previews.push(url);
        return url;
      },
      revokeObjectURL: (url: string) => previews.splice(previews.indexOf(url), 1),
    }),
  );
});
afterEach(() => vi.unstubAllGlobals());

function start(answer: (call: Call) => Answer, strategy: UploadStrategy = {type: 'two_phase'}, option: object = {}) {
  const calls: Call[] = [];
  const problems: string[] = [];
  const client = new ChatKitClient();
  const fetching = async (url: string, init: RequestInit): Promise<Response> => {
    const json = typeof init.body === 'string' ? JSON.parse(init.body) : {};
    const call: Call = {url, init, type: json.type, params: json.params};
    calls.push(call);
    return answer(call);
  };
  client.configure({url: '/chatkit', locale: 'en', fetch: fetching as typeof fetch});
  const uploads = new Uploads({client, changed: () => {}, failed: error => problems.push(error.message)});
  uploads.configure(readUploadRules({enabled: true, ...option}), strategy);
  return {uploads, calls, problems};
}

const created = (descriptor: object, extra: object = {}) =>
  Response.json({type: 'file', id: 'atc_1', name: 'a.txt', mime_type: 'text/plain', ...descriptor, ...extra});
const statuses = (uploads: Uploads) => uploads.list.map(({status}) => status);
const waitForStatuses = (uploads: Uploads, ...wanted: string[]) =>
  vi.waitFor(() => expect(statuses(uploads)).toEqual(wanted));
const fileOf = (call: Call | undefined) => (call?.init.body as FormData | undefined)?.get('file') as File;
const TEXT = new File(['hello'], 'a.txt', {type: 'text/plain'});
const IMAGE = new File(['png'], 'b.png', {type: 'image/png'});

describe('an upload in two phases', () => {
  it('asks for a place, posts the file there as a form, and keeps our headers to itself', async () => {
    const descriptor = {upload_descriptor: {url: 'https://files/1', method: 'POST', headers: {'X-Sig': 's'}}};
    const {uploads, calls} = start(call => (call.type ? created(descriptor) : new Response('ok')));
    uploads.add([TEXT]);
    await waitForStatuses(uploads, 'done');
    expect(calls.map(({url}) => url)).toEqual(['/chatkit', 'https://files/1']);
    expect(calls[0]?.params).toEqual({name: 'a.txt', size: 5, mime_type: 'text/plain'});
    expect(calls[1]?.init).toMatchObject({method: 'POST', headers: {'X-Sig': 's'}});
    expect(fileOf(calls[1]).name).toBe('a.txt');
    expect(uploads.ready).toMatchObject([{id: 'atc_1', type: 'file'}]);
  });

  it('puts the bare bytes where the place wants them', async () => {
    const headers = {'x-ms-blob-type': 'BlockBlob'};
    const descriptor = {upload_descriptor: {url: 'https://files/1', method: 'PUT', headers}};
    const {uploads, calls} = start(call => (call.type ? created(descriptor) : new Response(null, {status: 201})));
    uploads.add([TEXT]);
    await waitForStatuses(uploads, 'done');
    expect(calls[1]?.init).toMatchObject({method: 'PUT', headers, body: TEXT});
  });

  it('understands the older `upload_url`', async () => {
    for (const place of [{upload_url: '/up/1'}, {upload_url: '/up/1', upload_descriptor: null}]) {
      const {uploads, calls} = start(call => (call.type ? created(place) : new Response('')));
      uploads.add([TEXT]);
      await waitForStatuses(uploads, 'done');
      expect(calls[1]).toMatchObject({url: '/up/1', init: {method: 'POST'}});
    }
  });

  it('takes over what the upload says about the file', async () => {
    const image = {type: 'image', id: 'atc_1', name: 'b.png', mime_type: 'image/png', preview_url: '/p.png'};
    const {uploads} = start(call => (call.type ? created({upload_url: '/up'}) : Response.json(image)));
    uploads.add([IMAGE]);
    await waitForStatuses(uploads, 'done');
    expect(uploads.ready).toMatchObject([{type: 'image', previewUrl: '/p.png'}]);
  });

  it('gives a file without a type the one of its extension, in both requests', async () => {
    const {uploads, calls} = start(call => (call.type ? created({upload_url: '/up'}) : new Response('')));
    uploads.add([new File(['x'], 'übersicht "1".csv')]);
    await waitForStatuses(uploads, 'done');
    expect(calls[0]?.params).toMatchObject({name: 'übersicht "1".csv', mime_type: 'text/csv'});
    expect(fileOf(calls[1]).type).toBe('text/csv');
  });
});

it('a direct upload posts the file and gets the attachment back', async () => {
  const {uploads, calls} = start(() => created({}), {type: 'direct', uploadUrl: '/files'});
  uploads.add([TEXT]);
  await waitForStatuses(uploads, 'done');
  expect(calls.map(({url, init}) => [url, init.method])).toEqual([['/files', 'POST']]);
  expect(uploads.ready).toMatchObject([{id: 'atc_1'}]);
});

describe('a failed upload', () => {
  it('says so, blocks nothing else, and asks for a new place when it is tried again', async () => {
    let isDown = true;
    const {uploads, calls, problems} = start(call => {
      if (call.type === 'attachments.delete') return Response.json({});
      if (call.type) return created({upload_url: '/up'}, {id: `atc_${calls.length}`});
      return isDown ? new Response('', {status: 503}) : new Response('');
    });
    uploads.add([TEXT]);
    await waitForStatuses(uploads, 'failed');
    expect(problems).toEqual([expect.stringMatching(/^“a\.txt” could not be uploaded\. .*503/)]);
    expect(uploads.ready).toEqual([]);
    isDown = false;
    uploads.retry(uploads.list[0]?.key ?? '');
    await waitForStatuses(uploads, 'done');
    const types = calls.map(({type}) => type ?? 'bytes').toSorted();
    // The first place is given back.
    expect(types).toEqual(['attachments.create', 'attachments.create', 'attachments.delete', 'bytes', 'bytes']);
    expect(uploads.ready).toMatchObject([{id: 'atc_4'}]);
  });

  it('does not hide why others have failed, or were not taken', async () => {
    const {uploads, problems} = start(() => new Response('', {status: 503}), undefined, {
      accept: {'text/plain': ['.txt']},
    });
    uploads.add([TEXT, IMAGE, new File(['words'], 'c.txt', {type: 'text/plain'})]);
    await waitForStatuses(uploads, 'failed', 'failed');
    expect(problems.at(-1)?.split('\n')).toEqual([
      expect.stringMatching(/^“b\.png” is of a type/),
      expect.stringMatching(/^“a\.txt” could not be uploaded/),
      expect.stringMatching(/^“c\.txt” could not be uploaded/),
    ]);
    uploads.retry(uploads.list[0]?.key ?? '');
    await waitForStatuses(uploads, 'failed', 'failed');
    uploads.remove(uploads.list[0]?.key ?? '');
    uploads.add([IMAGE]);
    expect(problems.at(-1)?.split('\n')).toHaveLength(2);
  });

  it('is one too when the server names no place', async () => {
    const {uploads, problems} = start(() => created({}));
    uploads.add([TEXT]);
    await waitForStatuses(uploads, 'failed');
    expect(problems[0]).toContain('did not say where');
  });
});

describe('removing', () => {
  it('deletes on the server, whose refusal changes nothing', async () => {
    const {uploads, calls, problems} = start(call => {
      if (call.type === 'attachments.delete') return new Response('', {status: 500});
      return call.type ? created({upload_url: '/up'}) : new Response('');
    });
    uploads.add([TEXT]);
    await waitForStatuses(uploads, 'done');
    uploads.remove(uploads.list[0]?.key ?? '');
    expect(uploads.list).toEqual([]);
    await vi.waitFor(() => expect(calls.at(-1)?.params).toEqual({attachment_id: 'atc_1'}));
    expect(problems).toEqual([]);
  });

  it('aborts what is still on its way', async () => {
    const {uploads, calls, problems} = start(call =>
      call.type ? created({upload_url: '/up'}) : new Promise(() => {}),
    );
    uploads.add([TEXT]);
    await vi.waitFor(() => expect(calls).toHaveLength(2));
    uploads.remove(uploads.list[0]?.key ?? '');
    expect(calls[1]?.init.signal?.aborted).toBe(true);
    expect(problems).toEqual([]);
  });

  it('leaves files that the page uploaded to the page', () => {
    const {uploads, calls} = start(() => created({}));
    uploads.replaceWith([{type: 'file', id: 'own', name: 'x', mimeType: 'text/plain', previewUrl: undefined}]);
    uploads.remove(uploads.list[0]?.key ?? '');
    expect(uploads.list).toEqual([]);
    expect(calls).toEqual([]);
  });
});

it('previews of images live as long as the file is in the message', async () => {
  const {uploads} = start(call => (call.type ? created({upload_url: '/up'}) : new Response('')));
  uploads.add([IMAGE, TEXT, IMAGE]);
  expect(uploads.list.map(({previewUrl}) => previewUrl)).toEqual(['blob:0', undefined, 'blob:1']);
  await waitForStatuses(uploads, 'done', 'done', 'done');
  uploads.remove(uploads.list[0]?.key ?? '');
  expect(previews).toEqual(['blob:1']);
  uploads.markSent();
  uploads.close();
  expect(previews).toEqual([]);
});

it('a picture that browsers do not show has the preview that the server made', async () => {
  const {uploads} = start(call =>
    call.type
      ? created({upload_url: '/up'})
      : Response.json({type: 'image', id: 'atc_1', name: 'a.jpg', mime_type: 'image/jpeg', preview_url: '/p.webp'}),
  );
  uploads.add([new File(['x'], 'a.HEIC', {type: ''})]);
  expect(uploads.list[0]).toMatchObject({mimeType: 'image/heic', previewUrl: undefined});
  await waitForStatuses(uploads, 'done');
  expect(uploads.list[0]).toMatchObject({previewUrl: '/p.webp'});
});

it('only a few files travel at once, and closing aborts them all', async () => {
  const {uploads, calls} = start(() => new Promise(() => {}));
  uploads.add([1, 2, 3, 4, 5].map(at => new File(['x'], `${at}.txt`)));
  await vi.waitFor(() => expect(calls).toHaveLength(3));
  uploads.close();
  expect(calls.every(({init}) => init.signal?.aborted)).toBe(true);
  expect(uploads.list).toEqual([]);
});

it('files are refused with a reason where attachments are off', () => {
  const {uploads, problems} = start(() => created({}));
  uploads.configure(undefined, undefined);
  uploads.add([TEXT]);
  expect(uploads.list).toEqual([]);
  expect(problems).toEqual(['Files cannot be attached here.']);
});
