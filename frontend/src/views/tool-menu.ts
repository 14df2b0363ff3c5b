/** `<parlor-tool-menu>`: the plus button of the composer and the menu of tools behind it. */
import type {ToolOption} from '@openai/chatkit';
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons.js';
import {strings} from '../strings.js';
import {express} from './intents.js';
import {baseStyles, buttonStyles} from './styles.js';

export class ToolMenu extends LitElement {
  static override properties = {
    tools: {attribute: false},
    toolId: {attribute: false},
    disabled: {attribute: false},
    isOpen: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        position: relative;
        display: inline-block;
      }
      .icon-button {
        border-radius: 50%;
      }
      [role='menu'] {
        position: absolute;
        inset-block-end: calc(100% + 8px);
        inset-inline-start: 0;
        z-index: 2;
        min-inline-size: 200px;
        max-inline-size: 280px;
        max-block-size: 300px;
        overflow-y: auto;
        padding: 6px;
        border-radius: var(--chatkit-radius-popover);
        background: var(--chatkit-surface-elevated);
        box-shadow: var(--chatkit-shadow-4);
      }
      [role='menuitemradio'] {
        display: flex;
        align-items: center;
        gap: 10px;
        inline-size: 100%;
        min-block-size: 36px;
        padding: 6px 10px;
        border-radius: var(--chatkit-radius-md);
        font-size: var(--chatkit-text-sm-size);
        line-height: var(--chatkit-text-sm-line);
        color: var(--chatkit-text-primary);
      }
      [role='menuitemradio']:hover,
      [role='menuitemradio']:focus-visible {
        background: var(--chatkit-hover);
        outline-offset: -2px;
      }
      .label {
        flex: 1;
        overflow-wrap: anywhere;
      }
    `,
  ];

  declare tools: readonly ToolOption[];
  declare toolId: string | undefined;
  declare disabled: boolean;
  declare isOpen: boolean;

  constructor() {
    super();
    this.tools = [];
    this.toolId = undefined;
    this.disabled = false;
    this.isOpen = false;
  }

  override render() {
    return html`<button
        type="button"
        class="icon-button opener"
        aria-label=${strings.tools}
        title=${strings.tools}
        aria-haspopup="menu"
        aria-expanded=${String(this.isOpen)}
        ?disabled=${this.disabled}
        @click=${() => this.#toggle(!this.isOpen)}
      >${icon('plus', '20')}</button>
      ${
        this.isOpen
          ? html`<div role="menu" aria-label=${strings.tools} @keydown=${this.#onKey} @focusout=${this.#onFocusOut}>
            ${this.tools.map(
              tool => html`<button
                type="button"
                role="menuitemradio"
                tabindex="-1"
                aria-checked=${String(tool.id === this.toolId)}
                @click=${() => this.#choose(tool)}
              >${icon(tool.icon, '18')}<span class="label">${tool.label}</span>${tool.id === this.toolId ? icon('check', '16') : nothing}</button>`,
            )}
          </div>`
          : nothing
      }`;
  }

  #toggle(isOpen: boolean): void {
    this.isOpen = isOpen;
    if (isOpen) void this.updateComplete.then(() => this.#options[0]?.focus());
  }

  #choose(tool: ToolOption): void {
    express(this, {type: 'select-tool', toolId: tool.id === this.toolId ? undefined : tool.id});
    this.#close();
  }

  #close(): void {
    this.isOpen = false;
    this.renderRoot.querySelector<HTMLElement>('.opener')?.focus();
  }

  #onKey = (event: KeyboardEvent): void => {
    const options = this.#options;
    const at = options.indexOf(this.shadowRoot?.activeElement as HTMLElement);
    const moves: Readonly<Record<string, number>> = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1};
    if (event.key === 'Escape') {
      event.stopPropagation();
      this.#close();
    } else if (Object.hasOwn(moves, event.key)) {
      event.preventDefault();
      options.at((moves[event.key] ?? 0) % options.length)?.focus();
    }
  };

  #onFocusOut = (event: FocusEvent): void => {
    if (!(event.relatedTarget instanceof Node) || !this.shadowRoot?.contains(event.relatedTarget)) this.isOpen = false;
  };

  get #options(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('[role=menuitemradio]')];
  }
}
