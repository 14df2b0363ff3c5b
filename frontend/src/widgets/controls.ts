/** Renderers of form controls: Input, Textarea, Select, DatePicker, Checkbox, RadioGroup. */
import {html, nothing} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {icon} from '../icons/icons.js';
import {CONTROL_SIZES} from './button.js';
import {fieldParts, focusOnMount} from './field-parts.js';
import {initial} from './fields.js';
import {flagOf, isRecord, nameOf, numberOf, oneOf, textOf} from './nodes.js';
import type {Renderer, Scope} from './scope.js';
import {styled} from './styled.js';

const INPUT_TYPES = ['number', 'email', 'text', 'password', 'tel', 'url'] as const;
const GUTTERS = ['2xs', 'xs', 'sm', 'md', 'lg', 'xl'] as const;
const VARIANTS = ['solid', 'soft', 'outline', 'ghost'] as const;

type Props = Readonly<Record<string, unknown>>;

function controlClasses(node: Props, isPillByDefault: boolean): string {
  const variant = oneOf(node.variant, VARIANTS, 'outline');
  const isPill = isPillByDefault ? node.pill !== false : node.pill === true;
  return `control v-${variant} s-${oneOf(node.size, CONTROL_SIZES, 'md')} ${isPill ? 'pill' : ''}`;
}

function gutterStyle(node: Props) {
  const gutter = oneOf(node.gutterSize, GUTTERS, undefined);
  return {'padding-inline': gutter === undefined ? undefined : `var(--chatkit-gutter-${gutter})`};
}

/** Fires the control's own action; the view adds the values. */
function changed(action: unknown, {host, path, form}: Scope): (event: Event) => void {
  return event => {
    host.clearError(path);
    const element = (event.currentTarget as Element).closest('[data-field]') ?? (event.currentTarget as Element);
    host.fire({action, trigger: 'change', path, element, form});
  };
}

/** A control whose change cannot be sent now, or is being sent, must not be changed either. */
function isHeld(action: unknown, {host, path}: Scope): boolean {
  return host.isBlocked(action) || host.isLoading(path);
}

export const renderInput: Renderer<'Input'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  return html`<div class="field">
    <input
      class=${controlClasses(node, false)}
      id=${parts.id}
      data-field=${parts.name}
      data-path=${scope.path}
      data-label=${parts.label}
      ?data-disabled=${flagOf(node.disabled)}
      type=${oneOf(node.inputType, INPUT_TYPES, 'text')}
      step=${node.inputType === 'number' ? 'any' : nothing}
      dir="auto"
      placeholder=${textOf(node.placeholder)}
      autocomplete=${parts.autocomplete}
      pattern=${nameOf(node.pattern) ?? nothing}
      ?required=${flagOf(node.required)}
      ?disabled=${flagOf(node.disabled)}
      aria-invalid=${parts.invalid}
      aria-describedby=${parts.describedBy}
      @input=${parts.onInput}
      @keydown=${parts.onEnter}
      ${initial('value', textOf(node.defaultValue))}
      ${focusOnMount(node, scope)}
      ${styled(gutterStyle(node))}
    />
    ${parts.error}
  </div>`;
};

const DEFAULT_ROWS = 3;
const MAX_ROWS = 40;

export const renderTextarea: Renderer<'Textarea'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  const rows = Math.max(1, Math.min(MAX_ROWS, Math.floor(numberOf(node.rows) ?? DEFAULT_ROWS)));
  const maxRows = Math.max(rows, Math.min(MAX_ROWS, Math.floor(numberOf(node.maxRows) ?? 10)));
  return html`<div class="field">
    <textarea
      class="${controlClasses(node, false)} area"
      id=${parts.id}
      data-field=${parts.name}
      data-path=${scope.path}
      data-label=${parts.label}
      data-pattern=${nameOf(node.pattern) ?? nothing}
      ?data-disabled=${flagOf(node.disabled)}
      ?data-grow=${node.autoResize !== false}
      dir="auto"
      rows=${rows}
      placeholder=${textOf(node.placeholder)}
      autocomplete=${parts.autocomplete}
      ?required=${flagOf(node.required)}
      ?disabled=${flagOf(node.disabled)}
      aria-invalid=${parts.invalid}
      aria-describedby=${parts.describedBy}
      @input=${parts.onInput}
      ${initial('value', textOf(node.defaultValue))}
      ${focusOnMount(node, scope)}
      ${styled({...gutterStyle(node), '--w-rows': String(rows), '--w-max-rows': String(maxRows)})}
    ></textarea>
    ${parts.error}
  </div>`;
};

interface Option {
  readonly value: string;
  readonly label: string;
  readonly isDisabled: boolean;
}

function optionsOf(value: unknown): readonly Option[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const seen = new Set<string>();
  return list.flatMap(entry => {
    const key = isRecord(entry) ? textOf(entry.value) : '';
    if (!isRecord(entry) || seen.has(key)) {
      return [];
    }
    seen.add(key);
    const description = nameOf(entry.description);
    const label = nameOf(entry.label) ?? key;
    return [
      {
        value: key,
        label: description === undefined ? label : `${label} – ${description}`,
        isDisabled: flagOf(entry.disabled),
      },
    ];
  });
}

