/** The days under which the history lists its threads. No DOM. */
import {strings} from '../strings.js';
import type {Hit} from './history-search.js';

export interface Day {
  readonly title: string;
  readonly hits: readonly Hit[];
}

const DAY_MS = 86_400_000;

/** Threads in the order of the list, under the day or month that they began in; a server may order them otherwise. */
export function groupByDay(hits: readonly Hit[], now: Date, locale?: string): readonly Day[] {
  const days: {title: string; age: number; hits: Hit[]}[] = [];
  for (const hit of hits) {
    const {title, age} = describeDay(hit.thread.createdAt, now, locale);
    const last = days.at(-1);
    // A thread that stands among younger ones stays there: no day is named twice.
    if (last && age <= last.age) last.hits.push(hit);
    else days.push({title, age, hits: [hit]});
  }
  return days;
}

function describeDay(createdAt: string | undefined, now: Date, locale?: string): {title: string; age: number} {
  const began = createdAt === undefined ? Number.NaN : new Date(createdAt).getTime();
  // Nobody knows: then it is as old as whatever stands above it.
  if (Number.isNaN(began)) return {title: strings.earlier, age: -1};
  const date = new Date(began);
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
