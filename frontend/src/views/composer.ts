/** `<parlor-composer>`: the field for a message, its quote, attachments, tool and model, send and stop. */
import type {ModelOption, ToolOption} from '@openai/chatkit';
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import {live} from 'lit/directives/live.js';
import {icon} from '../icons.js';
import type {Attachment, ThreadStatus} from '../protocol.js';
import {strings} from '../strings.js';
import {attachmentStyles, renderAttachments} from './attachments.js';
import {composerStyles} from './composer-style.js';
import {express, relayTo} from './intents.js';
import {baseStyles, buttonStyles} from './styles.js';

/** What is being written; absent fields of a change stay as they are. */
export interface Draft {
  readonly text: string;
  readonly quotedText: string | undefined;
  readonly attachments: readonly Attachment[];
}

const EMPTY_DRAFT: Draft = {text: '', quotedText: undefined, attachments: []};

export class ComposerView extends LitElement {
  static override properties = {
    placeholder: {attribute: false},
    status: {attribute: false},
    isResponding: {attribute: false},
    isBlocked: {attribute: false},
    canCancel: {attribute: false},
    tools: {attribute: false},
    toolId: {attribute: false},
    models: {attribute: false},
    modelId: {attribute: false},
    draft: {state: true},
  };
  static override styles = [baseStyles, buttonStyles, attachmentStyles, composerStyles];

  declare placeholder: string;
  declare status: ThreadStatus;
  declare isResponding: boolean;
  /** Nothing can be sent now, for example while a thread loads. */
  declare isBlocked: boolean;
  declare canCancel: boolean;
  declare tools: readonly ToolOption[];
  declare toolId: string | undefined;
  declare models: readonly ModelOption[];
  declare modelId: string | undefined;
  declare draft: Draft;

  constructor() {
    super();
    this.placeholder = strings.placeholder;
    this.status = {type: 'active'};
    this.isResponding = false;
    this.isBlocked = false;
    this.canCancel = true;
    this.tools = [];
    this.toolId = undefined;
    this.models = [];
    this.modelId = undefined;
    this.draft = EMPTY_DRAFT;
  }

  override focus(): void {
    this.#field?.focus();
  }

