import {describe, expect, it} from 'vitest';
import {DEFAULT_CHATKIT_URL, loadPlatform, PlatformError} from './platform.js';

const BRANDING = {
  name: 'Acme',
  tagline: 'Ask us',
  logoUrl: '/logo.png',
  primaryColor: '#0f766e',
  faviconUrl: '/icon.png',
};
const WEATHER = {
  name: 'weather',
  title: 'Weather',
  description: 'Forecasts',
  icon: 'sun',
  greeting: 'Where to?',
  prompts: [{label: 'Rain?', prompt: 'Will it rain in Bern?', icon: null}],
  composer: {placeholder: 'Ask', tools: [], models: []},
  default: true,
};

type Answer = {readonly status?: number; readonly body: unknown} | 'unreachable';

/** Answers `/api/branding` well and `/api/use-cases` with one of `answers` after the other. */
function scriptedFetch(...answers: readonly Answer[]): typeof fetch {
  const left = [...answers];
  return async input => {
    if (input === '/api/branding') return Response.json(BRANDING);
    const answer = left.shift();
    if (answer === undefined) throw new Error('asked more often than the test expects');
    if (answer === 'unreachable') throw new TypeError('Failed to fetch');
    const {status = 200, body} = answer;
    return typeof body === 'string' ? new Response(body, {status}) : Response.json(body, {status});
  };
}

const withoutDelay = async (): Promise<void> => {};

describe('loadPlatform', () => {
  it('turns both answers into types', async () => {
    const platform = await loadPlatform(scriptedFetch({body: {use_cases: [WEATHER], disabled: []}}));
    expect(platform.brand).toEqual({...BRANDING, chatkitJsUrl: DEFAULT_CHATKIT_URL});
    expect(platform.useCases).toEqual([
      {
        name: 'weather',
        title: 'Weather',
        description: 'Forecasts',
        icon: 'sun',
        greeting: 'Where to?',
        prompts: [{label: 'Rain?', prompt: 'Will it rain in Bern?', icon: undefined}],
        composer: WEATHER.composer,
        accentColor: undefined,
        isDefault: true,
      },
    ]);
  });

  it('leaves out what is broken and keeps the rest', async () => {
    const body = {use_cases: [null, {title: 'No name'}, {name: 'todo', prompts: 'x', composer: 3}], disabled: [7]};
    const platform = await loadPlatform(scriptedFetch({body}));
    expect(platform.useCases.map(({name, title, prompts, composer}) => ({name, title, prompts, composer}))).toEqual([
      {name: 'todo', title: 'todo', prompts: [], composer: {}},
    ]);
    expect(platform.disabled).toEqual([]);
  });

  it('asks a server that is still starting again', async () => {
    const starting = {status: 503, body: {error: {code: 'starting'}}};
    const platform = await loadPlatform(
      scriptedFetch(starting, starting, {body: {use_cases: [WEATHER]}}),
      withoutDelay,
    );
    expect(platform.useCases).toHaveLength(1);
  });

  it('gives up on a server that never gets ready', async () => {
    let asked = 0;
    const fetch: typeof globalThis.fetch = async input => {
      if (input === '/api/use-cases') asked += 1;
      return Response.json({error: {}}, {status: 503});
    };
    await expect(loadPlatform(fetch, withoutDelay)).rejects.toMatchObject({status: 503});
    expect(asked).toBe(10);
  });

  it.each<[string, Answer, Partial<PlatformError>]>([
    ['that does not answer', 'unreachable', {status: 0, errorId: undefined}],
    ['with an error', {status: 500, body: {error: {id: 'err_1'}}}, {status: 500, errorId: 'err_1'}],
    ["that is a proxy's page", {body: '<h1>Sign in</h1>'}, {status: 502, errorId: undefined}],
  ])('fails at once on an answer %s', async (_name, answer, expected) => {
    const failure = await loadPlatform(scriptedFetch(answer), withoutDelay).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PlatformError);
    expect(failure).toMatchObject(expected);
  });
});
