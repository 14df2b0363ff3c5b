/** Dates as people write them in their language: shown, read, and the order of their parts as a hint. */
import {buildDay, dateOf} from './calendar-days.js';

type Part = 'year' | 'month' | 'day';

const PIVOT_YEARS = 20;
const HINTS = {year: 'YYYY', month: 'MM', day: 'DD'} as const;
const MAX_TYPED_CHARS = 60;

function formatter(locale: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  // The value is a day of the Gregorian calendar, and so is what a person types.
  const fixed = {...options, calendar: 'gregory', timeZone: 'UTC'};
  try {
    return new Intl.DateTimeFormat(locale, fixed);
  } catch {
    return new Intl.DateTimeFormat(undefined, fixed);
  }
}

function numeric(locale: string | undefined): Intl.DateTimeFormat {
  return formatter(locale, {year: 'numeric', month: '2-digit', day: '2-digit'});
}

export function formatDay(day: string, locale: string | undefined, options?: Intl.DateTimeFormatOptions): string {
  return (options === undefined ? numeric(locale) : formatter(locale, options)).format(dateOf(day));
}

/** Marks that set the direction of text are no part of a date. */
const DIRECTION_MARKS = /[\u200e\u200f\u061c]/g;

/** The order of the parts, as `DD.MM.YYYY`. */
export function hintOf(locale: string | undefined): string {
  return numeric(locale)
    .formatToParts(dateOf('2001-02-03'))
    .filter(({type}) => type in HINTS || type === 'literal')
    .map(({type, value}) => (type in HINTS ? HINTS[type as Part] : value))
    .join('')
    .replaceAll(DIRECTION_MARKS, '');
}

function orderOf(locale: string | undefined): readonly Part[] {
  const types = numeric(locale)
    .formatToParts(dateOf('2001-02-03'))
    .map(({type}) => type);
  return types.filter((type): type is Part => type in HINTS);
}

/** Digits of other scripts, as ours. */
function withPlainDigits(text: string): string {
  return text.replaceAll(/\p{Nd}/gu, digit => {
    const code = digit.codePointAt(0) ?? 0;
    let zero = code;
    // Unicode has the digits of a script in runs of ten.
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return code <= 0x39 ? digit : String((code - zero) % 10);
  });
}

/** The words of a date, each without its signs: `พ.ค.` is one. */
function wordsOf(text: string): readonly string[] {
  return text
    .toLocaleLowerCase()
    .split(/[\s\p{Nd},،、]+/u)
    .map(word => word.replaceAll(/[^\p{L}\p{M}]/gu, ''))
    .filter(word => word !== '');
}

const namesByLocale = new Map<string | undefined, readonly (readonly string[])[]>();

function monthNames(locale: string | undefined): readonly (readonly string[])[] {
  const known = namesByLocale.get(locale);
  if (known) return known;
  const days = Array.from({length: 12}, (_, index) => `2001-${String(index + 1).padStart(2, '0')}-01`);
  // Within a date a month may be called otherwise than alone: with a case, or as one word with "in".
  const written = days.map(day =>
    (['medium', 'long'] as const).flatMap(dateStyle => wordsOf(formatDay(day, locale, {dateStyle}))),
  );
  const styles = [{month: 'long'}, {month: 'short'}, {month: 'long', day: 'numeric'}] as const;
  const names = days.map((day, index) => {
    const forms = styles.map(style => {
      const parts = formatter(locale, style).formatToParts(dateOf(day));
      return (parts.find(({type}) => type === 'month')?.value ?? '').toLocaleLowerCase().replace(/\.$/, '');
    });
    const others = new Set(written.filter((_, at) => at !== index).flat());
    return [...forms, ...(written[index] ?? []).filter(word => !others.has(word))];
  });
  namesByLocale.set(locale, names);
  return names;
}

/** The month that a word begins or is, counted from 1, when it can be one only. */
function monthOf(word: string, locale: string | undefined): number | undefined {
  const names = monthNames(locale);
  const exact = names.findIndex(forms => forms.includes(word));
  if (exact >= 0) return exact + 1;
  const found = names.flatMap((forms, index) =>
    word.length >= 3 && forms.some(form => form.startsWith(word)) ? [index + 1] : [],
  );
  return found.length === 1 ? found[0] : undefined;
}

/** `24` as 2024: the century that puts it at most twenty years ahead. */
function fullYear(text: string, thisYear: number): number {
  const year = Number(text);
  if (text.length > 2) return year;
  const near = thisYear - (thisYear % 100) + year;
  return near > thisYear + PIVOT_YEARS ? near - 100 : near;
}

/** The day that a text means, or undefined. Without a year it is one of this year. */
export function readDay(text: string, locale: string | undefined, thisYear: number): string | undefined {
  const typed = withPlainDigits(text.slice(0, MAX_TYPED_CHARS).replaceAll(DIRECTION_MARKS, ''))
    .trim()
    .toLocaleLowerCase();
  const iso = /^(\d{4})(?:\D(\d{1,2})\D(\d{1,2})\D?|(\d{2})(\d{2}))$/.exec(typed);
  if (iso) {
    return buildDay(Number(iso[1]), Number(iso[2] ?? iso[4]), Number(iso[3] ?? iso[5]));
  }
  const numbers = typed.match(/\d+/g) ?? [];
  const words = [...(typed.match(/[\p{L}\p{M}]+/gu) ?? []), ...wordsOf(typed)];
  const months = new Set(words.map(word => monthOf(word, locale)).filter(month => month !== undefined));
  // In Welsh a Tuesday is called as March is: better unread than read wrong.
  if (months.size > 1) return undefined;
  const [named] = months;
  if (numbers.some(number => number.length > 4)) {
    return undefined;
  }
  const order = orderOf(locale).filter(part => part !== 'month' || named === undefined);
  const parts = numbers.length === order.length - 1 ? order.filter(part => part !== 'year') : order;
  if (numbers.length !== parts.length) {
    return undefined;
  }
  const values: Partial<Record<Part, string>> = Object.fromEntries(parts.map((part, index) => [part, numbers[index]]));
  // "Dec 24, 2026" in a language that writes the year first.
  const {year, day} =
    named !== undefined && (values.day?.length ?? 0) > 2 ? {year: values.day, day: values.year} : values;
  return buildDay(year === undefined ? thisYear : fullYear(year, thisYear), named ?? Number(values.month), Number(day));
}