  /** Replaces the given parts of the draft. */
  setDraft(change: Partial<Draft>): void {
    this.draft = {...this.draft, ...change};
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('draft') || changed.has('tools')) this.#fit();
  }

  override render() {
    const {text, quotedText, attachments} = this.draft;
    if (this.status.type === 'closed') {
      return html`<div class="closed" role="status" dir="auto">${this.status.reason ?? strings.closed}</div>`;
    }
    const isLocked = this.status.type === 'locked';
    const tool = this.tools.find(({id}) => id === this.toolId);
    const placeholder =
      this.status.type === 'locked'
        ? (this.status.reason ?? strings.locked)
        : (tool?.placeholderOverride ?? this.placeholder);
    const isTall = this.tools.length > 0 || this.models.length > 0;
    return html`<div class="box ${isTall ? 'tall' : ''} ${isLocked ? 'locked' : ''}" part="composer" @click=${this.#onBoxClick}>
      ${
        quotedText !== undefined || attachments.length > 0
          ? html`<div class="extras">
            ${
              quotedText === undefined
                ? nothing
                : html`<div class="quote">
                  <span dir="auto">${quotedText}</span>
                  <button type="button" aria-label=${strings.removeQuote} @click=${() => this.setDraft({quotedText: undefined})}>${icon('close', '16')}</button>
                </div>`
            }
            ${renderAttachments(attachments, gone => this.setDraft({attachments: attachments.filter(each => each !== gone)}))}
          </div>`
          : nothing
      }
      <textarea
        part="input"
        rows="1"
        dir="auto"
        enterkeyhint="send"
        autocomplete="off"
        aria-label=${strings.composer}
        placeholder=${placeholder}
        ?disabled=${isLocked}
        .value=${live(text)}
        @input=${this.#onInput}
        @keydown=${this.#onKey}
      ></textarea>
      <div class="start">${this.#tools(tool, isLocked)}</div>
      <div class="end">${this.#models(isLocked)}${this.#button()}</div>
    </div>`;
  }

  #tools(selected: ToolOption | undefined, isLocked: boolean) {
    if (this.tools.length === 0) return nothing;
    const shown = this.tools.filter(tool => tool.pinned === true || tool === selected);
    return html`${
      this.tools.some(tool => tool.pinned !== true)
        ? html`<parlor-tool-menu .tools=${this.tools} .toolId=${this.toolId} .disabled=${isLocked} @parlor-intent=${this.#onToolChosen}></parlor-tool-menu>`
        : nothing
    }
      ${shown.map(tool => {
        const isOn = tool === selected;
        return html`<button
          type="button"
          class="tool"
          aria-pressed=${String(isOn)}
          aria-label=${isOn ? strings.removeTool(tool.label) : tool.label}
          ?disabled=${isLocked}
          @click=${() => express(this, {type: 'select-tool', toolId: isOn ? undefined : tool.id})}
        >${icon(tool.icon, '16')}<span>${tool.shortLabel ?? tool.label}</span>${isOn ? icon('close', '14') : nothing}</button>`;
      })}`;
  }

  #models(isLocked: boolean) {
    if (this.models.length === 0) return nothing;
    return html`<div class="model"><select aria-label=${strings.model} ?disabled=${isLocked} @change=${this.#onModel}>
      ${this.models.map(
        model =>
          html`<option value=${model.id} ?disabled=${model.disabled === true} ?selected=${model.id === this.modelId} title=${model.description ?? nothing}>
            ${model.label}
          </option>`,
      )}
    </select>${icon('chevron-down', '14')}</div>`;
  }

  #button() {
    if (this.isResponding && this.canCancel) {
      return html`<button type="button" class="round stop" aria-label=${strings.stop} title=${strings.stop} @click=${() => express(this, {type: 'stop'})}>
        ${icon('stop', '20')}
      </button>`;
    }
    return html`<button type="button" class="round send" aria-label=${strings.send} title=${strings.send} ?disabled=${!this.#canSend} @click=${this.#send}>
      ${icon('arrow-up', '20')}
    </button>`;
  }

  get #canSend(): boolean {
    const {text, attachments} = this.draft;
    return (
      !this.isResponding &&
      !this.isBlocked &&
      this.status.type === 'active' &&
      (text.trim() !== '' || attachments.length > 0)
    );
  }

  #send = (): void => {
    if (!this.#canSend) return;
    const {text, quotedText, attachments} = this.draft;
    this.draft = EMPTY_DRAFT;
    const content = text.trim() === '' ? [] : [{type: 'input_text' as const, text: text.trim()}];
    express(this, {type: 'send', content, attachments, quotedText});
    this.focus();
  };

  #onInput = (event: Event): void => {
    this.setDraft({text: (event.target as HTMLTextAreaElement).value});
  };

  #onKey = (event: KeyboardEvent): void => {
    // Input methods confirm their choice with Enter; Safari says so only by the key code.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send();
  };

  #onModel = (event: Event): void => {
    express(this, {type: 'select-model', modelId: (event.target as HTMLSelectElement).value});
  };

  #onToolChosen = (event: Event): void => {
    relayTo(this)(event);
    this.focus();
  };

  #onBoxClick = (event: Event): void => {
    if (event.target === event.currentTarget) this.focus();
  };

  #fit(): void {
    const field = this.#field;
    if (!field) return;
    field.style.blockSize = 'auto';
    field.style.blockSize = `${Math.max(36, field.scrollHeight)}px`;
  }

  get #field(): HTMLTextAreaElement | null {
    return this.renderRoot?.querySelector('textarea') ?? null;
  }
}
