import {expect, it} from 'vitest';
import {parseItem} from '../protocol/parsing.js';
import {visibleItems} from './visible-items.js';

function entry(id: string, fields: Record<string, unknown>) {
  const item = parseItem({id, thread_id: 'thr_1', created_at: '2026-01-01T00:00:00Z', ...fields});
  if (!item) throw new Error('no item');
  return {key: id, item, isStreaming: false};
}
const step = (id: string, status: string) =>
  entry(id, {
    type: 'workflow',
    workflow: {type: 'custom', tasks: [{type: 'custom', title: 'Pay', status_indicator: status}]},
  });
const card = (id: string) => entry(`w_${id}`, {type: 'widget', widget: {type: 'Card', id, children: []}});
const visibleKeys = (...entries: readonly ReturnType<typeof entry>[]) => visibleItems(entries).map(({key}) => key);

it('a call that waits for permission is shown by its card, and by its step when it is made', () => {
  expect(visibleKeys(step('a', 'none'), card('parlor.approval'))).toEqual(['w_parlor.approval']);
  expect(visibleKeys(step('a', 'none'), card('parlor.approval.decided'), step('b', 'complete'))).toEqual([
    'w_parlor.approval.decided',
    'b',
  ]);
});

it('steps that were made, and those before other widgets, are shown', () => {
  expect(visibleKeys(step('a', 'complete'), card('parlor.approval'))).toEqual(['a', 'w_parlor.approval']);
  expect(visibleKeys(step('a', 'none'), card('other'))).toEqual(['a', 'w_other']);
  expect(visibleKeys(step('a', 'none'))).toEqual(['a']);
});
