/** Styles of buttons, and the named colours of components. */
import {css} from 'lit';

export const buttonStyles = css`
  .button {
    --tone: var(--chatkit-accent);
    --on-tone: var(--chatkit-on-accent);
    --tone-text: var(--chatkit-text-primary);
    --tone-soft: var(--chatkit-accent-soft);
    position: relative;
    display: inline-flex;
    flex: none;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-width: var(--height);
    max-width: 100%;
    height: var(--height);
    margin: 0;
    padding: 0 var(--gutter);
    border: 1px solid transparent;
    border-radius: var(--chatkit-radius-control);
    font-family: inherit;
    font-weight: 500;
    text-wrap: nowrap;
    cursor: pointer;
    transition:
      background-color var(--chatkit-duration) ease,
      opacity var(--chatkit-duration) ease;
    user-select: none;
  }
  .button.pill {
    border-radius: var(--chatkit-radius-full);
  }
  .button.uniform {
    width: var(--height);
    padding: 0;
  }
  .button.block {
    width: 100%;
  }
  .row > .button.block {
    flex: 1 1 0;
    width: auto;
  }
  .button-label {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .c-secondary.button {
    --tone: var(--chatkit-gray-500);
    --on-tone: #ffffff;
    --tone-text: var(--chatkit-text-primary);
    --tone-soft: var(--chatkit-alpha-08);
  }
  .c-secondary.button.v-ghost {
    --tone-text: var(--chatkit-text-secondary);
  }
  .c-info {
    --tone: var(--chatkit-blue-500);
    --on-tone: #ffffff;
    --tone-text: var(--chatkit-text-info);
    --tone-soft: var(--chatkit-info-soft);
  }
  .c-discovery {
    --tone: var(--chatkit-purple-500);
    --on-tone: #ffffff;
    --tone-text: var(--chatkit-text-discovery);
    --tone-soft: color-mix(in srgb, var(--chatkit-purple-400) 14%, transparent);
  }
  .c-success {
    --tone: var(--chatkit-green-600);
    --on-tone: #ffffff;
    --tone-text: var(--chatkit-text-success);
    --tone-soft: var(--chatkit-success-soft);
  }
  .c-caution {
    --tone: var(--chatkit-yellow-400);
    --on-tone: #0d0d0d;
    --tone-text: var(--chatkit-text-warning);
    --tone-soft: color-mix(in srgb, var(--chatkit-yellow-400) 20%, transparent);
  }
  .c-warning {
    --tone: var(--chatkit-orange-600);
    --on-tone: #ffffff;
    --tone-text: var(--chatkit-text-warning);
    --tone-soft: var(--chatkit-warning-soft);
  }
  .c-danger {
    --tone: var(--chatkit-red-500);
    --on-tone: #ffffff;
    --tone-text: var(--chatkit-text-danger);
    --tone-soft: var(--chatkit-danger-soft);
  }
  .button.v-solid {
    background: var(--tone);
    color: var(--on-tone);
  }
  .button.v-solid:hover {
    background: color-mix(in oklab, var(--tone) 86%, var(--chatkit-surface));
  }
  .button.v-soft {
    background: var(--tone-soft);
    color: var(--tone-text);
  }
  .button.v-outline {
    background: transparent;
    border-color: var(--chatkit-border-strong);
    color: var(--tone-text);
  }
  .button.v-ghost {
    background: transparent;
    color: var(--tone-text);
  }
  .button:is(.v-soft, .v-outline, .v-ghost):hover {
    background: color-mix(in srgb, var(--tone-text) 12%, transparent);
    color: var(--tone-text);
  }
  .c-secondary.button.v-ghost:hover {
    --tone-text: var(--chatkit-text-primary);
  }
  .button:disabled,
  .button[aria-disabled='true']:not([aria-busy]) {
    opacity: 0.45;
    cursor: not-allowed;
  }
  .button[aria-busy] {
    cursor: progress;
  }
  /* Not hidden, since its text is still the accessible name. */
  .button[aria-busy] > :not(.spinner) {
    opacity: 0;
  }
  .button > .spinner {
    position: absolute;
  }
  @media (forced-colors: active) {
    .button {
      border-color: ButtonText;
    }
  }
`;
