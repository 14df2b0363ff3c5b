/** Renderers of form controls: Input, Textarea, Checkbox, RadioGroup. */
import {html, nothing} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {changed, controlClasses, isHeld, lineOf, optionsOf} from './control-parts.js';
import {fieldParts, focusOnMount} from './field-parts.js';
import {initial} from './fields.js';
import {flagOf, nameOf, numberOf, oneOf, textOf} from './nodes.js';
import type {Renderer} from './scope.js';
import {styled} from './styled.js';

const INPUT_TYPES = ['number', 'email', 'text', 'password', 'tel', 'url'] as const;
const GUTTERS = ['2xs', 'xs', 'sm', 'md', 'lg', 'xl'] as const;

type Props = Readonly<Record<string, unknown>>;

function gutterStyle(node: Props) {
  const gutter = oneOf(node.gutterSize, GUTTERS, undefined);
  return {'padding-inline': gutter === undefined ? undefined : `var(--chatkit-gutter-${gutter})`};
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
      data-pattern=${nameOf(node.pattern) ?? nothing}
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

/** A control that is disabled for a moment would lose the focus; it refuses the change instead. */
const keepsWhileHeld = (event: Event) => {
  if ((event.currentTarget as Element).hasAttribute('aria-disabled')) event.preventDefault();
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
        ?disabled=${flagOf(node.disabled)}
        aria-disabled=${isHeld(node.onChangeAction, scope) ? 'true' : nothing}
        @click=${keepsWhileHeld}
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
              ?disabled=${isDisabled || option.isDisabled}
              aria-disabled=${isHeld(node.onChangeAction, scope) ? 'true' : nothing}
              @click=${keepsWhileHeld}
              @change=${changed(node.onChangeAction, scope)}
              ${initial('checked', chosen !== '' && option.value === chosen)}
            />
            <span class="check-label" dir="auto">${lineOf(option)}</span>
          </label>`,
      )}
    </div>
    ${parts.error}
  </div>`;
};
