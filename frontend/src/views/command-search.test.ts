import {describe, expect, it} from 'vitest';
import type {CommandRef} from '../composer/composer-options.js';
import {type BuiltIn, buildCommandSource} from './command-search.js';
import {buildEntitySource} from './entity-search.js';

const ran: string[] = [];
const BUILT_INS: readonly BuiltIn[] = [
  {key: 'attach', label: 'Add files', icon: 'paperclip', run: () => ran.push('attach')},
  {
    key: 'tools',
    label: 'Tools',
    icon: 'lab',
    choices: [{key: 'web', label: 'Search the web', icon: 'globe', run: () => ran.push('web')}],
  },
];
const COMMAND = {id: 'sum', label: 'Summarise', description: 'All of it', icon: 'notebook', group: 'Actions'};
const source = (onSearch?: (query: string) => unknown, onSelect?: (command: CommandRef) => unknown) =>
  buildCommandSource({onSearch, onSelect}, () => BUILT_INS);
const labels = async (searching: Promise<readonly {readonly label: string}[]>) =>
  (await searching).map(({label}) => label);

describe('commands', () => {
  it('are the ones of the page first, then what the composer can do', async () => {
    expect(await labels(source(async () => [COMMAND, {id: 'broken'}, null]).search(''))).toEqual([
      'Summarise',
      'Add files',
      'Tools',
    ]);
  });

  it('are only those of the composer where the page has none or answers nonsense', async () => {
    expect(await labels(source().search(''))).toEqual(['Add files', 'Tools']);
    expect(await labels(source(() => undefined).search(''))).toEqual(['Add files', 'Tools']);
  });

  it('find what is on the second level, and run it', async () => {
    const [found] = await source().search('web');
    expect(await found?.choose()).toEqual({type: 'clear'});
    expect(ran).toEqual(['web']);
  });

  it('open a level for a choice of several', async () => {
    const tools = (await source().search('')).at(-1);
    expect(await tools?.choose()).toMatchObject({type: 'list', suggestions: [{label: 'Search the web'}]});
  });

  const choose = async (onSelect?: (command: CommandRef) => unknown) =>
    (await source(() => [COMMAND], onSelect).search(''))[0]?.choose();

  it('go to the page as they came, and leave no trace when it returns nothing', async () => {
    const seen: unknown[] = [];
    expect(await choose(async command => void seen.push(command))).toEqual({type: 'clear'});
    expect(seen).toEqual([COMMAND]);
    expect(await choose()).toEqual({type: 'clear'});
  });

  it('may insert an entity, with data even when it has none', async () => {
    const outcome = await choose(async () => ({type: 'entity', entity: {id: 'e', title: 'Claim', interactive: true}}));
    expect(outcome).toEqual({
      type: 'insert',
      tag: {type: 'input_tag', id: 'e', text: 'Claim', data: {}, interactive: true},
    });
  });

  it('may open a menu, whose entries are commands again', async () => {
    const answers: unknown[] = [{type: 'menu', commands: [{id: 'x', label: 'X'}]}, undefined];
    const outcome = await choose(async () => answers.shift());
    if (outcome?.type !== 'list') throw new Error('no menu');
    expect(await outcome.suggestions[0]?.choose()).toEqual({type: 'clear'});
  });

  it('that fail say so', async () => {
    await expect(choose(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('entities', () => {
  const entities = {onClick: undefined, onRequestPreview: undefined, showComposerMenu: false};

  it('are suggested only where the page searches', () => {
    expect(buildEntitySource({...entities, onTagSearch: undefined})).toBeUndefined();
  });

  it('become tags with all that the page gave, broken ones left out', async () => {
    const found = [{id: 'p', title: 'Ada', group: 'People', icon: 'user', data: {role: 'author'}}, {title: 'No id'}];
    const searching = buildEntitySource({...entities, onTagSearch: async () => found});
    const [ada, ...rest] = (await searching?.search('a')) ?? [];
    expect(rest).toEqual([]);
    expect(await ada?.choose()).toEqual({
      type: 'insert',
      tag: {type: 'input_tag', id: 'p', text: 'Ada', data: {role: 'author'}, group: 'People'},
    });
  });
});
