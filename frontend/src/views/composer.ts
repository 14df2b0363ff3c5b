/** `<parlor-composer>`: the box to write in, its quote, files, tool, model, send and stop; or questions instead. */
import type {ModelOption, ToolOption} from '@openai/chatkit';
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import type {CommandSettings, EntitySettings} from '../composer/composer-options.js';
import {
  type Draft,
  type DraftText,
  EMPTY_DRAFT,
  fromContent,
  lengthOf,
  slice,
  toContent,
} from '../composer/draft-text.js';
import {takesPhotos, toAcceptAttribute, type UploadRules} from '../composer/upload-rules.js';
import type {Upload} from '../composer/uploads.js';
import {icon} from '../icons/icons.js';
import {express, relayTo} from '../intents.js';
import type {StructuredInput, ThreadStatus} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {BuiltInParts} from './command-built-ins.js';
import {renderChoices, renderModels} from './composer-choices.js';
import type {ComposerField} from './composer-field.js';
import {composerStyles} from './composer-style.js';
import {exportedParts} from './exported-parts.js';
import {isTouch} from './field-keys.js';
import {renderLazy, renderLazyButton} from './lazy-view.js';
import {baseStyles, buttonStyles, lazyStyles} from './styles.js';
import type {SuggestionSettings} from './suggestion-sources.js';

