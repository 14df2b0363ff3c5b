import {describe, expect, it} from 'vitest';
import {buildChatOptions} from './chat-options.js';
import type {UseCase} from './platform.js';

const USE_CASE: UseCase = {
  name: 'to do',
  title: 'To-do list',
  description: '',
  icon: 'check',
  greeting: 'What is next?',
  prompts: [
    {label: 'Show', prompt: 'Show my to-dos', icon: 'check'},
    {label: 'Add', prompt: 'Add milk', icon: undefined},
  ],
  composer: {placeholder: 'Add something', tools: [], models: []},
  accentColor: undefined,
  isDefault: false,
};
const LOOK = {scheme: 'dark', accent: '#4f46e5'} as const;

describe('buildChatOptions', () => {
  it('addresses the use case and resumes its thread', () => {
    const options = buildChatOptions(USE_CASE, LOOK, 'thr_1');
    expect(options.api).toMatchObject({url: '/chatkit/to%20do'});
    expect(options.initialThread).toBe('thr_1');
  });

  it('passes on greeting, prompts and placeholder', () => {
    const options = buildChatOptions(USE_CASE, LOOK, null);
    expect(options.startScreen).toEqual({
      greeting: 'What is next?',
      prompts: [
        {label: 'Show', prompt: 'Show my to-dos', icon: 'check'},
        {label: 'Add', prompt: 'Add milk'},
      ],
    });
    expect(options.composer).toEqual({placeholder: 'Add something'});
  });

  it('follows the brand’s colour unless the use case has its own', () => {
    const accentOf = (useCase: UseCase): unknown => buildChatOptions(useCase, LOOK, null).theme;
    expect(accentOf(USE_CASE)).toMatchObject({colorScheme: 'dark', color: {accent: {primary: '#4f46e5'}}});
    expect(accentOf({...USE_CASE, accentColor: '#b45309'})).toMatchObject({color: {accent: {primary: '#b45309'}}});
  });

  it('names an upload strategy only where attachments are on', () => {
    const strategy = {uploadStrategy: {type: 'two_phase'}};
    const withUploads = {...USE_CASE, composer: {attachments: {enabled: true}}};
    expect(buildChatOptions(withUploads, LOOK, null).api).toMatchObject(strategy);
    expect(buildChatOptions(USE_CASE, LOOK, null).api).not.toMatchObject(strategy);
  });
});
