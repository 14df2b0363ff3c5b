/** The renderer of Button, and buttons of other components. */
import {html, nothing, type TemplateResult} from 'lit';
import {icon} from '../icons/icons.js';
import {type Choice, type Every, isRecord, nameOf, oneOf, textOf, type WidgetNode} from './nodes.js';
import type {Renderer, Scope} from './scope.js';

// biome-ignore format: a list
const COLORS: Every<Choice<'Button', 'color'>> = {
  primary: 1, secondary: 1, info: 1, discovery: 1, success: 1, caution: 1, warning: 1, danger: 1,
};
const VARIANTS: Every<Choice<'Button', 'variant'>> = {solid: 1, soft: 1, outline: 1, ghost: 1};
// biome-ignore format: a list
export const CONTROL_SIZES: Every<Choice<'Button' | 'Select', 'size'>> = {
  '3xs': 1, '2xs': 1, xs: 1, sm: 1, md: 1, lg: 1, xl: 1, '2xl': 1, '3xl': 1,
};
const ICON_PX = {sm: 16, md: 18, lg: 20, xl: 22, '2xl': 24} as const satisfies Every<Choice<'Button', 'iconSize'>>;

type Color = Choice<'Button', 'color'>;
type Variant = Choice<'Button', 'variant'>;

/** Resolves the preset `style`, which `color` and `variant` override. */
function resolveLooks(node: WidgetNode<'Button'>): {color: Color; variant: Variant} {
  const isPrimary = node.style === 'primary' || (node.style !== 'secondary' && node.submit === true);
  const color = oneOf(node.color, COLORS, undefined);
  const fallback = color !== undefined || isPrimary ? 'solid' : 'soft';
  return {
    color: color ?? (isPrimary ? 'primary' : 'secondary'),
    variant: oneOf(node.variant, VARIANTS, node.style === 'secondary' ? 'soft' : fallback),
  };
}

interface ButtonLook {
  readonly classes: string;
  readonly label: string;
  /** Accessible name and tooltip when no text is visible. */
  readonly hiddenLabel?: string | undefined;
  readonly iconStart?: unknown;
  readonly iconEnd?: unknown;
  readonly iconSize?: string;
  readonly isSubmit?: boolean;
  readonly isDisabled?: boolean;
  /** Prevents clicks but not the focus, so that keyboard users keep their place while an answer runs. */
  readonly isHeld: boolean;
  readonly isLoading: boolean;
  readonly onClick: (event: Event) => void;
}

/** Renders a button; while it is held or loading, clicks do nothing. */
export function buttonTemplate(look: ButtonLook): TemplateResult {
  const click = (event: Event) => {
    event.preventDefault();
    if (!look.isHeld && !look.isLoading) {
      look.onClick(event);
    }
  };
  const glyph = (name: unknown) => (nameOf(name) === undefined ? nothing : icon(name, look.iconSize));
  return html`<button
    class="button ${look.classes}"
    type=${look.isSubmit === true ? 'submit' : 'button'}
    ?disabled=${look.isDisabled === true}
    aria-disabled=${look.isHeld || look.isLoading ? 'true' : nothing}
    aria-busy=${look.isLoading ? 'true' : nothing}
    aria-label=${look.hiddenLabel ?? nothing}
    title=${look.hiddenLabel ?? nothing}
    @click=${click}
  >
    ${glyph(look.iconStart)}${look.label === '' ? nothing : html`<span class="button-label" dir="auto">${look.label}</span>`}${glyph(
      look.iconEnd,
    )}${look.isLoading ? html`<span class="spinner" aria-hidden="true"></span>` : nothing}
  </button>`;
}

/** Returns `check-circle` as "check circle", the last resort as the name of a button with only an icon. */
function iconLabel(name: unknown): string | undefined {
  return nameOf(name)
    ?.replace(/^(lucide|vendor):/, '')
    .replaceAll('-', ' ');
}

export const renderButton: Renderer<'Button'> = (node, scope) => {
  const {host, form, path} = scope;
  const {color, variant} = resolveLooks(node);
  const size = oneOf(node.size, CONTROL_SIZES, 'md');
  const label = textOf(node.label);
  const isUniform = node.uniform === true;
  // A square button has no room for its label, which becomes its accessible name.
  const hasIcon = nameOf(node.iconStart) !== undefined || nameOf(node.iconEnd) !== undefined;
  const isIconOnly = hasIcon && (isUniform || label === '');
  const isSubmit = node.submit === true && form !== null;
  const action = isSubmit ? (form.action ?? node.onClickAction) : node.onClickAction;
  const iconSize = oneOf(node.iconSize, ICON_PX, undefined);
  return buttonTemplate({
    classes: [
      `v-${variant} c-${color} s-${size}`,
      node.pill === false ? '' : 'pill',
      isUniform || isIconOnly ? 'uniform' : '',
      node.block === true ? 'block' : '',
    ].join(' '),
    label: isIconOnly ? '' : label,
    hiddenLabel: isIconOnly
      ? (nameOf(node.ariaLabel) ?? nameOf(label) ?? iconLabel(node.iconStart ?? node.iconEnd))
      : nameOf(node.ariaLabel),
    iconStart: node.iconStart,
    iconEnd: node.iconEnd,
    ...(iconSize === undefined ? {} : {iconSize: `${ICON_PX[iconSize]}px`}),
    isSubmit,
    isDisabled: node.disabled === true,
    isHeld: host.isBlocked(action),
    isLoading: host.isLoading(isSubmit ? form.path : path),
    onClick: event => {
      const element = event.currentTarget as Element;
      if (isSubmit) {
        host.submit(form, element, node.onClickAction);
      } else {
        host.fire({action: node.onClickAction, trigger: 'click', path, element, form});
      }
    },
  });
};

/** Renders a card's primary (`confirm`) or secondary (`cancel`) button, if the server has sent one. */
export function cardButton(kind: 'confirm' | 'cancel', spec: unknown, scope: Scope, asForm: boolean) {
  if (!isRecord(spec)) {
    return nothing;
  }
  const {host} = scope;
  const path = `${scope.path}/${kind}`;
  const form = asForm ? ({path: scope.path, action: spec.action, trigger: 'confirm'} as const) : scope.form;
  return buttonTemplate({
    classes: `s-md pill ${kind === 'confirm' ? 'v-solid c-primary' : 'v-soft c-secondary'}`,
    label: textOf(spec.label),
    isSubmit: asForm && kind === 'confirm',
    isHeld: host.isBlocked(spec.action),
    isLoading: host.isLoading(path),
    onClick: event => {
      const element = event.currentTarget as Element;
      if (asForm && kind === 'confirm' && form !== null) {
        host.submit(form, element);
      } else {
        host.fire({action: spec.action, trigger: kind, path, element, form});
      }
    },
  });
}
