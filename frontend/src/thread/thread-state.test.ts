import {describe, expect, it} from 'vitest';
import {parseEvent, parseItem} from '../protocol/parsing.js';
import type {StreamEvent, ThreadItem} from '../protocol/types.js';
import {EMPTY_THREAD, findCut, findLastUserMessage, type LocalEvent, reduce, type ThreadState} from './thread-state.js';

function play(events: readonly unknown[], from: ThreadState = EMPTY_THREAD): ThreadState {
  return events.reduce<ThreadState>((state, event) => {
    const isLocal = String((event as {type: string}).type).startsWith('local.');
    const parsed = isLocal ? (event as LocalEvent) : parseEvent(event);
    expect(parsed).toBeDefined();
    return reduce(state, parsed as StreamEvent | LocalEvent);
  }, from);
}

const assistant = (id: string, text?: string, annotations: unknown[] = []) => ({
  id,
  type: 'assistant_message',
  content: text === undefined ? [] : [{type: 'output_text', text, annotations}],
});
const user = (id: string, text: string) => ({
  id,
  type: 'user_message',
  content: [{type: 'input_text', text}],
  attachments: [],
});
const added = (item: unknown) => ({type: 'thread.item.added', item});
const done = (item: unknown) => ({type: 'thread.item.done', item});
const updated = (item_id: string, update: unknown) => ({type: 'thread.item.updated', item_id, update});
const delta = (item_id: string, text: string, content_index = 0) =>
  updated(item_id, {type: 'assistant_message.content_part.text_delta', content_index, delta: text});
const sent = (text: string) => ({
  type: 'local.turn_started',
  message: {type: 'user_message', content: [{type: 'input_text', text}], attachments: [], quotedText: undefined},
});
const ids = (state: ThreadState) => state.entries.map(({item}) => item.id);
const textOf = (state: ThreadState, at: number) => {
  const item = state.entries[at]?.item;
  return item?.type === 'assistant_message' ? item.content.map(part => part.text) : undefined;
};