/** From this share of the limit on, it is told. */
const NEARLY_FULL = 0.9;

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
    attachments: {attribute: false},
    uploads: {attribute: false},
    entities: {attribute: false},
    commands: {attribute: false},
    hasDictation: {attribute: false},
    pendingInput: {attribute: false},
    tellsDraft: {attribute: false},
    maxChars: {attribute: false},
    draft: {state: true},
    quotedText: {state: true},
    suggesting: {state: true},
  };
  static override styles = [baseStyles, buttonStyles, composerStyles, lazyStyles];

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
  /** The rules for files; `undefined` when none may be attached. */
  declare attachments: UploadRules | undefined;
  declare uploads: readonly Upload[];
  declare entities: EntitySettings | undefined;
  /** `undefined` turns the `/` menu off. */
  declare commands: CommandSettings | undefined;
  declare hasDictation: boolean;
  /** Questions that wait for an answer; they take the place of everything else. */
  declare pendingInput: StructuredInput | undefined;
  /** Every change of the draft is expressed. */
  declare tellsDraft: boolean;
  /** So long may a message be; `undefined`: as the server says. */
  declare maxChars: number | undefined;
  /** Outlives the field, which goes when the thread closes or asks questions. */
  declare draft: DraftText;
  declare quotedText: string | undefined;
  declare suggesting: SuggestionSettings | undefined;

  /** The focus is in what is about to be replaced. */
  #keepsFocus = false;

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
    this.attachments = undefined;
    this.uploads = [];
    this.entities = undefined;
    this.commands = undefined;
    this.hasDictation = false;
    this.pendingInput = undefined;
    this.tellsDraft = false;
    this.maxChars = undefined;
    this.draft = EMPTY_DRAFT;
    this.quotedText = undefined;
    this.suggesting = undefined;
  }

  override focus(): void {
    const questions = this.pendingInput && this.renderRoot.querySelector<HTMLElement>('parlor-structured-input');
    (questions ?? this.#field)?.focus();
  }

  /** Replaces the given parts of the draft. */
  setDraft(change: Partial<Draft>): void {
    if (change.content) {
      this.draft = fromContent(change.content);
      this.#field?.setDraft(this.draft);
    }
    if ('quotedText' in change) this.quotedText = change.quotedText;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('entities') || changed.has('commands')) {
      const {entities, commands} = this;
      this.suggesting = {entities, commands, builtIns: () => this.#builtIns};
    }
    // Questions that come while somebody writes keep the focus in this place; others leave it where it is.
    if (changed.has('pendingInput')) this.#keepsFocus ||= this.matches(':focus-within');
  }

  protected override updated(changed: PropertyValues<this>): void {
    // The first one is empty because nothing has been said of it yet.
    const hasNewDraft = changed.get('draft') || (changed.has('quotedText') && !changed.has('draft'));
    if (hasNewDraft && this.tellsDraft) {
      const {draft, quotedText} = this;
      express(this, {type: 'draft', draft: {content: slice(draft, 0, draft.text.length), quotedText}});
    }
    if (!changed.has('pendingInput') || !this.#keepsFocus) return;
    this.#keepsFocus = false;
    this.focus();
  }

  override render() {
    if (this.status.type === 'closed') {
      return html`<div class="closed" part="closed" role="status" dir="auto">${this.#reason ?? strings.closed}</div>`;
    }
    if (this.pendingInput === undefined || this.status.type === 'locked') return this.#box();
    return renderLazy(
      'parlor-structured-input',
      this,
      () => html`<parlor-structured-input exportparts=${exportedParts}
        .item=${this.pendingInput}
        .disabled=${this.isResponding || this.isBlocked}
        @parlor-intent=${this.#onAnswer}
      ></parlor-structured-input>`,
    );
  }

  #box() {
    const isLocked = this.status.type !== 'active';
    const tool = this.tools.find(({id}) => id === this.toolId);
    const placeholder = isLocked ? (this.#reason ?? strings.locked) : (tool?.placeholderOverride ?? this.placeholder);
    const isTall = this.tools.length > 0 || this.models.length > 0 || this.entities?.showComposerMenu === true;
    const hasExtras = this.quotedText !== undefined || this.uploads.length > 0;
    return html`<div
      class="box ${isTall ? 'tall' : ''} ${isLocked ? 'locked' : ''}"
      part="composer"
      @click=${this.#onBoxClick}
      @parlor-intent=${relayTo(this)}
    >
      ${
        hasExtras && !isLocked
          ? html`<div class="extras">
            ${
              this.quotedText === undefined
                ? nothing
                : html`<div class="quote" part="quote">
                  ${icon('reply', '16')}<span dir="auto">${this.quotedText}</span>
                  <button type="button" aria-label=${strings.removeQuote} @click=${this.#removeQuote}>${icon('close', '16')}</button>
                </div>`
            }
            ${this.uploads.length > 0 ? this.#uploadList() : nothing}
          </div>`
          : nothing
      }
      <parlor-composer-field exportparts=${exportedParts}
        .placeholder=${placeholder}
        .disabled=${isLocked}
        .suggesting=${this.suggesting}
        .draft=${this.draft}
        @draft-change=${this.#onDraftChange}
        @draft-submit=${this.#send}
        @draft-files=${this.#onFiles}
      ></parlor-composer-field>
      ${isLocked ? nothing : this.#limit()}
      <div class="bar">
        <div class="start">${renderChoices({
          tools: this.tools,
          selected: tool,
          isLocked,
          attach: this.attachments ? this.#openFileDialog : undefined,
          photograph: this.#hasCamera ? this.#openCamera : undefined,
          mention: this.entities?.showComposerMenu ? () => this.#field?.openSuggestions('@') : undefined,
          select: this.#selectTool,
        })}</div>
        <div class="end">
          ${renderModels(this.models, this.modelId, isLocked, this.#selectModel)}
          ${
            this.hasDictation
              ? renderLazyButton(
                  'parlor-dictation',
                  this,
                  {glyph: 'mic', label: strings.dictate},
                  () =>
                    html`<parlor-dictation exportparts=${exportedParts} .disabled=${isLocked} @dictated=${this.#onDictated}></parlor-dictation>`,
                )
              : nothing
          }
          ${this.#button()}
        </div>
      </div>
      ${
        this.attachments
          ? html`<input
            class="files"
            type="file"
            multiple
            hidden
            tabindex="-1"
            aria-label=${strings.addFiles}
            accept=${toAcceptAttribute(this.attachments)}
            @change=${this.#onFilesChosen}
          />`
          : nothing
      }
      ${
        this.#hasCamera
          ? html`<input class="camera" type="file" accept="image/*" capture="environment" hidden tabindex="-1" aria-label=${strings.takePhoto} @change=${this.#onFilesChosen} />`
          : nothing
      }
      <div class="visually-hidden" role="status">${this.#uploadCount}</div>
    </div>`;
  }

  /** For those who do not see the chips; what has failed is told as a problem. */
  get #uploadCount(): string {
    const ready = this.uploads.filter(({status}) => status === 'done').length;
    const coming = this.uploads.filter(({status}) => status === 'uploading').length;
    return ready + coming === 0 ? '' : strings.uploadsReady(ready, coming);
  }

  #uploadList() {
    return renderLazy(
      'parlor-uploads',
      this,
      () =>
        html`<parlor-uploads exportparts=${exportedParts} .uploads=${this.uploads} @parlor-intent=${relayTo(this)}></parlor-uploads>`,
      'line',
    );
  }

  /** Says how much room is left when there is little, and what is too much. */
  #limit() {
    const limit = this.maxChars ?? Number.POSITIVE_INFINITY;
    const used = lengthOf(this.draft, this.quotedText);
    const isTooLong = used > limit;
    return html`<div class="limit ${isTooLong ? 'over' : ''}" role=${isTooLong ? 'alert' : nothing} ?hidden=${used < limit * NEARLY_FULL}>
      ${isTooLong ? strings.tooLong(used, limit) : strings.charsUsed(used, limit)}
    </div>`;
  }

  #button() {
    if (this.isResponding && this.canCancel) {
      return html`<button type="button" part="stop-button" class="round stop" aria-label=${strings.stop} title=${strings.stop} @click=${() => express(this, {type: 'stop'})}>
        ${icon('stop', '20')}
      </button>`;
    }
    return html`<button type="button" part="send-button" class="round send" aria-label=${strings.send} title=${strings.send} ?disabled=${!this.#canSend} @click=${this.#send}>
      ${icon('arrow-up', '20')}
    </button>`;
  }

  get #canSend(): boolean {
    if (this.isResponding || this.isBlocked || this.pendingInput || this.status.type !== 'active') return false;
    if (lengthOf(this.draft, this.quotedText) > (this.maxChars ?? Number.POSITIVE_INFINITY)) return false;
    const isWhole = this.uploads.every(({status}) => status === 'done');
    return isWhole && (this.uploads.length > 0 || this.draft.text.trim() !== '');
  }

  #send = (): void => {
    if (!this.#canSend) return;
    const attachments = this.uploads.map(({attachment}) => attachment).filter(attachment => attachment !== undefined);
    const content = toContent(this.draft);
    const {quotedText} = this;
    this.setDraft({content: [], quotedText: undefined});
    express(this, {type: 'send', content, attachments, quotedText});
    this.focus();
  };

  #selectTool = (toolId: string | undefined): void => {
    express(this, {type: 'select-tool', toolId});
    this.focus();
  };

  #selectModel = (modelId: string): void => {
    express(this, {type: 'select-model', modelId});
  };

  #removeQuote = (): void => {
    this.quotedText = undefined;
    this.focus();
  };

  #openFileDialog = (): void => {
    this.renderRoot.querySelector<HTMLInputElement>('input.files')?.click();
  };

  #openCamera = (): void => {
    this.renderRoot.querySelector<HTMLInputElement>('input.camera')?.click();
  };

  /** Elsewhere the browser would open the same dialog again. */
  get #hasCamera(): boolean {
    return this.attachments !== undefined && isTouch() && takesPhotos(this.attachments);
  }

  #onFilesChosen = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    // Otherwise the same file could not be chosen again after it was removed.
    input.value = '';
    if (files.length > 0) express(this, {type: 'add-files', files});
    this.focus();
  };

  #onAnswer = (event: Event): void => {
    this.#keepsFocus = true;
    relayTo(this)(event);
  };

  #onDraftChange = (): void => {
    if (this.#field) this.draft = this.#field.draft;
  };

  #onFiles = (event: Event): void => {
    // Where none are taken, the person is told.
    express(this, {type: 'add-files', files: (event as CustomEvent<readonly File[]>).detail});
  };

  #onDictated = (event: Event): void => {
    this.#field?.insertText((event as CustomEvent<string>).detail);
    this.focus();
  };

  #onBoxClick = (event: Event): void => {
    if (event.target === event.currentTarget) this.focus();
  };

  /** The composer's own commands in the `/` menu. */
  get #builtIns(): BuiltInParts {
    return {
      tools: this.tools,
      models: this.models,
      attach: this.attachments ? this.#openFileDialog : undefined,
      mention: this.entities?.onTagSearch ? this.#mention : undefined,
      selectTool: this.#selectTool,
      selectModel: this.#selectModel,
    };
  }

  #mention = (): void => {
    // After the word that called it is gone.
    setTimeout(() => this.#field?.openSuggestions('@'));
  };

  get #reason(): string | undefined {
    return this.status.type === 'active' ? undefined : this.status.reason;
  }

  get #field(): ComposerField | null {
    return this.renderRoot?.querySelector<ComposerField>('parlor-composer-field') ?? null;
  }
}
