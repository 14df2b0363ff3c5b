/** The face of Select: a button that opens a list of options, by the ARIA pattern of a select-only combobox. */
import {html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {afterRender} from './after-render.js';
import type {Option} from './control-parts.js';
import {commit, type FaceProps, facePropsOf, focusFace, nativeOf} from './face-value.js';
import type {CoveredSelect} from './lazy-pickers.js';
import {findOptions, findTyped, stepOption} from './option-search.js';
import {pickerStrings} from './picker-strings.js';
import type {Rendered, Scope} from './scope.js';

type SelectFace = CoveredSelect & FaceProps;

/** The state of an open list. */
interface Opened {
  readonly query: string;
  /** The value of the option that Enter would chooseOption. */
  readonly active: string | undefined;
  readonly typed: string;
  readonly typedAt: number;
}

const TYPING_PAUSE_MS = 700;
const PAGE_SIZE = 10;

const stateKey = (path: string) => `${path} picker`;

function getOpened({host, path}: Scope): Opened | undefined {
  return host.recall(stateKey(path)) as Opened | undefined;
}

function setOpened({host, path}: Scope, opened: Opened | undefined): void {
  host.remember(stateKey(path), opened);
}

function shownOptions(face: SelectFace, opened: Opened): readonly Option[] {
  return face.hasSearch ? findOptions(face.options, opened.query) : face.options;
}

function openList(face: SelectFace, scope: Scope, element: Element): void {
  if (face.isDisabled || face.isHeld) {
    return;
  }
  const value = nativeOf(element)?.value ?? '';
  const first = face.options[stepOption(face.options, 0, 0)]?.value;
  const active = face.options.some(option => option.value === value) ? value : first;
  if (element.matches('.face')) (element as HTMLElement).focus({preventScroll: true});
  setOpened(scope, {query: '', active, typed: '', typedAt: 0});
}

function closeList(scope: Scope, element: Element): void {
  if (getOpened(scope) !== undefined) {
    focusFace(element);
    setOpened(scope, undefined);
  }
}

function chooseOption(face: SelectFace, scope: Scope, element: Element, option: Option | undefined): void {
  const native = nativeOf(element);
  if (native === null || option === undefined || option.isDisabled || face.isHeld || face.isDisabled) {
    return;
  }
  closeList(scope, element);
  commit(native, option.value);
}

export function renderSelectFace(covered: CoveredSelect, scope: Scope): Rendered {
  const face = {...covered, ...facePropsOf(covered.node)};
  const {parts, classes, placeholder, options, isClearable, isDisabled, isHeld} = face;
  const opened = isDisabled ? undefined : getOpened(scope);
  const toggle = (event: Event) => {
    const element = event.currentTarget as Element;
    if (getOpened(scope)) closeList(scope, element);
    else openList(face, scope, element);
  };
  const showValue = (event: CustomEvent<string>) => {
    const label = options.find(({value}) => value === event.detail)?.label;
    const text = (event.currentTarget as Element).querySelector('.face-text');
    if (text && text.textContent !== (label ?? placeholder)) text.textContent = label ?? placeholder;
  };
  const clear = (event: Event) => {
    const element = event.currentTarget as Element;
    const native = nativeOf(element);
    if (native && !isHeld) {
      focusFace(element);
      commit(native, '');
    }
  };
  return html`<button
      type="button"
      class="${classes} face"
      id="${parts.id}-face"
      role="combobox"
      aria-haspopup="listbox"
      aria-expanded=${opened ? 'true' : 'false'}
      aria-controls=${opened ? `${parts.id}-list` : nothing}
      aria-activedescendant=${opened && !face.hasSearch ? activeId(face, opened) : nothing}
      aria-invalid=${parts.invalid}
      aria-describedby=${parts.describedBy}
      aria-disabled=${isHeld ? 'true' : nothing}
      aria-busy=${scope.host.isLoading(scope.path) ? 'true' : nothing}
      ?disabled=${isDisabled}
      @click=${toggle}
      @keydown=${(event: KeyboardEvent) => onKey(event, face, scope)}
      @field-value=${showValue}
    ><span class="face-text" dir="auto"></span></button
    ><span class="picker-arrow">${icon('chevron-down', '16px')}</span>${
      isClearable && !isDisabled
        ? html`<button type="button" class="face-clear" aria-label=${pickerStrings.clear} @click=${clear}>
            ${icon('close', '14px')}
          </button>`
        : nothing
    }${opened ? renderList(face, scope, opened) : nothing}`;
}

function activeId(face: SelectFace, opened: Opened): string | typeof nothing {
  const index = face.options.findIndex(({value}) => value === opened.active);
  return index < 0 ? nothing : `${face.parts.id}-option-${index}`;
}

/** Marks the chosen option, and scrolls to the active one when it has changed. */
function updateList(list: HTMLElement): void {
  const active = list.querySelector<HTMLElement>('.is-active');
  const value = nativeOf(list)?.value;
  for (const option of list.querySelectorAll<HTMLElement>('.option')) {
    option.setAttribute('aria-selected', String(option.dataset.value === value));
  }
  if (active === null || list.dataset.scrolledTo === active.id) return;
  list.dataset.scrolledTo = active.id;
  const top = active.offsetTop - list.offsetTop;
  if (top < list.scrollTop) list.scrollTop = top;
  const end = top + active.offsetHeight - list.clientHeight;
  if (end > list.scrollTop) list.scrollTop = end;
}

function renderList(face: SelectFace, scope: Scope, opened: Opened): Rendered {
  const {parts, options, hasSearch} = face;
  const shown = shownOptions(face, opened);
  const search = (event: Event) => {
    const query = (event.currentTarget as HTMLInputElement).value;
    const matches = findOptions(options, query);
    setOpened(scope, {...opened, query, active: matches[stepOption(matches, 0, 0)]?.value});
  };
  return html`<parlor-widget-popover
    class="face-popover"
    popover="manual"
    @dismiss=${() => setOpened(scope, undefined)}
    @keydown=${(event: KeyboardEvent) => onKey(event, face, scope)}
  >
    ${
      hasSearch
        ? html`<input
            class="control s-md face-search"
            type="text"
            role="combobox"
            data-first-focus
            dir="auto"
            autocomplete="off"
            spellcheck="false"
            placeholder=${pickerStrings.search}
            .value=${opened.query}
            aria-label=${pickerStrings.search}
            aria-autocomplete="list"
            aria-expanded="true"
            aria-controls="${parts.id}-list"
            aria-activedescendant=${activeId(face, opened)}
            @input=${search}
          />`
        : nothing
    }
    <div
      class="face-scroll options"
      role="listbox"
      id="${parts.id}-list"
      aria-label=${parts.label}
      @pointerdown=${(event: Event) => event.preventDefault()}
      ${afterRender(updateList)}
    >
      ${shown.map(option => renderOption(option, face, scope, opened))}
    </div>
    <span class=${shown.length === 0 ? 'option-none' : 'visually-hidden'} role="status"
      >${shown.length === 0 ? pickerStrings.noOptions : nothing}</span
    >
  </parlor-widget-popover>`;
}

function renderOption(option: Option, face: SelectFace, scope: Scope, opened: Opened): Rendered {
  const {parts, options} = face;
  return html`<div
    class="option ${option.value === opened.active ? 'is-active' : ''}"
    role="option"
    id="${parts.id}-option-${options.indexOf(option)}"
    data-value=${option.value}
    aria-disabled=${option.isDisabled ? 'true' : nothing}
    @click=${(event: Event) => chooseOption(face, scope, event.currentTarget as Element, option)}
    @pointermove=${() => {
      if (!option.isDisabled && opened.active !== option.value) setOpened(scope, {...opened, active: option.value});
    }}
  >
    <span class="option-words" dir="auto"
      >${option.label}${
        option.description === ''
          ? nothing
          : html`<span class="option-description" dir="auto">${option.description}</span>`
      }</span
    ><span class="option-mark">${icon('check', '16px')}</span>
  </div>`;
}

function onKey(event: KeyboardEvent, face: SelectFace, scope: Scope): void {
  if (event.isComposing || event.ctrlKey || event.metaKey) {
    return;
  }
  const opened = getOpened(scope);
  const isHandled = opened ? onKeyOpen(event, face, scope, opened) : onKeyClosed(event, face, scope);
  if (isHandled) {
    event.preventDefault();
    event.stopPropagation();
  }
}

function onKeyClosed(event: KeyboardEvent, face: SelectFace, scope: Scope): boolean {
  const element = event.currentTarget as Element;
  const {key} = event;
  if (['ArrowDown', 'ArrowUp', 'Enter', ' ', 'Home', 'End'].includes(key)) {
    openList(face, scope, element);
    const opened = getOpened(scope);
    if (opened && (key === 'Home' || key === 'End')) onKeyOpen(event, face, scope, opened);
    return true;
  }
  if ((key === 'Delete' || key === 'Backspace') && face.isClearable && !face.isHeld) {
    const native = nativeOf(element);
    if (native) commit(native, '');
    return true;
  }
  if (isCharacterKey(event) && !face.hasSearch) {
    openList(face, scope, element);
    const opened = getOpened(scope);
    return opened !== undefined && onKeyOpen(event, face, scope, opened);
  }
  return false;
}

function isCharacterKey({key, altKey}: KeyboardEvent): boolean {
  return [...key].length === 1 && !altKey;
}

function onKeyOpen(event: KeyboardEvent, face: SelectFace, scope: Scope, opened: Opened): boolean {
  const element = event.currentTarget as Element;
  const shown = shownOptions(face, opened);
  const at = shown.findIndex(({value}) => value === opened.active);
  const isTyping = opened.typed !== '' && event.timeStamp - opened.typedAt < TYPING_PAUSE_MS;
  const activate = (index: number) => {
    setOpened(scope, {...opened, active: shown[index]?.value ?? opened.active});
    return true;
  };
  switch (event.key) {
    case 'Escape':
      closeList(scope, element);
      return true;
    case 'Tab':
      // By the ARIA pattern: Tab chooses the active option, and the focus moves on from the face.
      if (at >= 0 && shown[at]?.value !== nativeOf(element)?.value) chooseOption(face, scope, element, shown[at]);
      else closeList(scope, element);
      return false;
    case 'Enter':
      chooseOption(face, scope, element, shown[at]);
      return true;
    case ' ':
      if (face.hasSearch) return false;
      if (isTyping) break;
      chooseOption(face, scope, element, shown[at]);
      return true;
    case 'ArrowDown':
      return activate(stepOption(shown, at, 1));
    case 'ArrowUp':
      if (!event.altKey) return activate(stepOption(shown, at < 0 ? shown.length : at, -1));
      chooseOption(face, scope, element, shown[at]);
      return true;
    case 'PageDown':
      return activate(stepOption(shown, Math.max(0, at), PAGE_SIZE));
    case 'PageUp':
      return activate(stepOption(shown, Math.max(0, at), -PAGE_SIZE));
    case 'Home':
      return !face.hasSearch && activate(stepOption(shown, 0, 0));
    case 'End':
      return !face.hasSearch && activate(stepOption(shown, shown.length, -1));
  }
  if (face.hasSearch || !isCharacterKey(event)) {
    return false;
  }
  const typed = isTyping ? opened.typed + event.key : event.key;
  const match = findTyped(shown, typed, at);
  setOpened(scope, {
    ...opened,
    typed,
    typedAt: event.timeStamp,
    active: match < 0 ? opened.active : shown[match]?.value,
  });
  return true;
}
