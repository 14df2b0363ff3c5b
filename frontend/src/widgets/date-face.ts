/** The face of DatePicker: a text field for a date in the format of the user's locale, and a calendar in a dialog. */
import {html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {clampDay, isWithin, today} from './calendar-days.js';
import {renderCalendar} from './calendar-grid.js';
import {commit, type FaceProps, facePropsOf, focusFace, nativeOf} from './face-value.js';
import type {CoveredDate} from './lazy-pickers.js';
import {type Choice, oneOf} from './nodes.js';
import {pickerStrings} from './picker-strings.js';
import type {Rendered, Scope} from './scope.js';
import {formatDay, hintOf, readDay} from './typed-date.js';

type DateFace = CoveredDate & FaceProps;

const calendarKey = (path: string) => `${path} picker`;
const openerKey = (path: string) => `${path} opener`;
const problemKey = (path: string) => `${path} problem`;

/** Returns the day that the open calendar shows, undefined while it is closed. */
function getOpenDay({host, path}: Scope): string | undefined {
  const day = host.recall(calendarKey(path));
  return typeof day === 'string' ? day : undefined;
}

/** Closes the calendar, and returns the focus to the button or text field that opened it. */
function closeCalendar(element: Element, {host, path}: Scope): void {
  const button = element.closest('.field')?.querySelector<HTMLElement>('.face-open');
  if (button && host.recall(openerKey(path)) === 'button') button.focus({preventScroll: true});
  else focusFace(element);
  host.remember(calendarKey(path), undefined);
}

function isEditable({isDisabled, isHeld}: DateFace): boolean {
  return !isDisabled && !isHeld;
}

/** Commits typed text if it is a day within the limits; otherwise shows an error. */
function commitTyped(field: HTMLInputElement, face: DateFace, scope: Scope): void {
  const native = nativeOf(field);
  const {host, path} = scope;
  // While a new tree is rendered, the browser's blur event is not the user's.
  if (native === null || host.isDrawing || !isEditable(face) || field.value === field.dataset.shown) {
    return;
  }
  const text = field.value.trim();
  const day = readDay(text, host.locale, new Date().getFullYear());
  if (text === '') {
    setProblem(field, scope, undefined);
    // A field that cannot be cleared shows its day again.
    delete field.dataset.shown;
    commit(native, face.isClearable ? '' : native.value);
  } else if (day === undefined) {
    setProblem(field, scope, pickerStrings.dateUnreadable(hintOf(host.locale)));
  } else if (isWithin(day, face.min, face.max)) {
    setProblem(field, scope, undefined);
    delete field.dataset.shown;
    commit(native, day);
  } else {
    const limits = [face.min, face.max].map(limit => (limit === undefined ? '' : formatDay(limit, host.locale)));
    setProblem(field, scope, pickerStrings.dateOutside(limits.join(' – ').trim()));
  }
  host.clearError(path);
}

/** Marks text that is not a valid day, which blocks the form until it is corrected; undefined removes the mark. */
function setProblem(field: HTMLInputElement, {host, path}: Scope, problem: string | undefined): void {
  const native = nativeOf(field);
  native?.setCustomValidity(problem ?? '');
  field.toggleAttribute('data-unread', problem !== undefined);
  host.remember(problemKey(path), problem);
}

function pickDay(face: DateFace, scope: Scope, element: Element, day: string): void {
  const native = nativeOf(element);
  const field = element.closest('.field')?.querySelector<HTMLInputElement>('.face');
  if (native === null || !field || !isEditable(face) || !isWithin(day, face.min, face.max)) {
    return;
  }
  setProblem(field, scope, undefined);
  closeCalendar(element, scope);
  delete field.dataset.shown;
  commit(native, day);
}

/** Opens the calendar on the field's day, or on today, within the limits. */
function openCalendar(element: Element, face: DateFace, {host, path}: Scope): void {
  if (!isEditable(face)) return;
  const value = nativeOf(element)?.value;
  const day = value === undefined || value === '' ? today() : value;
  host.remember(openerKey(path), element.localName);
  host.remember(calendarKey(path), clampDay(day, face.min, face.max));
}

/** Shows the field's value, but keeps text that the user is typing, or that could not be parsed. */
function showValue(event: CustomEvent<string>, locale: string | undefined): void {
  const field = event.currentTarget as HTMLInputElement;
  const text = event.detail === '' ? '' : formatDay(event.detail, locale);
  const isTyped = field.dataset.shown !== undefined && field.value !== field.dataset.shown;
  if (isTyped || field.dataset.shown === text) return;
  field.dataset.shown = text;
  field.value = text;
}

function onFieldKey(event: KeyboardEvent, face: DateFace, scope: Scope): void {
  const field = event.currentTarget as HTMLInputElement;
  if (event.isComposing) return;
  if (event.key === 'Enter') {
    commitTyped(field, face, scope);
    face.parts.onEnter(event);
    event.preventDefault();
  } else if (event.key === 'ArrowDown') {
    commitTyped(field, face, scope);
    openCalendar(field, face, scope);
    event.preventDefault();
  } else if (event.key === 'Escape' && field.dataset.shown !== field.value) {
    field.value = field.dataset.shown ?? '';
    setProblem(field, scope, undefined);
    event.preventDefault();
    event.stopPropagation();
  }
}

function clearDate(event: Event, face: DateFace, scope: Scope): void {
  const button = event.currentTarget as Element;
  const field = button.closest('.field')?.querySelector<HTMLInputElement>('.face');
  const native = nativeOf(button);
  if (!native || !field || !isEditable(face)) return;
  setProblem(field, scope, undefined);
  field.focus({preventScroll: true});
  delete field.dataset.shown;
  commit(native, '');
}

export function renderDateFace(covered: CoveredDate, scope: Scope): Rendered {
  const face = {...covered, ...facePropsOf(covered.node)};
  const {parts, classes, placeholder, isClearable, isDisabled, isHeld} = face;
  const {host, path} = scope;
  const openDay = isDisabled ? undefined : getOpenDay(scope);
  const stored = host.recall(problemKey(path));
  const problem = typeof stored === 'string' ? stored : undefined;
  const hint = hintOf(host.locale);
  const problemId = `${parts.id}-unread`;
  const toggle = (event: Event) => {
    const element = event.currentTarget as Element;
    if (getOpenDay(scope)) closeCalendar(element, scope);
    else openCalendar(element, face, scope);
  };
  const commitText = (event: Event) => commitTyped(event.currentTarget as HTMLInputElement, face, scope);
  return html`<input
      type="text"
      size="1"
      class="${classes} face"
      id="${parts.id}-face"
      inputmode=${/^[D.M/Y\s-]+$/.test(hint) ? 'numeric' : nothing}
      autocomplete="off"
      spellcheck="false"
      placeholder=${placeholder === '' ? hint : placeholder}
      title=${hint}
      aria-invalid=${problem === undefined ? parts.invalid : 'true'}
      aria-describedby=${problem === undefined ? parts.describedBy : problemId}
      aria-disabled=${isHeld ? 'true' : nothing}
      aria-busy=${host.isLoading(path) ? 'true' : nothing}
      ?disabled=${isDisabled}
      ?readonly=${isHeld}
      @input=${parts.onInput}
      @change=${commitText}
      @blur=${commitText}
      @keydown=${(event: KeyboardEvent) => onFieldKey(event, face, scope)}
      @field-value=${(event: CustomEvent<string>) => showValue(event, host.locale)}
    /><button
      type="button"
      class="face-open"
      aria-haspopup="dialog"
      aria-expanded=${openDay === undefined ? 'false' : 'true'}
      aria-label=${pickerStrings.openCalendar}
      ?disabled=${isDisabled}
      @click=${toggle}
    >${icon('calendar', '16px')}</button>${
      isClearable && !isDisabled
        ? html`<button type="button" class="face-clear" aria-label=${pickerStrings.clear} @click=${(event: Event) => clearDate(event, face, scope)}>
            ${icon('close', '14px')}
          </button>`
        : nothing
    }${
      problem !== undefined && parts.invalid === nothing
        ? html`<span class="field-error" id=${problemId} role="alert">${problem}</span>`
        : nothing
    }${openDay === undefined ? nothing : renderCalendarPopover(openDay, face, scope)}`;
}

function renderCalendarPopover(day: string, face: DateFace, scope: Scope): Rendered {
  const {host, path} = scope;
  const {node, min, max} = face;
  return html`<parlor-widget-popover
    class="face-popover calendar"
    popover="manual"
    role="dialog"
    aria-label=${pickerStrings.openCalendar}
    data-side=${oneOf<Choice<'DatePicker', 'side'>>(node.side, {top: 1, bottom: 1, left: 1, right: 1}, 'bottom')}
    data-align=${oneOf<Choice<'DatePicker', 'align'>>(node.align, {start: 1, center: 1, end: 1}, 'start')}
    @dismiss=${() => host.remember(calendarKey(path), undefined)}
  >${renderCalendar({
    day,
    min,
    max,
    locale: host.locale,
    onMove: target => host.remember(calendarKey(path), clampDay(target, min, max)),
    onPick: (element, picked) => pickDay(face, scope, element, picked),
    onClose: element => closeCalendar(element, scope),
  })}</parlor-widget-popover>`;
}
