import {expect, it} from 'vitest';
import type {ThreadItem} from '../protocol/types.js';
import type {Entry} from '../thread/thread-state.js';
import {toExchanges} from './exchanges.js';

const entry = (key: string, type: 'user_message' | 'assistant_message'): Entry => ({
  key,
  item: {id: key, type, content: []} as unknown as ThreadItem,
  isStreaming: false,
});

it('exchanges that have not changed stay the same objects, so that they are not drawn again', () => {
  const entries = [entry('u1', 'user_message'), entry('a1', 'assistant_message'), entry('u2', 'user_message')];
  const before = toExchanges(entries);
  expect(before.map(({key, answer}) => [key, answer.length])).toEqual([
    ['u1', 1],
    ['u2', 0],
  ]);
  const grown = toExchanges([...entries, entry('a2', 'assistant_message')], before);
  expect(grown[0]).toBe(before[0]);
  expect(grown[1]).not.toBe(before[1]);
  const changed = toExchanges(entries.with(1, entry('a1', 'assistant_message')), before);
  expect(changed[0]).not.toBe(before[0]);
  expect(changed[1]).toBe(before[1]);
});
