/** `<parlor-composer>`: the message box with quote, files, tool, model, send and stop; or questions in its place. */
import type {ModelOption, ToolOption} from '@openai/chatkit';
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import type {CommandSettings, EntitySettings} from '../composer/composer-options.js';
import {
  type Draft,
  type DraftText,
  EMPTY_DRAFT,
  fromContent,
  messageLength,
  sliceContent,
  toContent,
} from '../composer/draft-text.js';
import {takesPhotos, toAcceptAttribute, type UploadRules} from '../composer/upload-rules.js';
import type {Upload} from '../composer/uploads.js';
import {icon} from '../icons/icons.js';
import {dispatch, relayTo} from '../intents.js';
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

/** The count of characters is shown from this share of the limit on. */
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
  /** Whether sending is blocked, for example while a thread loads. */
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
  /** Questions that wait for an answer; they replace everything else. */
  declare pendingInput: StructuredInput | undefined;
  /** Whether every change of the draft dispatches an intent. */
  declare tellsDraft: boolean;
  /** The longest message that may be sent; `undefined` leaves the limit to the server. */
  declare maxChars: number | undefined;
  /** Kept here because the field is removed when the thread closes or asks questions. */
  declare draft: DraftText;
  declare quotedText: string | undefined;
  declare suggesting: SuggestionSettings | undefined;

  /** Whether the view that is about to be replaced has the focus. */
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
    // Questions that arrive while the user writes take over the focus; otherwise it stays where it is.
    if (changed.has('pendingInput')) this.#keepsFocus ||= this.matches(':focus-within');
  }

  protected override updated(changed: PropertyValues<this>): void {
    // The initial empty draft is no change.
    const hasNewDraft = changed.get('draft') || (changed.has('quotedText') && !changed.has('draft'));
    if (hasNewDraft && this.tellsDraft) {
      const {draft, quotedText} = this;
      dispatch(this, {type: 'draft', draft: {content: sliceContent(draft, 0, draft.text.length), quotedText}});
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
          ${this.#sendOrStopButton()}
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

  /** The number of uploads, for screen readers; failures are reported as problems. */
  get #uploadCount(): string {
    const ready = this.uploads.filter(({status}) => status === 'done').length;
    const uploading = this.uploads.filter(({status}) => status === 'uploading').length;
    return ready + uploading === 0 ? '' : strings.uploadsReady(ready, uploading);
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

  /** Renders the count of characters, hidden until the limit is near. */
  #limit() {
    const limit = this.maxChars ?? Number.POSITIVE_INFINITY;
    const used = messageLength(this.draft, this.quotedText);
    const isTooLong = used > limit;
    return html`<div class="limit ${isTooLong ? 'over' : ''}" role=${isTooLong ? 'alert' : nothing} ?hidden=${used < limit * NEARLY_FULL}>
      ${isTooLong ? strings.tooLong(used, limit) : strings.charsUsed(used, limit)}
    </div>`;
  }

  #sendOrStopButton() {
    if (this.isResponding && this.canCancel) {
      return html`<button type="button" part="stop-button" class="round stop" aria-label=${strings.stop} title=${strings.stop} @click=${() => dispatch(this, {type: 'stop'})}>
        ${icon('stop', '20')}
      </button>`;
    }
    return html`<button type="button" part="send-button" class="round send" aria-label=${strings.send} title=${strings.send} ?disabled=${!this.#canSend} @click=${this.#send}>
      ${icon('arrow-up', '20')}
    </button>`;
  }

  get #canSend(): boolean {
    if (this.isResponding || this.isBlocked || this.pendingInput || this.status.type !== 'active') return false;
    if (messageLength(this.draft, this.quotedText) > (this.maxChars ?? Number.POSITIVE_INFINITY)) return false;
    const isWhole = this.uploads.every(({status}) => status === 'done');
    return isWhole && (this.uploads.length > 0 || this.draft.text.trim() !== '');
  }

  #send = (): void => {
    if (!this.#canSend) return;
    const attachments = this.uploads.map(({attachment}) => attachment).filter(attachment => attachment !== undefined);
    const content = toContent(this.draft);
    const {quotedText} = this;
    this.setDraft({content: [], quotedText: undefined});
    dispatch(this, {type: 'send', content, attachments, quotedText});
    this.focus();
  };

  #selectTool = (toolId: string | undefined): void => {
    dispatch(this, {type: 'select-tool', toolId});
    this.focus();
  };

  #selectModel = (modelId: string): void => {
    dispatch(this, {type: 'select-model', modelId});
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

  /** Only phones: other browsers would open the same file dialog again. */
  get #hasCamera(): boolean {
    return this.attachments !== undefined && isTouch() && takesPhotos(this.attachments);
  }

  #onFilesChosen = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    // Otherwise the same file could not be chosen again after it was removed.
    input.value = '';
    if (files.length > 0) dispatch(this, {type: 'add-files', files});
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
    // Dispatched even where files are not allowed: the user is then told why.
    dispatch(this, {type: 'add-files', files: (event as CustomEvent<readonly File[]>).detail});
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
      mention: this.entities?.onTagSearch ? this.#openMentions : undefined,
      selectTool: this.#selectTool,
      selectModel: this.#selectModel,
    };
  }

  #openMentions = (): void => {
    // Only after the command's own word was removed.
    setTimeout(() => this.#field?.openSuggestions('@'));
  };

  get #reason(): string | undefined {
    return this.status.type === 'active' ? undefined : this.status.reason;
  }

  get #field(): ComposerField | null {
    return this.renderRoot?.querySelector<ComposerField>('parlor-composer-field') ?? null;
  }
}
