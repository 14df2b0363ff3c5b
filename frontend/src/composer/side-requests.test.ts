import {describe, expect, it, vi} from 'vitest';
import {ChatKitClient} from '../server/client.js';
import {type EntityRef, readComposerSettings} from './composer-options.js';
import {SideRequests} from './side-requests.js';

function start(options: Record<string, unknown>, answer: () => unknown = () => ({})) {
  const requests: {type: string; params: Record<string, unknown>}[] = [];
  const reports: [string, boolean][] = [];
  const logs: unknown[] = [];
  const client = new ChatKitClient();
  const fetching = async (_url: unknown, init: RequestInit) => {
    requests.push(JSON.parse(String(init.body)));
    return Response.json(answer());
  };
  client.configure({url: '/c', locale: 'en', fetch: fetching as typeof fetch});
  const composing = new SideRequests({
    client,
    changed: () => {},
    report: (error, isShown) => reports.push([error.message, isShown]),
    log: (name, data) => logs.push([name, data]),
  });
  composing.configure(readComposerSettings(options));
  const preview = (entity: EntityRef) =>
    new Promise(resolve => composing.handle({type: 'entity-preview', entity, done: asked => resolve(asked)}));
  return {composing, requests, reports, logs, preview};
}

const ADA: EntityRef = {id: 'p1', title: 'Ada', data: {role: 'author'}, interactive: true};

describe('previews', () => {
  it.each(['Basic', 'Card', 'ListView'])('of the kind %s are asked for once', async type => {
    const onRequestPreview = vi.fn(async () => ({preview: {type, children: []}}));
    const {preview} = start({entities: {onRequestPreview}});
    expect(await preview(ADA)).toEqual({type, children: []});
    expect(await preview({...ADA})).toEqual({type, children: []});
    expect(onRequestPreview).toHaveBeenCalledTimes(1);
    expect(onRequestPreview).toHaveBeenCalledWith(ADA);
  });

  it.each([{preview: null}, undefined, null, {preview: {type: 'Text'}}, 'x'])('are not shown for %j', async answer => {
    expect(await start({entities: {onRequestPreview: () => answer}}).preview(ADA)).toBeUndefined();
  });

  it('that fail show nothing, tell the page, and may be asked for again', async () => {
    const onRequestPreview = vi.fn(() => Promise.reject(new Error('gone')));
    const {preview, reports} = start({entities: {onRequestPreview}});
    expect(await preview(ADA)).toBeUndefined();
    expect(await preview(ADA)).toBeUndefined();
    expect(onRequestPreview).toHaveBeenCalledTimes(2);
    expect(reports).toEqual([
      ['gone', false],
      ['gone', false],
    ]);
  });
});

it('a click on an entity reaches the page, and what it throws is reported and not shown', async () => {
  const clicked: unknown[] = [];
  const onClick = (entity: unknown) => {
    clicked.push(entity);
    throw new Error('oops');
  };
  const {composing, reports} = start({entities: {onClick}});
  composing.handle({type: 'entity-click', entity: ADA});
  await vi.waitFor(() => expect(reports).toEqual([['oops', false]]));
  expect(clicked).toEqual([ADA]);
});

it('a recording travels as base64 without a prefix, and comes back as words', async () => {
  const {composing, requests} = start({}, () => ({text: ' Hello there. '}));
  const audio = new Blob([new Uint8Array([0, 255, 128, 7])], {type: 'audio/webm;codecs=opus'});
  const text = await new Promise(resolve =>
    composing.handle({type: 'transcribe', audio, done: asked => resolve(asked)}),
  );
  expect(text).toBe('Hello there.');
  expect(requests).toEqual([
    {type: 'input.transcribe', params: {audio_base64: 'AP+ABw==', mime_type: 'audio/webm;codecs=opus'}},
  ]);
});

describe('attachments without a way to upload', () => {
  const composer = {attachments: {enabled: true}};

  it('are off, and the log says why once', () => {
    const {composing, logs} = start({api: {url: '/c'}, composer});
    composing.configure(readComposerSettings({api: {url: '/c'}, composer}));
    expect(readComposerSettings({api: {url: '/c'}, composer}).attachments).toBeUndefined();
    expect(logs).toEqual([['composer.attachments_off', {reason: 'api.uploadStrategy is missing'}]]);
  });

  it('use two phases on the hosted backend, whose pages never name one', () => {
    for (const api of [{getClientSecret: async () => 's'}, {clientToken: 'old'}]) {
      const settings = readComposerSettings({api, composer});
      expect(settings).toMatchObject({uploadStrategy: {type: 'two_phase'}, attachments: {maxCount: 10}});
    }
  });
});

it('options of the composer that are broken or missing turn their part off', () => {
  for (const options of [undefined, null, {}, {composer: 1, entities: 'x', commands: {enabled: 1}, api: []}]) {
    expect(readComposerSettings(options)).toMatchObject({
      attachments: undefined,
      commands: undefined,
      hasDictation: false,
      entities: {onTagSearch: undefined, showComposerMenu: false},
    });
  }
  // The button for mentions needs a search behind it.
  expect(readComposerSettings({entities: {showComposerMenu: true}}).entities.showComposerMenu).toBe(false);
});