describe('reduce', () => {
  it('puts the echoed user message in the place of the optimistic one, under the same key', () => {
    const before = play([sent('Hello')]);
    const state = play([done(user('msg_1', 'Hello')), added(assistant('a'))], before);
    expect(ids(state)).toEqual(['msg_1', 'a']);
    expect(state.entries[0]?.key).toBe(before.entries[0]?.key);
    expect(state.unconfirmedKey).toBeUndefined();
  });

  it('adds an item once, however often it is announced', () => {
    const state = play([added(assistant('a')), added(assistant('a')), delta('a', 'Hi'), done(assistant('a', 'Hi.'))]);
    expect(ids(state)).toEqual(['a']);
    expect(textOf(state, 0)).toEqual(['Hi.']);
    expect(state.entries[0]?.isStreaming).toBe(false);
  });

  it('pads up to a content index that was never announced', () => {
    expect(textOf(play([added(assistant('a')), delta('a', 'third', 2)]), 0)).toEqual(['', '', 'third']);
  });

  it('keeps streamed annotations when the end of the part brings none', () => {
    const annotation = {type: 'annotation', source: {type: 'url', title: 'S', url: 'https://s'}, index: 1};
    const state = play([
      added(assistant('a')),
      updated('a', {
        type: 'assistant_message.content_part.annotation_added',
        content_index: 0,
        annotation_index: 5,
        annotation,
      }),
      updated('a', {
        type: 'assistant_message.content_part.done',
        content_index: 0,
        content: {type: 'output_text', text: 'x', annotations: []},
      }),
    ]);
    expect(state.entries[0]?.item).toMatchObject({content: [{text: 'x', annotations: [{index: 1}]}]});
  });

  it('sets workflow tasks at any index without throwing', () => {
    const task = (title: string) => ({type: 'custom', title, status_indicator: 'complete'});
    const state = play([
      added({id: 'w', type: 'workflow', workflow: {type: 'custom', tasks: []}}),
      updated('w', {type: 'workflow.task.added', task_index: 1, task: task('second')}),
      updated('w', {type: 'workflow.task.added', task_index: 1, task: task('second again')}),
      updated('w', {type: 'workflow.task.updated', task_index: 0, task: task('first')}),
    ]);
    expect(state.entries[0]?.item).toMatchObject({workflow: {tasks: [{title: 'first'}, {title: 'second again'}]}});
    const late = updated('w', {type: 'workflow.task.updated', task_index: 2, task: task('never added')});
    expect(play([late], state).entries[0]?.item).toMatchObject({workflow: {tasks: [{}, {}, {title: 'never added'}]}});
  });

  it('ignores updates of items it does not hold, and updates of another kind', () => {
    const state = play([added(assistant('a')), added({id: 'w', type: 'widget', widget: {type: 'Card', id: 'c'}})]);
    const ofWidget = [
      {type: 'widget.root.updated', widget: {type: 'Card'}},
      {type: 'widget.component.updated', component_id: 'c', component: {type: 'Text'}},
      {type: 'widget.streaming_text.value_delta', component_id: 'c', delta: 'x', done: false},
    ];
    const ofOthers = [
      {type: 'workflow.task.added', task_index: 0, task: {}},
      {type: 'generated_image.updated', image: {url: '/a.png'}},
    ];
    const ofText = {type: 'assistant_message.content_part.text_delta', content_index: 0, delta: 'x'};
    for (const update of [...ofWidget, ...ofOthers, ofText]) expect(play([updated('b', update)], state)).toEqual(state);
    expect(play([{type: 'thread.item.removed', item_id: 'b'}], state)).toEqual(state);
    const foreign = [...[...ofWidget, ...ofOthers].map(update => ['a', update] as const), ['w', ofText] as const];
    for (const [id, update] of foreign) {
      const {entries} = play([updated(id, update)], state);
      expect(entries.map(({item}) => item)).toEqual(state.entries.map(({item}) => item));
    }
  });

  it('finds a widget component by id, in lists and under a single child', () => {
    const widget = {
      type: 'Card',
      children: [{type: 'Transition', children: {type: 'Text', id: 't', value: 'He'}}, {type: 'Spacer'}],
    };
    const state = play([
      added({id: 'w', type: 'widget', widget}),
      updated('w', {type: 'widget.streaming_text.value_delta', component_id: 't', delta: 'llo', done: false}),
    ]);
    expect(state.entries[0]?.item).toMatchObject({
      widget: {children: [{children: {value: 'Hello', streaming: true}}, {type: 'Spacer'}]},
    });
    expect(widget.children[0]).toMatchObject({children: {value: 'He'}});
  });

  it('replaces in place, appends what it did not know, and removes', () => {
    const state = play([done(user('u', 'x')), done(assistant('a', '1')), done(assistant('b', '2'))]);
    const next = play(
      [
        {type: 'thread.item.replaced', item: assistant('a', 'new')},
        {type: 'thread.item.replaced', item: assistant('c', '3')},
      ],
      state,
    );
    expect(ids(next)).toEqual(['u', 'a', 'b', 'c']);
    expect(ids(play([{type: 'thread.item.removed', item_id: 'a'}], next))).toEqual(['u', 'b', 'c']);
  });

  it('never takes the empty items of a thread event for the truth', () => {
    const state = play([done(assistant('a', '1'))]);
    const thread = {id: 't', title: 'T', status: {type: 'locked', reason: 'why'}, items: {data: [], has_more: false}};
    for (const type of ['thread.created', 'thread.updated']) {
      const next = play([{type, thread}], state);
      expect(ids(next)).toEqual(['a']);
      expect(next.thread).toMatchObject({title: 'T', status: {type: 'locked', reason: 'why'}});
    }
  });

  it('shows one line of progress until something visible follows', () => {
    const progress = (text: string) => ({type: 'progress_update', text});
    expect(play([progress('one'), progress('two')]).progress?.text).toBe('two');
    expect(play([progress('one'), added(assistant('a'))]).progress).toBeUndefined();
    expect(play([progress('one'), {type: 'local.turn_ended'}]).progress).toBeUndefined();
  });

  it('cuts what the server deletes silently on a retry', () => {
    const state = play([done(user('u', 'x')), done(assistant('a', '1')), {type: 'local.cut_after', itemId: 'u'}]);
    expect(ids(state)).toEqual(['u']);
  });

  it('puts older pages above, without what it already shows', () => {
    const state = play([done(user('u2', 'x'))]);
    const items = [user('u1', 'old'), user('u2', 'x')].map(item => parseItem(item) as ThreadItem);
    expect(ids(reduce(state, {type: 'local.older_loaded', items, older: undefined}))).toEqual(['u1', 'u2']);
  });

  it('refreshes without touching equal or older items', () => {
    const state = play([
      done(user('u1', 'old')),
      done(user('u2', 'x')),
      done(assistant('a', 'same')),
      done(assistant('gone', 'x')),
    ]);
    const items = [user('u2', 'x'), assistant('a', 'same'), assistant('b', 'new')].map(
      item => parseItem(item) as ThreadItem,
    );
    const next = reduce(state, {type: 'local.refreshed', thread: undefined, items, older: undefined});
    expect(ids(next)).toEqual(['u1', 'u2', 'a', 'b']);
    expect(next.entries[2]).toBe(state.entries[2]);
  });

  it('retries after the newest message that the server knows', () => {
    const state = play([done(user('u', 'x')), done(assistant('a', '1')), sent('lost')]);
    expect(findLastUserMessage(state)?.id).toBe('u');
  });

  it('keeps the order of the server, whatever its clocks say', () => {
    const at = (item: object, created_at: string) => ({...item, created_at});
    const state = play([
      done(at(user('u', 'x'), '2026-11-20T12:00:00')),
      done(at(assistant('a', '1'), '2026-11-20T09:00:00')),
      done(at(assistant('b', '2'), 'never')),
    ]);
    expect(ids(state)).toEqual(['u', 'a', 'b']);
  });

  it('keeps of a running turn what a reading of the thread does not have yet', () => {
    const state = play([done(user('u', 'x')), added(assistant('a')), delta('a', 'half')]);
    const snapshot = {thread: undefined, items: [parseItem(user('u', 'x')) as ThreadItem], older: undefined};
    expect(ids(reduce(state, {type: 'local.refreshed', keepsTurn: true, ...snapshot}))).toEqual(['u', 'a']);
    expect(ids(reduce(state, {type: 'local.refreshed', ...snapshot}))).toEqual(['u']);
  });

  it('changes nothing it was given', () => {
    const freeze = (value: unknown): unknown => {
      if (typeof value === 'object' && value !== null && !Object.isFrozen(value))
        Object.values(Object.freeze(value)).forEach(freeze);
      return value;
    };
    const state = freeze(
      play([added(assistant('a')), added({id: 'w', type: 'widget', widget: {type: 'Text', id: 't', value: ''}})]),
    ) as ThreadState;
    play(
      [
        delta('a', 'x'),
        updated('w', {type: 'widget.streaming_text.value_delta', component_id: 't', delta: 'x', done: true}),
        sent('y'),
      ],
      state,
    );
  });
});

describe('an answer that was cut', () => {
  const opened = (...items: readonly ThreadItem[]) =>
    reduce(EMPTY_THREAD, {type: 'local.opened', thread: undefined, items, older: undefined});
  const task = {
    type: 'custom',
    title: 'x',
    icon: undefined,
    content: undefined,
    status: 'none',
    queries: [],
    sources: [],
  } as const;

  it('is told by a stored item of its own', () => {
    const kinds = ['interrupted_1', 'stopped_2', 'tsk_3'].map(id => findCut({type: 'task', id, task}));
    expect(kinds).toEqual(['interrupted', 'stopped', undefined]);
  });

  it('is told when a person has stopped it, and a thread knows whether it is as it was read', () => {
    const read = opened();
    expect(read.isAsLoaded).toBe(true);
    const begun = reduce(read, {type: 'local.turn_started', message: undefined});
    expect(begun.isAsLoaded).toBe(false);
    const stopped = reduce(begun, {type: 'local.turn_ended', isStopped: true});
    expect(stopped.entries.map(({item}) => findCut(item))).toEqual(['stopped']);
    expect(reduce(begun, {type: 'local.turn_ended'}).entries).toEqual([]);
  });
});
