/** Days as `YYYY-MM-DD` without a time zone: arithmetic, weeks of a month, limits. */

const DAY_MS = 86_400_000;
const WEEK = 7;

/** Regions whose weeks start on Sunday, for browsers without week information. */
const SUNDAY_REGIONS = /-(?:US|CA|MX|BR|JP|KR|TW|HK|IN|IL|ZA|AU|PH|TH|CO|PE)\b/i;

export function dateOf(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function dayOfDate(date: Date): string | undefined {
  const year = date.getUTCFullYear();
  return Number.isNaN(year) || year < 1 || year > 9999 ? undefined : date.toISOString().slice(0, 10);
}

/** Builds a day, or returns undefined if it does not exist. Months count from 1. */
export function buildDay(year: number, month: number, day: number): string | undefined {
  const text = `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && dayOfDate(dateOf(text)) === text ? text : undefined;
}

/** Adds days; beyond the supported years, the day is returned unchanged. */
export function addDays(day: string, count: number): string {
  return dayOfDate(new Date(dateOf(day).getTime() + count * DAY_MS)) ?? day;
}

/** Adds months; a day that the month does not have becomes its last day. */
export function addMonths(day: string, count: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const months = year * 12 + month - 1 + count;
  const to = {year: Math.floor(months / 12), month: (((months % 12) + 12) % 12) + 1};
  for (let at = date; at >= 28 || at === date; at -= 1) {
    const result = buildDay(to.year, to.month, at);
    if (result !== undefined) return result;
  }
  return day;
}

/** Returns the first day of the week, counted like `Date.getUTCDay`. */
export function firstWeekday(locale: string | undefined): number {
  const tag = locale ?? new Intl.DateTimeFormat().resolvedOptions().locale;
  try {
    const intlLocale = new Intl.Locale(tag) as Intl.Locale & {
      getWeekInfo?: () => {readonly firstDay: number};
      readonly weekInfo?: {readonly firstDay: number};
    };
    const day = (intlLocale.getWeekInfo?.() ?? intlLocale.weekInfo)?.firstDay;
    if (day !== undefined) return day % WEEK;
  } catch {
    // An invalid tag: weeks start on Monday, as in ISO 8601.
  }
  return SUNDAY_REGIONS.test(tag) ? 0 : 1;
}

/** Returns the number of days from the start of the week to `day`. */
export function placeInWeek(day: string, first: number): number {
  return (dateOf(day).getUTCDay() - first + WEEK) % WEEK;
}

/** Returns the weeks of a day's month; days of other months are null. */
export function weeksOf(day: string, first: number): readonly (readonly (string | null)[])[] {
  const month = day.slice(0, 7);
  const start = `${month}-01`;
  const cells: (string | null)[] = Array.from({length: placeInWeek(start, first)}, () => null);
  const length = new Date(Date.UTC(2000 + (Number(day.slice(0, 4)) % 400), Number(day.slice(5, 7)), 0)).getUTCDate();
  for (let date = 1; date <= length; date += 1) cells.push(`${month}-${String(date).padStart(2, '0')}`);
  while (cells.length % WEEK !== 0) cells.push(null);
  return Array.from({length: cells.length / WEEK}, (_, week) => cells.slice(week * WEEK, (week + 1) * WEEK));
}

export function isWithin(day: string, min: string | undefined, max: string | undefined): boolean {
  return (min === undefined || day >= min) && (max === undefined || day <= max);
}

export function clampDay(day: string, min: string | undefined, max: string | undefined): string {
  return min !== undefined && day < min ? min : max !== undefined && day > max ? max : day;
}

/** Returns the current day in the user's time zone. */
export function today(now = new Date()): string {
  return buildDay(now.getFullYear(), now.getMonth() + 1, now.getDate()) ?? '2000-01-01';
}
