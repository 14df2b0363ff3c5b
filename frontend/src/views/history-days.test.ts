import {describe, expect, it} from 'vitest';
import {groupByDay} from './history-days.js';

const NOW = new Date(2026, 10, 28, 9, 30);
const hit = (id: string, createdAt: string | undefined) => ({
  thread: {id, title: id, status: {type: 'active' as const}, allowedImageDomains: undefined, createdAt},
  matches: [],
});
const show = (...dates: (string | undefined)[]) =>
  groupByDay(
    dates.map((date, at) => hit(`${at}`, date)),
    NOW,
    'en',
  ).map(({title, hits}) => `${title}: ${hits.map(({thread}) => thread.id).join(' ')}`);

describe('the days of the history', () => {
  it('are today, yesterday, the last days, and then months', () => {
    expect(
      show(
        ...['2026-11-28T09:29:59', '2026-11-28T00:00:00', '2026-11-27T23:59:59', '2026-11-22T12:00:00'],
        ...['2026-11-10T12:00:00', '2026-10-02T12:00:00', '2026-10-01T12:00:00', '2025-10-01T12:00:00'],
      ),
    ).toEqual([
      'Today: 0 1',
      'Yesterday: 2',
      'Last 7 days: 3',
      'Last 30 days: 4',
      'October 2026: 5 6',
      'October 2025: 7',
    ]);
  });

  it('are named once, whatever the order, and know no day that is none', () => {
    expect(show('2026-11-20T10:00:00', '2026-11-28T08:00:00', '2026-11-19T10:00:00')).toEqual(['Last 30 days: 0 1 2']);
    expect(show('2026-11-28T08:00:00', 'nonsense', undefined)).toEqual(['Today: 0 1 2']);
    expect(show(undefined, 'x')).toEqual(['Earlier: 0 1']);
    // A clock that is behind.
    expect(show('2026-11-29T08:00:00')).toEqual(['Today: 0']);
  });
});
