/** Changes a face makes to the native control below it. */
import {updateFace} from './faces.js';
import {flagOf, textOf} from './nodes.js';

type Native = HTMLSelectElement | HTMLInputElement;

/** Returns the native control of the field that `element` is in. */
export function nativeOf(element: Element): Native | null {
  return element.closest('.field')?.querySelector<Native>('[data-field]') ?? null;
}

/** Sets a value and dispatches the control's events, unless it is unchanged or not among the options. */
export function commit(native: Native, value: string): void {
  const before = native.value;
  if (before !== value) {
    native.value = value;
    if (native.value === value) {
      native.dispatchEvent(new Event('input', {bubbles: true}));
      native.dispatchEvent(new Event('change', {bubbles: true}));
    } else native.value = before;
  }
  updateFace(native);
}

export function focusFace(element: Element): void {
  element.closest('.field')?.querySelector<HTMLElement>('.face')?.focus({preventScroll: true});
}

/** Props that every face reads. */
export interface FaceProps {
  readonly placeholder: string;
  readonly isClearable: boolean;
  readonly isDisabled: boolean;
}

export function facePropsOf(node: Readonly<Record<string, unknown>>): FaceProps {
  return {
    placeholder: textOf(node.placeholder),
    isClearable: node.clearable === true,
    isDisabled: flagOf(node.disabled),
  };
}
