/** The faces of Select and DatePicker in the core: fetched with the first of them, native controls until then. */
import type {CSSResult} from 'lit';
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {adoptStyles} from './adopted-styles.js';
import type {Option} from './control-parts.js';
import type {FieldParts} from './field-parts.js';
import type {Rendered, Scope} from './scope.js';

/** The part of a field that its face is told; the rest it reads from the component. */
export interface Covered {
  readonly node: Readonly<Record<string, unknown>>;
  readonly parts: FieldParts;
  readonly classes: string;
  /** Kept focusable: its action cannot be sent now, or is on its way. */
  readonly isHeld: boolean;
}

export interface CoveredSelect extends Covered {
  readonly options: readonly Option[];
  readonly hasSearch: boolean;
}

export interface CoveredDate extends Covered {
  readonly min: string | undefined;
  readonly max: string | undefined;
}

export interface PickersPart {
  readonly renderSelectFace: (covered: CoveredSelect, scope: Scope) => Rendered;
  readonly renderDateFace: (covered: CoveredDate, scope: Scope) => Rendered;
  readonly WidgetPopover: CustomElementConstructor;
  readonly pickerStyles: CSSResult;
}

export const pickersPart = new LazyPart<PickersPart>(attempt => fetchPart<PickersPart>('pickers', attempt));

const POPOVER = 'parlor-widget-popover';

/** Whether fingers are what this device is used with: its own wheels and calendars are made for them. */
export function isTouchDevice(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}

/** Whether a field has a face now, gets one at once, or stays as it is because the part cannot be had. */
export type Covering = PickersPart | 'coming' | 'missing';

export function pickersFor({host, path}: Scope, id: string): Covering {
  const part = pickersPart.value;
  if (part) {
    const root = host instanceof Element ? host.shadowRoot : null;
    // Under a person's hands nothing is covered.
    if (root?.activeElement?.id === id) return 'missing';
    if (!customElements.get(POPOVER)) customElements.define(POPOVER, part.WidgetPopover);
    adoptStyles(host, part.pickerStyles);
    return part;
  }
  if (host.recall(`${path} part`) === false) return 'missing';
  void pickersPart.load().then(loaded => host.remember(`${path} part`, loaded !== undefined));
  return 'coming';
}
