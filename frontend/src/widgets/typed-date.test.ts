import {describe, expect, test} from 'vitest';
import {addDays, addMonths, buildDay, weeksOf} from './calendar-days.js';
import {formatDay, hintOf, readDay} from './typed-date.js';

describe('a typed date', () => {
  test.each([
    ['12/24/2026', 'en-US', '2026-12-24'],
    ['1/2/27', 'en-US', '2027-01-02'],
    ['24.12.2026', 'de', '2026-12-24'],
    ['24.12.', 'de', '2026-12-24'],
    ['24. Dezember 2026', 'de', '2026-12-24'],
    ['Dec 24, 2026', 'en-US', '2026-12-24'],
    ['24 décembre 2026', 'fr', '2026-12-24'],
    ['2026-12-24', 'de', '2026-12-24'],
    ['20261224', 'en-US', '2026-12-24'],
    ['2026/12/24', 'ja', '2026-12-24'],
    ['٢٤/١٢/٢٠٢٦', 'ar-EG', '2026-12-24'],
    ['1/2/99', 'en-GB', '1999-02-01'],
  ])('%s in %s means %s', (text, locale, day) => {
    expect(readDay(text, locale, 2026)).toBe(day);
  });

  test.each(['', '24', 'never', '2/30/2026', '13/1/2026', '2026-13-01', '1/2/3/4', '12/24/20266', '-1/-1/-1/9'])(
    '%s means none',
    text => {
      expect(readDay(text, 'en-US', 2026)).toBeUndefined();
    },
  );

  test.each([
    'en-US',
    'en-GB',
    'de',
    'fr',
    'ja',
    'ko',
    'ar-EG',
    'fa',
    'he',
    'th',
    'sv',
    'pl',
    'hu',
    'zh-TW',
    'bn',
    undefined,
  ])('what %s shows can be typed', locale => {
    for (const day of ['2026-01-02', '1999-12-31', '2024-02-29']) {
      expect(readDay(formatDay(day, locale), locale, 2026)).toBe(day);
    }
  });

  test.each([
    'en-US',
    'de',
    'he', // with "in" before the month, as one word
    'fa', // in a case of its own
    'th', // in letters with full stops between
    'hi', // with a sign of its own for what is left out
    'ja',
    'ar-EG',
    'pl',
  ])('with its month by name, as %s writes it, can be typed', locale => {
    for (let month = 1; month <= 12; month += 1) {
      const day = buildDay(2026, month, 17) ?? '';
      for (const dateStyle of ['medium', 'long'] as const) {
        const written = formatDay(day, locale, {dateStyle});
        expect([written, readDay(written, locale, 2026)]).toEqual([written, day]);
      }
    }
  });

  test('with two months means none', () => {
    expect(readDay('5 Mar or May 2026', 'en-US', 2026)).toBeUndefined();
    expect(readDay('Dydd Mawrth, 17 Chwefror 2026', 'cy', 2026)).toBeUndefined();
  });

  test('its hint says the order of the parts', () => {
    expect([hintOf('en-US'), hintOf('de'), hintOf('ja')]).toEqual(['MM/DD/YYYY', 'DD.MM.YYYY', 'YYYY/MM/DD']);
  });

  test('a locale that is none is the browser’s', () => {
    expect(hintOf('not a locale!')).toBe(hintOf(undefined));
  });
});

describe('days', () => {
  test('months end where they end', () => {
    expect(addMonths('2027-01-31', 1)).toBe('2027-02-28');
    expect(addMonths('2024-02-29', -12)).toBe('2023-02-28');
    expect(addMonths('2026-12-15', 1)).toBe('2027-01-15');
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
  });

  test('the calendar ends with the years that a date can have', () => {
    expect(addMonths('0001-01-05', -1)).toBe('0001-01-05');
    expect(addDays('9999-12-31', 1)).toBe('9999-12-31');
    expect(buildDay(2026, 2, 29)).toBeUndefined();
  });

  test.each(['2026-02-10', '2024-02-10', '2026-11-10', '1900-02-10'])(
    'the weeks of %s hold each of its days once',
    day => {
      for (const first of [0, 1, 6]) {
        const days = weeksOf(day, first).flat();
        expect(days.length % 7).toBe(0);
        const shown = days.filter(each => each !== null);
        expect(shown[0]).toBe(`${day.slice(0, 7)}-01`);
        expect(addDays(shown.at(-1) ?? '', 1)).toBe(addMonths(`${day.slice(0, 7)}-01`, 1));
      }
    },
  );
});
