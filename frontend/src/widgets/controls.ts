/** Renderers of form controls: Input, Textarea, Checkbox, RadioGroup. */
import {html, nothing} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {changeHandler, controlClasses, isHeld, optionsOf, optionText} from './control-parts.js';
import {asField, fieldParts, focusOnMount} from './field-parts.js';
import {initial} from './fields.js';
import {type Choice, type Every, flagOf, numberOf, oneOf, textOf} from './nodes.js';
import type {Renderer} from './scope.js';
import {styled} from './styled.js';

const INPUT_TYPES: Every<Choice<'Input', 'inputType'>> = {number: 1, email: 1, text: 1, password: 1, tel: 1, url: 1};
const GUTTERS: Every<Choice<'Input' | 'Textarea', 'gutterSize'>> = {'2xs': 1, xs: 1, sm: 1, md: 1, lg: 1, xl: 1};

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
      type=${oneOf(node.inputType, INPUT_TYPES, 'text')}
      step=${node.inputType === 'number' ? 'any' : nothing}
      @input=${parts.onInput}
      @keydown=${parts.onEnter}
      ${asField(parts, parts.textAttributes)}
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
      ?data-grow=${node.autoResize !== false}
      rows=${rows}
      @input=${parts.onInput}
      ${asField(parts, parts.textAttributes)}
      ${initial('value', textOf(node.defaultValue))}
      ${focusOnMount(node, scope)}
      ${styled({...gutterStyle(node), '--w-rows': String(rows), '--w-max-rows': String(maxRows)})}
    ></textarea>
    ${parts.error}
  </div>`;
};

/** Prevents changes of a held control; disabling it for a moment would take the focus away. */
const preventWhileHeld = (event: Event) => {
  if ((event.currentTarget as Element).hasAttribute('aria-disabled')) event.preventDefault();
};

export const renderCheckbox: Renderer<'Checkbox'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  const label = textOf(node.label);
  return html`<div class="field check-field">
    <label class="check">
      <input
        type="checkbox"
        aria-disabled=${isHeld(node.onChangeAction, scope) ? 'true' : nothing}
        @click=${preventWhileHeld}
        aria-busy=${scope.host.isLoading(scope.path) ? 'true' : nothing}
        @change=${changeHandler(node.onChangeAction, scope)}
        ${asField(parts, label === '' ? {} : {'data-label': null})}
        ${initial('checked', flagOf(node.defaultChecked))}
      />
      ${label === '' ? nothing : html`<span class="check-label" dir="auto">${label}</span>`}
    </label>
    ${parts.error}
  </div>`;
};

/** Removes attributes that apply to the radios of a group, not to the group. */
const GROUP_ATTRIBUTES = {required: null, disabled: null, 'data-disabled': null};

export const renderRadioGroup: Renderer<'RadioGroup'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  const isDisabled = flagOf(node.disabled);
  const chosen = textOf(node.defaultValue);
  return html`<div class="field">
    <div
      class="radios ${node.direction === 'col' ? 'col' : 'row'}"
      role="radiogroup"
      aria-required=${flagOf(node.required) ? 'true' : nothing}
      ${asField(parts, GROUP_ATTRIBUTES)}
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
              @click=${preventWhileHeld}
              @change=${changeHandler(node.onChangeAction, scope)}
              ${initial('checked', chosen !== '' && option.value === chosen)}
            />
            <span class="check-label" dir="auto">${optionText(option)}</span>
          </label>`,
      )}
    </div>
    ${parts.error}
  </div>`;
};
