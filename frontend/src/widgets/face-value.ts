/** Changes that a face makes to the native control under it. */
import {updateFace} from './faces.js';
import {flagOf, textOf} from './nodes.js';

type Native = HTMLSelectElement | HTMLInputElement;

/** The control under the face that an event comes from. */
export function nativeOf(element: Element): Native | null {
  return element.closest('.field')?.querySelector<Native>('[data-field]') ?? null;
}

/** Puts a value in, and reports it once as the control itself would; nothing is said when it was there, or is not offered. */
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

/** Properties of a component that every face reads. */
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
