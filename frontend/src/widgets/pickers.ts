/** Renderers of Select and DatePicker. */
import {html, nothing} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {icon} from '../icons/icons.js';
import {changeHandler, controlClasses, isHeld, optionsOf, optionText, VARIANTS} from './control-parts.js';
import {asField, fieldParts} from './field-parts.js';
import {initial} from './fields.js';
import {isTouchDevice, pickersFor} from './lazy-pickers.js';
import {flagOf, nameOf, oneOf, textOf} from './nodes.js';
import type {Renderer} from './scope.js';

/** From this number of options on, a list has a search by default. */
const MIN_OPTIONS_FOR_SEARCH = 15;

/** Disables a held native picker, which would open otherwise; its face stays focusable and refuses by itself. */
const HELD_ATTRIBUTES = {disabled: ''};

export const renderSelect: Renderer<'Select'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  const chosen = nameOf(textOf(node.defaultValue));
  const options = optionsOf(node.options);
  const hasDefault = options.some(option => option.value === chosen);
  // Without a blank option, a native select shows its first option as if it were chosen. The server may send its own.
  const hasBlank = (node.clearable === true || !hasDefault) && !options.some(option => option.value === '');
  const variant = oneOf(node.variant, VARIANTS, 'outline');
  const isBlock = variant === 'ghost' ? node.block === true : node.block !== false;
  const hasSearch =
    node.searchable === undefined || node.searchable === null
      ? options.length >= MIN_OPTIONS_FOR_SEARCH
      : flagOf(node.searchable);
  const held = isHeld(node.onChangeAction, scope);
  const pickers = isTouchDevice() && !hasSearch ? 'missing' : pickersFor(scope, parts.id);
  const classes = `${controlClasses(node, true)} picker`;
  return html`<div class="field select-field ${isBlock ? 'block' : ''} ${typeof pickers === 'object' ? 'has-face' : ''}">
    <select
      class=${classes}
      ?inert=${pickers !== 'missing'}
      aria-hidden=${pickers === 'missing' ? nothing : 'true'}
      @change=${changeHandler(node.onChangeAction, scope)}
      ${asField(parts, held ? HELD_ATTRIBUTES : undefined)}
    >
      ${
        hasBlank
          ? html`<option
              value=""
              data-blank
              ?disabled=${node.clearable !== true}
              ?hidden=${node.clearable !== true}
              ${initial('selected', !hasDefault)}
            >
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
            ${initial('selected', option.value === (hasDefault ? chosen : ''))}
          >${optionText(option)}</option>`,
      )}
    </select>
    ${
      typeof pickers === 'string'
        ? html`<span class="picker-arrow">${icon('chevron-down', '16px')}</span>`
        : pickers.renderSelectFace({node, parts, classes, options, hasSearch, isHeld: held}, scope)
    }
    ${parts.error}
  </div>`;
};

/** Returns the day of an ISO date or date-time as written, without conversion between time zones. */
function dayOf(value: unknown): string | undefined {
  return typeof value === 'string' ? /^\d{4}-\d{2}-\d{2}(?=$|[T ])/.exec(value)?.[0] : undefined;
}

export const renderDatePicker: Renderer<'DatePicker'> = (node, scope) => {
  const parts = fieldParts(node, scope);
  const held = isHeld(node.onChangeAction, scope);
  const pickers = isTouchDevice() ? 'missing' : pickersFor(scope, parts.id);
  const classes = `${controlClasses(node, true)} date`;
  const min = dayOf(node.min);
  const max = dayOf(node.max);
  return html`<div class="field select-field ${node.block === true ? 'block' : ''} ${typeof pickers === 'object' ? 'has-face' : ''}">
    <input
      class=${classes}
      type="date"
      min=${min ?? nothing}
      max=${max ?? nothing}
      ?inert=${pickers !== 'missing'}
      aria-hidden=${pickers === 'missing' ? nothing : 'true'}
      @input=${parts.onInput}
      @change=${changeHandler(node.onChangeAction, scope)}
      ${asField(parts, held ? HELD_ATTRIBUTES : undefined)}
      ${initial('value', dayOf(node.defaultValue) ?? '')}
    />
    ${
      typeof pickers === 'string'
        ? nothing
        : pickers.renderDateFace({node, parts, classes, min, max, isHeld: held}, scope)
    }
    ${parts.error}
  </div>`;
};
