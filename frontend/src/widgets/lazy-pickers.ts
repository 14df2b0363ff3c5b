/** The faces of Select and DatePicker in the core: fetched with the first of them, native controls until then. */
import type {CSSResult} from 'lit';
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {adoptStyles} from './adopted-styles.js';
import type {Option} from './control-parts.js';
import type {FieldParts} from './field-parts.js';
import type {Rendered, Scope, WidgetHost} from './scope.js';

/** What a face needs to know of its field. */
export interface Face {
  readonly parts: FieldParts;
  readonly classes: string;
  readonly placeholder: string;
  readonly isClearable: boolean;
  readonly isDisabled: boolean;
  /** Kept focusable: its action cannot be sent now, or is on its way. */
  readonly isHeld: boolean;
}

export interface SelectFace extends Face {
  readonly options: readonly Option[];
  readonly hasSearch: boolean;
}

export interface DateFace extends Face {
  readonly min: string | undefined;
  readonly max: string | undefined;
  readonly side: unknown;
  readonly align: unknown;
}

export interface PickersPart {
  readonly renderSelectFace: (face: SelectFace, scope: Scope) => Rendered;
  readonly renderDateFace: (face: DateFace, scope: Scope) => Rendered;
  readonly WidgetPopover: CustomElementConstructor;
  readonly pickerStyles: CSSResult;
}

export const pickersPart = new LazyPart<PickersPart>(attempt => fetchPart<PickersPart>('pickers', attempt));

const waiting = new WeakSet<WidgetHost>();
const POPOVER = 'parlor-widget-popover';

/** Whether fingers are what this device is used with: its own wheels and calendars are made for them. */
export function isTouchDevice(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}

/** The part with the faces, once it is there; a native control with the focus is not covered under a person's hands. */
export function pickersFor({host, path}: Scope, id: string): PickersPart | undefined {
  const part = pickersPart.value;
  if (part) {
    const root = host instanceof Element ? host.shadowRoot : null;
    if (root?.activeElement?.id === id) return undefined;
    if (!customElements.get(POPOVER)) customElements.define(POPOVER, part.WidgetPopover);
    adoptStyles(host, part.pickerStyles);
    return part;
  }
  if (!waiting.has(host)) {
    waiting.add(host);
    void pickersPart.load().then(loaded => {
      waiting.delete(host);
      if (loaded) host.remember(`${path} part`, true);
    });
  }
  return undefined;
}
