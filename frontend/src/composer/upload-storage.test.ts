import '../testing/happy-dom.js';
import {beforeEach, expect, it, vi} from 'vitest';
import {ChatKitClient} from '../server/client.js';
import {UploadStorage} from './upload-storage.js';

const URL = '/root/chatkit/weather';

beforeEach(() => sessionStorage.clear());

function start(states: Readonly<Record<string, object>>) {
  const asked: string[] = [];
  const client = new ChatKitClient();
  const fetch = async (url: string) => {
    asked.push(url);
    const found = states[url.split('/').at(-1) ?? ''];
    return found ? Response.json(found) : Response.json({error: {message: 'No.'}}, {status: 404});
  };
  client.configure({url: URL, locale: 'en', fetch: fetch as never});
  return {kept: new UploadStorage(client), asked};
}

it('uploaded files are there again, those that were sent or deleted meanwhile are not', async () => {
  const before = start({}).kept;
  before.configure(URL);
  before.save(['a', 'b', 'c']);
  const sky = {id: 'a', name: 'a.png', mime_type: 'image/png', preview_url: '/p', size: 9, state: 'uploaded'};
  const {kept, asked} = start({a: sky, b: {...sky, id: 'b', state: 'bound'}});
  expect(kept.configure(URL)).toBe(true);
  expect(await kept.load()).toEqual([
    {attachment: {type: 'image', id: 'a', name: 'a.png', mimeType: 'image/png', previewUrl: '/p'}, size: 9},
  ]);
  expect(asked).toEqual(['a', 'b', 'c'].map(id => `/root/api/attachments/${id}`));
  expect(kept.configure(URL)).toBe(false);
});

it.each(['{', '7', '[1, null]'])('what a page has written there, %s, is no harm', async written => {
  sessionStorage.setItem(`parlor.uploads ${URL}`, written);
  const {kept, asked} = start({});
  kept.configure(URL);
  expect([await kept.load(), asked]).toEqual([[], []]);
});

it('nothing is kept where no draft is, or where nothing can be stored', () => {
  const {kept} = start({});
  kept.save(['a']);
  expect(sessionStorage).toHaveLength(0);
  kept.configure(URL);
  const setItem = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  vi.stubGlobal('sessionStorage', {setItem});
  expect(() => kept.save(['a'])).not.toThrow();
  vi.unstubAllGlobals();
});
