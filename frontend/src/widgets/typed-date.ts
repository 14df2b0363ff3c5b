/** Dates in the format of a locale: formatting, parsing of typed text, and a hint that shows the order of the parts. */
import {buildDay, dateOf} from './calendar-days.js';

type Part = 'year' | 'month' | 'day';

const PIVOT_YEARS = 20;
const HINTS = {year: 'YYYY', month: 'MM', day: 'DD'} as const;
const MAX_TYPED_CHARS = 60;

function buildFormat(locale: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  // Values and typed dates are days of the Gregorian calendar.
  const fixed = {...options, calendar: 'gregory', timeZone: 'UTC'};
  try {
    return new Intl.DateTimeFormat(locale, fixed);
  } catch {
    return new Intl.DateTimeFormat(undefined, fixed);
  }
}

function numericFormat(locale: string | undefined): Intl.DateTimeFormat {
  return buildFormat(locale, {year: 'numeric', month: '2-digit', day: '2-digit'});
}

export function formatDay(day: string, locale: string | undefined, options?: Intl.DateTimeFormatOptions): string {
  return (options === undefined ? numericFormat(locale) : buildFormat(locale, options)).format(dateOf(day));
}

/** Direction marks, which formatters insert into dates. */
const DIRECTION_MARKS = /[\u200e\u200f\u061c]/g;

/** Returns the format of dates in a locale as a hint, such as `DD.MM.YYYY`. */
export function hintOf(locale: string | undefined): string {
  return numericFormat(locale)
    .formatToParts(dateOf('2001-02-03'))
    .filter(({type}) => type in HINTS || type === 'literal')
    .map(({type, value}) => (type in HINTS ? HINTS[type as Part] : value))
    .join('')
    .replaceAll(DIRECTION_MARKS, '');
}

function partOrder(locale: string | undefined): readonly Part[] {
  const types = numericFormat(locale)
    .formatToParts(dateOf('2001-02-03'))
    .map(({type}) => type);
  return types.filter((type): type is Part => type in HINTS);
}

/** Replaces digits of other scripts by ASCII digits. */
function toASCIIDigits(text: string): string {
  return text.replaceAll(/\p{Nd}/gu, digit => {
    const code = digit.codePointAt(0) ?? 0;
    let zero = code;
    // In Unicode, the ten digits of a script are consecutive.
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return code <= 0x39 ? digit : String((code - zero) % 10);
  });
}

/** Returns the words of a date without punctuation: `พ.ค.` is a single word. */
function splitWords(text: string): readonly string[] {
  return text
    .toLocaleLowerCase()
    .split(/[\s\p{Nd},،、]+/u)
    .map(word => word.replaceAll(/[^\p{L}\p{M}]/gu, ''))
    .filter(word => word !== '');
}

const namesByLocale = new Map<string | undefined, readonly (readonly string[])[]>();

function monthNames(locale: string | undefined): readonly (readonly string[])[] {
  const cached = namesByLocale.get(locale);
  if (cached) return cached;
  const days = Array.from({length: 12}, (_, index) => `2001-${String(index + 1).padStart(2, '0')}-01`);
  // Within a date, a month's name may differ from its name alone: inflected, or joined with a preposition.
  const written = days.map(day =>
    (['medium', 'long'] as const).flatMap(dateStyle => splitWords(formatDay(day, locale, {dateStyle}))),
  );
  const styles = [{month: 'long'}, {month: 'short'}, {month: 'long', day: 'numeric'}] as const;
  const names = days.map((day, index) => {
    const forms = styles.map(style => {
      const parts = buildFormat(locale, style).formatToParts(dateOf(day));
      return (parts.find(({type}) => type === 'month')?.value ?? '').toLocaleLowerCase().replace(/\.$/, '');
    });
    const others = new Set(written.filter((_, at) => at !== index).flat());
    return [...forms, ...(written[index] ?? []).filter(word => !others.has(word))];
  });
  namesByLocale.set(locale, names);
  return names;
}

/** Returns the month, counted from 1, that a word names or abbreviates; undefined if that is ambiguous. */
function findMonth(word: string, locale: string | undefined): number | undefined {
  const names = monthNames(locale);
  const exact = names.findIndex(forms => forms.includes(word));
  if (exact >= 0) return exact + 1;
  const candidates = names.flatMap((forms, index) =>
    word.length >= 3 && forms.some(form => form.startsWith(word)) ? [index + 1] : [],
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Completes a two-digit year, `24` as 2024: the result is at most twenty years ahead. */
function fullYear(text: string, thisYear: number): number {
  const year = Number(text);
  if (text.length > 2) return year;
  const candidate = thisYear - (thisYear % 100) + year;
  return candidate > thisYear + PIVOT_YEARS ? candidate - 100 : candidate;
}

/** Parses a typed date, or returns undefined. Without a year, it is a day of this year. */
export function readDay(text: string, locale: string | undefined, thisYear: number): string | undefined {
  const typed = toASCIIDigits(text.slice(0, MAX_TYPED_CHARS).replaceAll(DIRECTION_MARKS, ''))
    .trim()
    .toLocaleLowerCase();
  const iso = /^(\d{4})(?:\D(\d{1,2})\D(\d{1,2})\D?|(\d{2})(\d{2}))$/.exec(typed);
  if (iso) {
    return buildDay(Number(iso[1]), Number(iso[2] ?? iso[4]), Number(iso[3] ?? iso[5]));
  }
  const numbers = typed.match(/\d+/g) ?? [];
  const words = [...(typed.match(/[\p{L}\p{M}]+/gu) ?? []), ...splitWords(typed)];
  const months = new Set(words.map(word => findMonth(word, locale)).filter(month => month !== undefined));
  // Ambiguous, as in Welsh, where Tuesday and March have the same name.
  if (months.size > 1) return undefined;
  const [namedMonth] = months;
  if (numbers.some(number => number.length > 4)) {
    return undefined;
  }
  const order = partOrder(locale).filter(part => part !== 'month' || namedMonth === undefined);
  const parts = numbers.length === order.length - 1 ? order.filter(part => part !== 'year') : order;
  if (numbers.length !== parts.length) {
    return undefined;
  }
  const values: Partial<Record<Part, string>> = Object.fromEntries(parts.map((part, index) => [part, numbers[index]]));
  // "Dec 24, 2026" in a language that writes the year first.
  const {year, day} =
    namedMonth !== undefined && (values.day?.length ?? 0) > 2 ? {year: values.day, day: values.year} : values;
  return buildDay(
    year === undefined ? thisYear : fullYear(year, thisYear),
    namedMonth ?? Number(values.month),
    Number(day),
  );
}
