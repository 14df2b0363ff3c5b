/** Renders a month as a grid of days, by the ARIA pattern of a date picker dialog. */
import {html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {afterRender} from './after-render.js';
import {addDays, addMonths, firstWeekday, isWithin, placeInWeek, today, weeksOf} from './calendar-days.js';
import {nativeOf} from './face-value.js';
import {pickerStrings} from './picker-strings.js';
import type {Rendered} from './scope.js';
import {formatDay} from './typed-date.js';

export interface Calendar {
  /** The focused day, whose month is shown. */
  readonly day: string;
  readonly min: string | undefined;
  readonly max: string | undefined;
  readonly locale: string | undefined;
  readonly onMove: (day: string) => void;
  readonly onPick: (element: Element, day: string) => void;
  readonly onClose: (element: Element) => void;
}

export function renderCalendar(calendar: Calendar): Rendered {
  const {day, locale} = calendar;
  const first = firstWeekday(locale);
  const weeks = weeksOf(day, first);
  const now = today();
  return html`<div class="calendar-body face-scroll" @keydown=${(event: KeyboardEvent) => onDialogKey(event, calendar)}>
    <div class="calendar-head">
      ${renderTurnButton(calendar, -1, pickerStrings.previousMonth, 'chevron-left')}
      <span class="calendar-month" aria-live="polite" dir="auto"
        >${formatDay(day, locale, {month: 'long', year: 'numeric'})}</span
      >
      ${renderTurnButton(calendar, 1, pickerStrings.nextMonth, 'chevron-right')}
    </div>
    <table
      class="days"
      role="grid"
      aria-label=${formatDay(day, locale, {month: 'long', year: 'numeric'})}
      @keydown=${(event: KeyboardEvent) => onGridKey(event, calendar, first)}
      ${afterRender(grid => updateGrid(grid, day))}
    >
      <thead>
        <tr>
          ${weekdayNames(first, locale).map(
            ({short, long}) => html`<th scope="col" abbr=${long}><span aria-hidden="true">${short}</span></th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${weeks.map(
          week =>
            html`<tr>
              ${week.map(date => (date === null ? html`<td></td>` : renderDay(date, now, calendar)))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function renderTurnButton({day, min, max, onMove}: Calendar, months: number, label: string, glyph: string): Rendered {
  const target = addMonths(day, months);
  // A month is reachable if any of its days is.
  const isUnreachable =
    target === day ||
    (months < 0
      ? min !== undefined && target.slice(0, 7) < min.slice(0, 7)
      : max !== undefined && target.slice(0, 7) > max.slice(0, 7));
  return html`<button
    type="button"
    class="calendar-turn"
    aria-label=${label}
    aria-disabled=${isUnreachable ? 'true' : nothing}
    @click=${() => {
      if (!isUnreachable) onMove(target);
    }}
  >${icon(glyph, '18px')}</button>`;
}

function renderDay(date: string, now: string, {day, min, max, locale, onPick}: Calendar): Rendered {
  return html`<td role="gridcell">
    <button
      type="button"
      class="day"
      tabindex=${date === day ? '0' : '-1'}
      ?data-first-focus=${date === day}
      data-day=${date}
      aria-current=${date === now ? 'date' : nothing}
      aria-disabled=${isWithin(date, min, max) ? nothing : 'true'}
      aria-label=${formatDay(date, locale, {dateStyle: 'full'})}
      @click=${(event: Event) => onPick(event.currentTarget as Element, date)}
    >
      ${formatDay(date, locale, {day: 'numeric'}).replace(/\D+$/, '')}
    </button>
  </td>`;
}

function weekdayNames(first: number, locale: string | undefined): readonly {short: string; long: string}[] {
  // The second of January 2000 was a Sunday.
  return Array.from({length: 7}, (_, index) => addDays('2000-01-02', first + index)).map(day => ({
    short: formatDay(day, locale, {weekday: 'short'}),
    long: formatDay(day, locale, {weekday: 'long'}),
  }));
}

/** Marks the selected day, and moves the focus to `day` after a key was pressed. */
function updateGrid(grid: HTMLElement, day: string): void {
  const value = nativeOf(grid)?.value;
  for (const button of grid.querySelectorAll<HTMLElement>('.day')) {
    button.parentElement?.setAttribute('aria-selected', String(button.dataset.day === value));
  }
  if (grid.hasAttribute('data-moved')) {
    grid.removeAttribute('data-moved');
    grid.querySelector<HTMLElement>(`[data-day="${day}"]`)?.focus({preventScroll: true});
  }
}

function onGridKey(event: KeyboardEvent, {day, onMove}: Calendar, first: number): void {
  const isMirrored = getComputedStyle(event.currentTarget as Element).direction === 'rtl';
  const forward = isMirrored ? -1 : 1;
  const place = placeInWeek(day, first);
  const moves: Readonly<Record<string, () => string>> = {
    ArrowRight: () => addDays(day, forward),
    ArrowLeft: () => addDays(day, -forward),
    ArrowDown: () => addDays(day, 7),
    ArrowUp: () => addDays(day, -7),
    Home: () => addDays(day, -place),
    End: () => addDays(day, 6 - place),
    PageDown: () => addMonths(day, event.shiftKey ? 12 : 1),
    PageUp: () => addMonths(day, event.shiftKey ? -12 : -1),
  };
  const move = Object.hasOwn(moves, event.key) ? moves[event.key] : undefined;
  if (move && !event.altKey && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    event.stopPropagation();
    (event.currentTarget as Element).toggleAttribute('data-moved', true);
    onMove(move());
  }
}

/** Closes the dialog on Escape, and makes Tab cycle inside it. */
function onDialogKey(event: KeyboardEvent, {onClose}: Calendar): void {
  const body = event.currentTarget as Element;
  if (event.key === 'Escape') {
    event.preventDefault();
    event.stopPropagation();
    onClose(body);
  } else if (event.key === 'Tab') {
    const stops = [...body.querySelectorAll<HTMLElement>('button:not([tabindex="-1"])')];
    const at = stops.indexOf(event.target as HTMLElement);
    const next = stops[(at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length];
    event.preventDefault();
    next?.focus();
  }
}
