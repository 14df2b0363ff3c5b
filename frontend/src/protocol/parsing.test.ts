import {describe, expect, it} from 'vitest';
import {MAX_INDEX, parseEvent, parseItem, parsePage, parseThread, parseUserContent} from './parsing.js';

describe('parsing', () => {
  it('reads questions whole, and what is broken about them as little as it must', () => {
    const item = parseItem({
      id: 'q',
      type: 'structured_input',
      status: 'answered',
      inputs: [
        {id: 'a', type: 'multiple_choice', question: 'A?', options: [{value: 'x'}, {}, null], multiple: true},
        {id: 'b', type: 'freeform', question: null, answer: {values: ['y', 7], skipped: null}},
        {type: 'freeform', question: 'No id'},
      ],
    });
    expect(item).toMatchObject({
      status: 'answered',
      inputs: [
        {id: 'a', type: 'multiple_choice', question: 'A?', options: ['x'], multiple: true, answer: undefined},
        {id: 'b', type: 'freeform', question: '', description: undefined, answer: {values: ['y'], skipped: false}},
      ],
    });
    expect(parseItem({id: 'q', type: 'structured_input', status: 'odd', inputs: 7})).toMatchObject({
      status: 'pending',
      inputs: [],
    });
  });

  it('reads an event it does not know as nothing', () => {
    for (const type of ['thread.renamed', '', undefined, 7, '__proto__', 'constructor']) {
      expect(parseEvent({type})).toBeUndefined();
    }
  });

  it('survives any value in any place of any event', () => {
    const types = [
      ...['thread.created', 'thread.item.added', 'thread.item.updated', 'thread.item.removed', 'stream_options'],
      ...['progress_update', 'client_effect', 'notice', 'error'],
    ];
    const junk: unknown[] = [null, undefined, 0, -1, 'x', true, [], [null], {}, {type: 'widget'}, {id: 1}];
    for (const type of types) {
      for (const value of junk) {
        const event = {type, thread: value, item: value, update: value, item_id: value, text: value, name: value};
        expect(() => parseEvent(event)).not.toThrow();
      }
    }
  });

  it('survives any value in any place of any item', () => {
    const types = [
      'user_message',
      'assistant_message',
      'widget',
      'client_tool_call',
      'generated_image',
      'workflow',
      'task',
    ];
    for (const type of [...types, 'structured_input', 'end_of_turn']) {
      for (const value of [null, 'x', 3, [], [null, 1, {}], {}]) {
        const item = {
          id: 'i',
          type,
          content: value,
          widget: value,
          workflow: value,
          task: value,
          inputs: value,
          attachments: value,
        };
        expect(() => parseItem(item)).not.toThrow();
      }
    }
  });

  it('reads text that is null, and parts that are, as empty', () => {
    const content = [{type: 'output_text', text: null, annotations: null}, null];
    expect(parseItem({id: 'i', type: 'assistant_message', content})).toMatchObject({
      content: [
        {text: '', annotations: []},
        {text: '', annotations: []},
      ],
    });
  });

  it('does not show hidden items', () => {
    expect(parseItem({id: 'i', type: 'hidden_context_item', content: 'secret'})).toBeUndefined();
    expect(parseItem({id: 'i', type: 'sdk_hidden_context', content: 'secret'})).toBeUndefined();
  });

  it('refuses an index that nobody could mean', () => {
    const update = (content_index: unknown) => ({
      type: 'thread.item.updated',
      item_id: 'i',
      update: {type: 'assistant_message.content_part.text_delta', content_index, delta: 'x'},
    });
    expect(parseEvent(update(MAX_INDEX))).toBeDefined();
    for (const index of [-1, 1.5, MAX_INDEX + 1, 1e9, '0', Number.NaN])
      expect(parseEvent(update(index))).toBeUndefined();
  });

  it('takes a missing index of content for the first, and a missing place of an annotation for the last', () => {
    const update = (fields: object) => parseEvent({type: 'thread.item.updated', item_id: 'i', update: fields});
    const type = 'assistant_message.content_part.text_delta';
    for (const fields of [
      {type, delta: 'x'},
      {type, delta: 'x', content_index: null},
    ]) {
      expect(update(fields)).toMatchObject({update: {index: 0, delta: 'x'}});
    }
    const annotation = {source: {type: 'url', title: 'S', url: 'https://s'}, index: 1};
    expect(
      update({type: 'assistant_message.content_part.annotation_added', annotation_index: 'x', annotation}),
    ).toMatchObject({update: {index: 0, at: MAX_INDEX}});
  });

  it('gives every tag its data, which servers insist on', () => {
    expect(parseUserContent({type: 'input_tag', id: 'e', text: 'ACME'})).toEqual({
      type: 'input_tag',
      id: 'e',
      text: 'ACME',
      data: {},
    });
  });

  it('keeps a page that shows nothing apart from the last page', () => {
    expect(parsePage({data: [{type: 'hidden_context_item', id: 'h'}], has_more: true, after: 'h'}, parseItem)).toEqual({
      data: [],
      hasMore: true,
      after: 'h',
    });
  });

  it('reads a title that is null or empty as none', () => {
    for (const title of [null, '', 7]) expect(parseThread({id: 't', title})?.title).toBeUndefined();
  });

  it('reads an unknown thread status as active', () => {
    expect(parseThread({id: 't', status: {type: 'paused'}})?.status).toEqual({type: 'active'});
    expect(parseThread({id: 't', status: {type: 'locked', reason: 'why'}})?.status).toEqual({
      type: 'locked',
      reason: 'why',
    });
  });
});
