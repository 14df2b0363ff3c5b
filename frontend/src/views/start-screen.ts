/** `<parlor-start-screen>`: the greeting and starter prompts of a new thread. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {dispatch} from '../intents.js';
import type {Prompt} from '../options.js';
import {baseStyles, buttonStyles} from './styles.js';

export class StartScreen extends LitElement {
  static override properties = {
    greeting: {attribute: false},
    prompts: {attribute: false},
    disabled: {attribute: false},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        display: block;
        block-size: 100%;
        overflow-y: auto;
        container-type: inline-size;
      }
      .screen {
        display: flex;
        flex-direction: column;
        justify-content: center;
        gap: calc(var(--chatkit-space) * 8);
        min-block-size: 100%;
        max-inline-size: var(--chatkit-column);
        margin-inline: auto;
        padding: calc(var(--chatkit-space) * 6) calc(var(--chatkit-space) * 4);
      }
      h2 {
        margin: 0;
        font-size: var(--chatkit-heading-xl-size);
        line-height: 1.2;
        font-weight: 600;
        letter-spacing: -0.022em;
        color: var(--chatkit-text-emphasis);
        text-align: center;
        text-wrap: balance;
        overflow-wrap: anywhere;
      }
      ul {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: calc(var(--chatkit-space) * 2);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li:last-child:nth-child(odd) {
        grid-column: 1 / -1;
      }
      button {
        display: flex;
        align-items: center;
        gap: calc(var(--chatkit-space) * 3);
        inline-size: 100%;
        block-size: 100%;
        min-block-size: 52px;
        padding: calc(var(--chatkit-space) * 2.5) calc(var(--chatkit-space) * 4);
        border-radius: var(--chatkit-radius-card);
        box-shadow: inset 0 0 0 1px var(--chatkit-border-default);
        font-size: var(--chatkit-text-sm-size);
        line-height: var(--chatkit-text-sm-line);
        color: var(--chatkit-text-primary);
        overflow-wrap: anywhere;
        transition:
          background var(--chatkit-duration),
          box-shadow var(--chatkit-duration);
      }
      button:hover:not(:disabled) {
        background: var(--chatkit-hover);
        box-shadow: inset 0 0 0 1px var(--chatkit-border-strong);
      }
      button:active:not(:disabled) {
        background: var(--chatkit-active);
      }
      button svg {
        color: var(--chatkit-text-secondary);
      }
      @container (max-width: 520px) {
        ul {
          grid-template-columns: 1fr;
        }
        h2 {
          font-size: var(--chatkit-heading-lg-size);
        }
      }
      @media (forced-colors: active) {
        button {
          border: 1px solid ButtonText;
        }
      }
    `,
  ];

  declare greeting: string;
  declare prompts: readonly Prompt[];
  declare disabled: boolean;

  constructor() {
    super();
    this.greeting = '';
    this.prompts = [];
    this.disabled = false;
  }

  override render() {
    return html`<div class="screen" part="start-screen">
      <h2 part="greeting" dir="auto">${this.greeting}</h2>
      ${this.prompts.length > 0 ? html`<ul>${this.prompts.map(prompt => html`<li>${this.#prompt(prompt)}</li>`)}</ul>` : nothing}
    </div>`;
  }

  #prompt(prompt: Prompt) {
    return html`<button
      type="button"
      part="prompt"
      dir="auto"
      ?disabled=${this.disabled}
      @click=${() => dispatch(this, {type: 'send-prompt', content: prompt.content})}
    >${prompt.icon === undefined ? nothing : icon(prompt.icon, '20')}<span>${prompt.label}</span></button>`;
  }
}