export const renderSelect: Renderer<'Select'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  const chosen = nameOf(textOf(node.defaultValue));
  const options = optionsOf(node.options);
  const hasDefault = options.some(option => option.value === chosen);
  // Without this line a native select shows its first option as if someone had chosen it.
  const blank = node.clearable === true || !hasDefault;
  const variant = oneOf(node.variant, VARIANTS, 'outline');
  const isBlock = variant === 'ghost' ? node.block === true : node.block !== false;
  return html`<div class="field select-field ${isBlock ? 'block' : ''}">
    <select
      class="${controlClasses(node, true)} picker"
      id=${parts.id}
      data-field=${parts.name}
      data-path=${scope.path}
      data-label=${parts.label}
      ?data-disabled=${flagOf(node.disabled)}
      ?disabled=${flagOf(node.disabled) || isHeld(node.onChangeAction, scope)}
      aria-busy=${scope.host.isLoading(scope.path) ? 'true' : nothing}
      aria-invalid=${parts.invalid}
      aria-describedby=${parts.describedBy}
      @change=${changed(node.onChangeAction, scope)}
    >
      ${
        blank
          ? html`<option value="" ?disabled=${node.clearable !== true && hasDefault} ${initial('selected', !hasDefault)}>
              ${textOf(node.placeholder)}
            </option>`
          : nothing
      }
      ${repeat(
        options,
        option => option.value,
        option =>
          html`<option
            value=${option.value}
            ?disabled=${option.isDisabled}
            ${initial('selected', hasDefault && option.value === chosen)}
          >${option.label}</option>`,
      )}
    </select>
    <span class="picker-arrow">${icon('chevron-down', '16px')}</span>
    ${parts.error}
  </div>`;
};

/** The calendar day of an ISO date or date-time as it is written: no zone may move it to the day before. */
function dayOf(value: unknown): string | undefined {
  return typeof value === 'string' ? /^\d{4}-\d{2}-\d{2}(?=$|[T ])/.exec(value)?.[0] : undefined;
}

export const renderDatePicker: Renderer<'DatePicker'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  return html`<div class="field select-field ${node.block === true ? 'block' : ''}">
    <input
      class="${controlClasses(node, true)} date"
      id=${parts.id}
      data-field=${parts.name}
      data-path=${scope.path}
      data-label=${parts.label}
      ?data-disabled=${flagOf(node.disabled)}
      type="date"
      min=${dayOf(node.min) ?? nothing}
      max=${dayOf(node.max) ?? nothing}
      ?disabled=${flagOf(node.disabled) || isHeld(node.onChangeAction, scope)}
      aria-invalid=${parts.invalid}
      aria-describedby=${parts.describedBy}
      @input=${parts.onInput}
      @change=${changed(node.onChangeAction, scope)}
      ${initial('value', dayOf(node.defaultValue) ?? '')}
    />
    ${parts.error}
  </div>`;
};

export const renderCheckbox: Renderer<'Checkbox'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  const label = textOf(node.label);
  return html`<div class="field check-field">
    <label class="check">
      <input
        type="checkbox"
        id=${parts.id}
        data-field=${parts.name}
        data-path=${scope.path}
        data-label=${label === '' ? parts.label : nothing}
        ?data-disabled=${flagOf(node.disabled)}
        ?required=${flagOf(node.required)}
        ?disabled=${flagOf(node.disabled) || isHeld(node.onChangeAction, scope)}
        aria-busy=${scope.host.isLoading(scope.path) ? 'true' : nothing}
        aria-invalid=${parts.invalid}
        aria-describedby=${parts.describedBy}
        @change=${changed(node.onChangeAction, scope)}
        ${initial('checked', flagOf(node.defaultChecked))}
      />
      ${label === '' ? nothing : html`<span class="check-label" dir="auto">${label}</span>`}
    </label>
    ${parts.error}
  </div>`;
};

export const renderRadioGroup: Renderer<'RadioGroup'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  const isDisabled = flagOf(node.disabled);
  const chosen = textOf(node.defaultValue);
  return html`<div class="field">
    <div
      class="radios ${node.direction === 'col' ? 'col' : 'row'}"
      role="radiogroup"
      id=${parts.id}
      data-field=${parts.name}
      data-path=${scope.path}
      data-label=${parts.label}
      aria-required=${flagOf(node.required) ? 'true' : nothing}
      aria-invalid=${parts.invalid}
      aria-describedby=${parts.describedBy}
    >
      ${repeat(
        optionsOf(node.options),
        option => option.value,
        option =>
          html`<label class="check">
            <input
              type="radio"
              name=${parts.id}
              value=${option.value}
              ?data-disabled=${isDisabled || option.isDisabled}
              ?required=${flagOf(node.required)}
              ?disabled=${isDisabled || option.isDisabled || isHeld(node.onChangeAction, scope)}
              @change=${changed(node.onChangeAction, scope)}
              ${initial('checked', chosen !== '' && option.value === chosen)}
            />
            <span class="check-label" dir="auto">${option.label}</span>
          </label>`,
      )}
    </div>
    ${parts.error}
  </div>`;
};
