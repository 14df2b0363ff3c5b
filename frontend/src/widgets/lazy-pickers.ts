/** Loads the faces of Select and DatePicker when the first one appears; until then, native controls are shown. */
import type {CSSResult} from 'lit';
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {adoptStyles} from './adopted-styles.js';
import type {Option} from './control-parts.js';
import type {FieldParts} from './field-parts.js';
import type {Rendered, Scope} from './scope.js';

/** A field that its face covers; the face reads other props from the component. */
export interface CoveredField {
  readonly node: Readonly<Record<string, unknown>>;
  readonly parts: FieldParts;
  readonly classes: string;
  /** Whether changes are prevented, but not the focus, because its action is blocked or running. */
  readonly isHeld: boolean;
}

export interface CoveredSelect extends CoveredField {
  readonly options: readonly Option[];
  readonly hasSearch: boolean;
}

export interface CoveredDate extends CoveredField {
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

/** Whether the main pointer is a finger: native pickers are then easier to use. */
export function isTouchDevice(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}

/** The part, if it is loaded; otherwise whether it is loading, or the field keeps its native control. */
export type Covering = PickersPart | 'loading' | 'missing';

export function pickersFor({host, path}: Scope, id: string): Covering {
  const part = pickersPart.value;
  if (part) {
    const root = host instanceof Element ? host.shadowRoot : null;
    // A native control in use must not be covered.
    if (root?.activeElement?.id === id) return 'missing';
    if (!customElements.get(POPOVER)) customElements.define(POPOVER, part.WidgetPopover);
    adoptStyles(host, part.pickerStyles);
    return part;
  }
  if (host.recall(`${path} part`) === false) return 'missing';
  void pickersPart.load().then(loaded => host.remember(`${path} part`, loaded !== undefined));
  return 'loading';
}
