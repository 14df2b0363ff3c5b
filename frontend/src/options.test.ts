import {describe, expect, it} from 'vitest';
import {findUnknownKeys, readOptions, resolveLocale, toContent} from './options.js';
import {strings} from './strings.js';

describe('options', () => {
  it('gives every key its default when nothing is said', () => {
    for (const options of [{}, null, undefined, 'x', []]) {
      const settings = readOptions(options, 'en-GB');
      expect(settings).toMatchObject({
        endpoint: undefined,
        locale: 'en-GB',
        theme: 'light',
        greeting: strings.greeting,
        history: {enabled: true, showDelete: true, showRename: true},
        header: {enabled: true, titleEnabled: true},
        feedback: false,
        retry: false,
        autoScroll: false,
      });
    }
  });

  it('treats a key that holds undefined like a missing one', () => {
    expect(readOptions({header: undefined, history: {enabled: undefined}}, 'en').history.enabled).toBe(true);
  });

  it('survives wrong types in every place', () => {
    const keys = [
      'api',
      'theme',
      'header',
      'history',
      'startScreen',
      'composer',
      'disclaimer',
      'widgets',
      'thread',
      'onClientTool',
    ];
    for (const key of keys)
      for (const value of [1, 'x', [], null, {tools: 1, prompts: {}}])
        expect(() => readOptions({[key]: value}, 'en')).not.toThrow();
  });

  it('takes the old name of a prompt, and segments as they are', () => {
    const prompts = [
      {name: 'Old', prompt: 'Do it'},
      {label: 'Tag', prompt: [{type: 'input_tag', id: 'e', text: 'ACME'}]},
      {label: ''},
      null,
    ];
    expect(readOptions({startScreen: {prompts}}, 'en').prompts).toEqual([
      {label: 'Old', content: [{type: 'input_text', text: 'Do it'}], icon: undefined},
      {label: 'Tag', content: [{type: 'input_tag', id: 'e', text: 'ACME', data: {}}], icon: undefined},
    ]);
  });

  it('finds a server for a page made for the hosted service, and takes its older kind of token', () => {
    const secret = () => 'x';
    const parlor = {baseUrl: 'https://own.example/chatkit'};
    expect(readOptions({api: {getClientSecret: secret}, parlor}, 'en').endpoint).toMatchObject({
      url: 'https://own.example/chatkit',
      getClientSecret: secret,
    });
    expect(readOptions({api: {url: '/own', getClientSecret: secret}, parlor}, 'en').endpoint?.url).toBe('/own');
    expect(readOptions({api: {clientToken: 'old'}, parlor}, 'en').endpoint?.getClientSecret?.(null)).toBe('old');
    const both = {clientToken: 'old', getClientSecret: secret};
    expect(readOptions({api: both, parlor}, 'en').endpoint?.getClientSecret).toBe(secret);
    expect(readOptions({api: {domainKey: 'k'}, parlor}, 'en').endpoint).toBeUndefined();
  });

  it('names the keys it does not know', () => {
    expect(findUnknownKeys({api: {}, telemetry: true, header: {}})).toEqual(['telemetry']);
    expect(findUnknownKeys({parlor: {resume: true, colour: 1}})).toEqual(['parlor.colour']);
  });

  it('finds one locale that is fit for a header', () => {
    expect(resolveLocale('de-CH', 'en')).toBe('de-CH');
    expect(resolveLocale('de\r\nX: 1', 'fr')).toBe('fr');
    expect(resolveLocale(undefined, '')).toBe('en');
  });

  it('reads options that have lost their prototypes on the way', () => {
    const bare = (value: object): object => Object.assign(Object.create(null), value);
    const options = bare({
      api: bare({url: '/chatkit', domainKey: bare({})}),
      startScreen: bare({greeting: 'Hello', prompts: [bare({label: 'Go', prompt: 'Go'})]}),
      theme: bare({colorScheme: 'dark'}),
      thread: new Map([['autoScroll', true]]),
    });
    expect(readOptions(options, 'en')).toMatchObject({
      endpoint: {url: '/chatkit'},
      greeting: 'Hello',
      prompts: [{label: 'Go'}],
      autoScroll: false,
    });
  });

  it('makes no content of blank text', () => {
    expect(toContent('  ')).toEqual([]);
    expect(toContent(undefined)).toEqual([]);
  });
});
