/** Shared by several form controls: classes, options, and the handler of changes. */
import {CONTROL_SIZES} from './button.js';
import {type Choice, type Every, flagOf, isRecord, nameOf, oneOf, textOf} from './nodes.js';
import type {Scope} from './scope.js';

export const VARIANTS: Every<Choice<'Select' | 'DatePicker' | 'Input' | 'Textarea', 'variant'>> = {
  solid: 1,
  soft: 1,
  outline: 1,
  ghost: 1,
};

type Props = Readonly<Record<string, unknown>>;

export function controlClasses(node: Props, isPillByDefault: boolean): string {
  const variant = oneOf(node.variant, VARIANTS, 'outline');
  const isPill = isPillByDefault ? node.pill !== false : node.pill === true;
  return `control v-${variant} s-${oneOf(node.size, CONTROL_SIZES, 'md')} ${isPill ? 'pill' : ''}`;
}

/** Builds a change handler that fires the control's action; the view adds the values. */
export function changeHandler(action: unknown, {host, path, form}: Scope): (event: Event) => void {
  return event => {
    host.clearError(path);
    const element = (event.currentTarget as Element).closest('[data-field]') ?? (event.currentTarget as Element);
    host.fire({action, trigger: 'change', path, element, form});
  };
}

/** Whether a control must not be changed now, because its action is blocked or running. */
export function isHeld(action: unknown, {host, path}: Scope): boolean {
  return host.isBlocked(action) || host.isLoading(path);
}

export interface Option {
  readonly value: string;
  readonly label: string;
  readonly description: string;
  readonly isDisabled: boolean;
}

/** Parses the options of a Select or RadioGroup; those without a value and duplicates are left out. */
export function optionsOf(value: unknown): readonly Option[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const seen = new Set<string>();
  return list.flatMap(entry => {
    const key = isRecord(entry) ? textOf(entry.value) : '';
    if (!isRecord(entry) || seen.has(key) || (key === '' && entry.value !== '')) {
      return [];
    }
    seen.add(key);
    return [
      {
        value: key,
        label: nameOf(entry.label) ?? key,
        description: nameOf(entry.description) ?? '',
        isDisabled: flagOf(entry.disabled),
      },
    ];
  });
}

/** Returns label and description in one line, where there is no room for two. */
export function optionText({label, description}: Option): string {
  return description === '' ? label : `${label} – ${description}`;
}
