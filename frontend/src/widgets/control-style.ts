/** Styles of form controls, and the sizes they share with buttons. */
import {css, unsafeCSS} from 'lit';

const SMALL = ['3xs', '2xs', 'xs'];
const LARGE = ['lg', 'xl', '2xl', '3xl'];

const sizes = unsafeCSS(
  [...SMALL, 'sm', 'md', ...LARGE]
    .map(size => {
      const gutter = {'3xs': '2xs', '2xl': 'xl', '3xl': 'xl'}[size] ?? size;
      const text = SMALL.includes(size) ? 'xs' : size === '2xl' || size === '3xl' ? 'md' : 'sm';
      return (
        `:is(.button,.control).s-${size}{--height:var(--chatkit-control-${size});--gutter:var(--chatkit-gutter-${gutter});` +
        `font-size:var(--chatkit-text-${text}-size);line-height:var(--chatkit-text-${text}-line)}`
      );
    })
    .join(''),
);

export const controlStyles = css`
  ${sizes}
  .field {
    position: relative;
    display: flex;
    flex-direction: column;
    gap: 4px;
    /* Narrower fields would be unreadable; in a row without room, they wrap. */
    min-width: 4.5em;
    max-width: 100%;
  }
  .check-field {
    min-width: auto;
  }
  .select-field:has(> .date) {
    min-width: 9.5em;
  }
  .row > .field {
    flex: 1 1 8em;
    min-width: 6.5em;
  }
  .row > .select-field:not(:has(> .date)) {
    min-width: 4.5em;
  }
  .row > .check-field {
    flex: 0 1 auto;
    min-width: auto;
  }
  /* Beside a text field, a picker is as wide as its text. */
  .row > .select-field {
    flex: 0 1 auto;
  }
  .row > .select-field.block:only-child {
    flex: 1 1 auto;
  }
  .row:has(> .field > .field-error) {
    align-items: flex-start;
  }
  .field-error {
    color: var(--chatkit-text-danger);
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
  }
  .control {
    width: 100%;
    min-width: 0;
    height: var(--height);
    margin: 0;
    padding: 0 var(--gutter);
    background: transparent;
    border: 1px solid var(--chatkit-border-field);
    border-radius: var(--chatkit-radius-control);
    color: var(--chatkit-text-primary);
    font-family: inherit;
    transition: border-color var(--chatkit-duration) ease;
  }
  .control::placeholder,
  .editable::placeholder {
    color: var(--chatkit-text-tertiary);
    opacity: 1;
    unicode-bidi: plaintext;
    text-align: left;
  }
  :host(:dir(rtl)) :is(.control, .editable)::placeholder {
    text-align: right;
  }
  /* An empty field has the direction of the page. */
  :is(.control, .editable):placeholder-shown {
    direction: inherit;
  }
  /* Below 16 px, phones zoom the page in when a field gets the focus. */
  @media (pointer: coarse) {
    .control.control,
    .editable.editable {
      font-size: max(16px, 1em);
    }
    /* The smallest size is too small for a finger. */
    .control.control,
    .button.button {
      min-height: 24px;
    }
    .button.button {
      min-width: max(24px, var(--height));
    }
  }
  .control.pill {
    border-radius: var(--chatkit-radius-full);
  }
  .control:is(.v-soft, .v-solid) {
    background: var(--chatkit-alpha-06);
  }
  /* Without a box, a line shows where to type. A picker has its text and arrow. */
  .control:is(.v-soft, .v-solid, .v-ghost) {
    border-color: transparent transparent var(--chatkit-border-control);
  }
  .control:is(.v-soft, .v-solid, .v-ghost):where(.picker, .date) {
    border-color: transparent;
  }
  .control:hover:not(:disabled) {
    border-color: var(--chatkit-text-secondary);
  }
  .control.v-ghost:hover:not(:disabled) {
    background: var(--chatkit-hover);
  }
  :is(.control, .editable):focus-visible {
    outline-offset: -1px;
  }
  .control[aria-invalid='true'] {
    border-color: var(--chatkit-text-danger);
  }
  .control:disabled {
    opacity: 0.55;
    cursor: not-allowed;
  }
  .control.area {
    height: auto;
    min-height: calc(var(--w-rows) * 1lh + 14px);
    max-height: calc(var(--w-max-rows) * 1lh + 14px);
    padding-block: 6px;
    resize: vertical;
  }
  .control.area[data-grow] {
    field-sizing: content;
    resize: none;
  }
  .control.picker {
    padding-inline-end: calc(var(--gutter) + 20px);
    appearance: none;
    text-overflow: ellipsis;
    cursor: pointer;
  }
  .picker option {
    background: var(--chatkit-surface-elevated);
    color: var(--chatkit-text-primary);
  }
  .select-field {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
  }
  .select-field > :is(.control, .picker-arrow) {
    grid-area: 1 / 1;
  }
  .picker-arrow {
    place-self: center end;
    margin-inline-end: var(--chatkit-gutter-sm);
    color: var(--chatkit-text-secondary);
    pointer-events: none;
  }
  .select-field:not(.block) {
    width: fit-content;
  }

  .check {
    display: flex;
    align-items: flex-start;
    gap: calc(var(--chatkit-space) * 2);
    min-width: 0;
    max-width: 100%;
    min-height: 24px;
    cursor: pointer;
  }
  .check:has(:disabled, [aria-disabled]) {
    cursor: not-allowed;
  }
  .check:has(:disabled, [aria-disabled]) > .check-label {
    opacity: 0.55;
  }
  .check-label {
    min-width: 0;
    padding-block: 2px;
    overflow-wrap: break-word;
  }
  .check > input {
    position: relative;
    flex: none;
    width: 18px;
    height: 18px;
    margin: 3px;
    /* Centered on the first line, for any text size. */
    margin-block: max(3px, (1lh + 4px - 18px) / 2);
    font: inherit;
    appearance: none;
    background: transparent;
    border: 1.5px solid var(--chatkit-border-control);
    border-radius: var(--chatkit-radius-xs);
    cursor: inherit;
    transition:
      background-color var(--chatkit-duration) ease,
      border-color var(--chatkit-duration) ease;
  }
  /* Touch targets are 24 px, although only 18 are visible. */
  .check > input::before {
    content: '';
    position: absolute;
    inset: -5px;
  }
  .check > input:hover:not(:disabled) {
    border-color: var(--chatkit-text-secondary);
  }
  .check > input:checked {
    background: var(--chatkit-accent);
    border-color: var(--chatkit-border-accent);
  }
  .check > input[type='checkbox']:checked::after {
    content: '';
    position: absolute;
    inset-inline-start: 4.5px;
    top: 1px;
    width: 5px;
    height: 9px;
    border: solid var(--chatkit-on-accent);
    border-width: 0 2px 2px 0;
    transform: rotate(42deg);
  }
  .check > input[type='radio'] {
    border-radius: 50%;
  }
  .check > input[type='radio']:checked::after {
    content: '';
    position: absolute;
    inset: 4px;
    background: var(--chatkit-on-accent);
    border-radius: 50%;
  }
  .check > input[aria-invalid='true'],
  .radios[aria-invalid='true'] input {
    border-color: var(--chatkit-text-danger);
  }
  .check > input:is(:disabled, [aria-disabled]) {
    opacity: 0.55;
  }
  .radios {
    display: flex;
    flex-wrap: wrap;
    gap: calc(var(--chatkit-space) * 1) calc(var(--chatkit-space) * 4);
  }
  .radios.col {
    align-items: stretch;
  }

  .editable-field {
    flex: 1 1 auto;
  }
  .editable.lines {
    display: block;
    height: auto;
    max-height: 24lh;
    white-space: pre-wrap;
    field-sizing: content;
    resize: none;
  }
  .editable {
    width: calc(100% + 14px);
    max-width: none;
    min-width: 4em;
    margin: -3px -7px;
    padding: 2px 6px;
    background: transparent;
    border: 1px dashed var(--chatkit-border-control);
    border-radius: var(--chatkit-radius-sm);
    font-family: inherit;
  }
  .editable:hover {
    background: var(--chatkit-hover);
  }
  .editable[aria-invalid='true'] {
    border-color: var(--chatkit-text-danger);
  }
  @media (forced-colors: active) {
    .control,
    .check > input {
      border-color: ButtonText;
    }
    .check > input:checked {
      background: Highlight;
      forced-color-adjust: none;
    }
  }
`;
