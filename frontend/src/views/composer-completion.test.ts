import {describe, expect, it, vi} from 'vitest';
import {type DraftText, EMPTY_DRAFT} from '../composer/draft-text.js';
import {LazyPart} from '../lazy-parts.js';
import * as suggestions from '../parts/suggestions.js';
import {Completion} from './composer-completion.js';
import type {SuggestionsPart} from './lazy-suggestions.js';

const key = (name: string) => ({key: name, shiftKey: false}) as KeyboardEvent;

/** A field whose part comes, or fails, when the test says so. */
function start() {
  const asked: string[] = [];
  const fetches: {readonly come: () => void; readonly fail: () => void}[] = [];
  let now = 0;
  const part = new LazyPart<SuggestionsPart>(
    () =>
      new Promise((resolve, reject) => {
        fetches.push({come: () => resolve(suggestions), fail: () => reject(new Error('offline'))});
      }),
    {now: () => now},
  );
  let draft: DraftText = EMPTY_DRAFT;
  const onTagSearch = (query: string) => {
    asked.push(query);
    return [{id: 'p1', title: 'Ada'}];
  };
  const entities = {onTagSearch, showComposerMenu: false, onClick: undefined, onRequestPreview: undefined};
  const settings = {
    entities,
    commands: undefined,
    builtIns: () => {
      throw new Error('Nothing asks for commands.');
    },
  };
  const field = {
    look: () => ({draft, settings, caret: draft.text.length}),
    commit: (edited: {readonly draft: DraftText}) => {
      draft = edited.draft;
    },
    changed: vi.fn(),
    failed: vi.fn(),
  };
  const completion = new Completion(field, part);
  const type = (text: string) => {
    draft = {text, tags: []};
    completion.suggest();
  };
  const labels = () => completion.state?.suggestions.map(({label}) => label);
  return {completion, fetches, asked, type, labels, field, text: () => draft.text, wait: (ms: number) => (now += ms)};
}

/** Lets promises that are settled go on. */
const settle = () => new Promise(resolve => setTimeout(resolve));

describe('the first list', () => {
  it('is searched for the word as it is when the part is there, fetched once', async () => {
    const {completion, fetches, asked, type, labels, text} = start();
    for (const typed of ['x @', 'x @a', 'x @ad']) type(typed);
    expect(completion.status).toBe('searching');
    expect(fetches).toHaveLength(1);
    fetches[0]?.come();
    await vi.waitFor(() => expect(labels()).toEqual(['Ada']));
    expect(asked).toEqual(['ad']);
    expect(completion.onKey(key('Enter'))).toBe(true);
    await vi.waitFor(() => expect(text()).toBe('x Ada '));
    expect(completion.status).toBeUndefined();
  });

  it('takes Enter and the arrows while it is on its way, so that nothing is sent half-typed', () => {
    const {completion, type, text} = start();
    type('@a');
    expect(['Enter', 'ArrowDown', 'ArrowUp', 'Tab', 'b'].map(name => completion.onKey(key(name)))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(text()).toBe('@a');
  });

  it('stays away from a word for which it was closed before it came', async () => {
    const {completion, fetches, asked, type, labels} = start();
    type('@a');
    expect(completion.onKey(key('Escape'))).toBe(true);
    fetches[0]?.come();
    await settle();
    type('@ad');
    expect(completion.status).toBeUndefined();
    type('@ad @b');
    await vi.waitFor(() => expect(labels()).toEqual(['Ada']));
    expect(asked).toEqual(['b']);
  });

  it.each([
    ['the word is gone', (of: ReturnType<typeof start>) => of.type('a')],
    ['the caret has left the word', (of: ReturnType<typeof start>) => of.completion.follow(0)],
    ['the field has lost the focus', (of: ReturnType<typeof start>) => of.completion.close()],
  ])('does not open when %s', async (_why, leave) => {
    const opened = start();
    opened.type('@a');
    leave(opened);
    opened.fetches[0]?.come();
    await settle();
    expect(opened.completion.status).toBeUndefined();
    expect(opened.asked).toEqual([]);
  });

  it('that cannot be had leaves the word and its keys alone, and is fetched again later', async () => {
    const {completion, fetches, type, text, labels, wait} = start();
    type('@a');
    fetches[0]?.fail();
    await vi.waitFor(() => expect(completion.status).toBe('failed'));
    expect(completion.onKey(key('Enter'))).toBe(false);
    expect(completion.status).toBeUndefined();
    expect(text()).toBe('@a');
    wait(60_000);
    type('@a @b');
    fetches[1]?.come();
    await vi.waitFor(() => expect(labels()).toEqual(['Ada']));
  });
});
