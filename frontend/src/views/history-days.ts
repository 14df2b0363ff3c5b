/** Groups the threads of the history by day. No DOM. */
import {strings} from '../strings.js';
import type {Hit} from './history-search.js';

export interface Day {
  readonly title: string;
  readonly hits: readonly Hit[];
}

const DAY_MS = 86_400_000;

/** Groups threads by the day or month of their creation, in the order of the list, which the server chooses. */
export function groupByDay(hits: readonly Hit[], now: Date, locale?: string): readonly Day[] {
  const days: {title: string; age: number; hits: Hit[]}[] = [];
  for (const hit of hits) {
    const {title, age} = describeDay(hit.thread.createdAt, now, locale);
    const last = days.at(-1);
    // An older thread among newer ones stays where it is, so that no day appears twice.
    if (last && age <= last.age) last.hits.push(hit);
    else days.push({title, age, hits: [hit]});
  }
  return days;
}

function describeDay(createdAt: string | undefined, now: Date, locale?: string): {title: string; age: number} {
  const time = createdAt === undefined ? Number.NaN : new Date(createdAt).getTime();
  // Without a date, the thread joins whatever group is above it.
  if (Number.isNaN(time)) return {title: strings.earlier, age: -1};
  const date = new Date(time);
  const age = Math.max(0, Math.round((startOfDay(now) - startOfDay(date)) / DAY_MS));
  if (age === 0) return {title: strings.today, age};
  if (age === 1) return {title: strings.yesterday, age};
  if (age < 7) return {title: strings.lastDays(7), age: 7};
  if (age < 30) return {title: strings.lastDays(30), age: 30};
  const months = (now.getFullYear() - date.getFullYear()) * 12 + now.getMonth() - date.getMonth();
  return {title: date.toLocaleDateString(locale, {month: 'long', year: 'numeric'}), age: 100 + months};
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
