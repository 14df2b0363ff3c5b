/** `<parlor-message>`: one item of a thread, of any type. */
import {css, html, LitElement, nothing} from 'lit';
import {toEntity} from '../composer/composer-options.js';
import {dispatch, relayTo} from '../intents.js';
import type {
  AssistantMessage,
  GeneratedImage,
  StructuredInput,
  Task,
  UserMessage,
  Workflow,
} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {Entry} from '../thread/thread-state.js';
import {unreachable} from '../unreachable.js';
import type {WidgetActionDetail} from '../widgets/actions.js';
import type {WidgetErrorDetail} from '../widgets/widget-view.js';
import {buildMarkers} from './annotations.js';
import {exportedParts} from './exported-parts.js';
import {renderLazy} from './lazy-view.js';
import type {Source} from './source.js';
import {baseStyles, buttonStyles, lazyStyles} from './styles.js';

const MAX_UNFOLDED_CHARS = 1_500;
const MAX_UNFOLDED_LINES = 20;

export class MessageView extends LitElement {
  static override properties = {
    entry: {attribute: false},
    busy: {attribute: false},
    imageDomains: {attribute: false},
    sources: {attribute: false},
    isUnfolded: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    lazyStyles,
    css`
      :host {
        display: block;
        min-inline-size: 0;
      }
      .user {
        display: flex;
        flex-direction: column;
        align-items: flex-end;
        gap: 8px;
      }
      .bubble {
        max-inline-size: min(80%, 640px);
        padding: calc(var(--chatkit-space) * 2.25) calc(var(--chatkit-space) * 4);
        border-radius: var(--chatkit-radius-bubble);
        background: var(--chatkit-bubble);
        color: var(--chatkit-bubble-text);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      @media screen {
        .bubble.folded {
          max-block-size: 12lh;
          overflow: hidden;
          mask-image: linear-gradient(#000 75%, transparent);
        }
      }
      .quote {
        display: flex;
        gap: 8px;
        margin: 0;
        max-inline-size: min(80%, 640px);
        padding-inline-start: 10px;
        border-inline-start: 2px solid var(--chatkit-border-strong);
        font-size: var(--chatkit-text-sm-size);
        line-height: var(--chatkit-text-sm-line);
        color: var(--chatkit-text-secondary);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .assistant {
        display: grid;
        gap: calc(var(--chatkit-space) * 3);
      }
      dl {
        margin: 0;
        padding: 12px 16px;
        border: 1px solid var(--chatkit-border-default);
        border-radius: var(--chatkit-radius-card);
        font-size: var(--chatkit-text-sm-size);
        line-height: var(--chatkit-text-sm-line);
      }
      dt {
        color: var(--chatkit-text-secondary);
      }
      dd {
        margin: 0 0 8px;
      }
      dd:last-child {
        margin: 0;
      }
      parlor-widget {
        display: block;
        max-inline-size: 100%;
        min-inline-size: 0;
      }
    `,
  ];

  declare entry: Entry;
  declare busy: boolean;
  declare imageDomains: readonly string[] | undefined;
  /** The sources of the whole answer; citations show their numbers. */
  declare sources: readonly Source[];
  /** Whether a long message of the user is shown in full. */
  declare isUnfolded: boolean;

  constructor() {
    super();
    this.busy = false;
    this.imageDomains = undefined;
    this.sources = [];
    this.isUnfolded = false;
  }

  /** Listens at the shadow root, since events of a widget do not leave it. */
  protected override createRenderRoot(): HTMLElement | DocumentFragment {
    const root = super.createRenderRoot();
    root.addEventListener('widget-action', this.#onWidgetAction);
    root.addEventListener('widget-error', this.#onWidgetError);
    root.addEventListener('focus-lost', () => dispatch(this, {type: 'focus-composer'}));
    return root;
  }

  override render() {
    const item = this.entry?.item;
    if (!item) return nothing;
    switch (item.type) {
      case 'user_message':
        return this.#user(item);
      case 'assistant_message':
        return this.#assistant(item);
      case 'widget':
        return html`<parlor-widget part="widget" exportparts=${exportedParts} .relay=${relayTo(this)} .imageDomains=${this.imageDomains} .widget=${item.widget} .itemId=${item.id} .busy=${this.busy} .streaming=${this.entry.isStreaming}></parlor-widget>`;
      case 'workflow':
        return this.#workflow(item.workflow);
      case 'task':
        return this.#workflow(toWorkflow(item.task));
      case 'generated_image':
        return this.#image(item);
      case 'structured_input':
        return this.#questions(item);
      case 'client_tool_call':
      case 'end_of_turn':
        return nothing;
      default:
        return unreachable(item);
    }
  }

  #onWidgetAction = (event: Event): void => {
    event.stopPropagation();
    dispatch(this, {type: 'widget-action', detail: (event as CustomEvent<WidgetActionDetail>).detail});
  };

  /** Reports errors in a widget's JSON to the page: they help its author, not the user. */
  #onWidgetError = (event: Event): void => {
    event.stopPropagation();
    const {message} = (event as CustomEvent<WidgetErrorDetail>).detail;
    dispatch(this, {type: 'report', error: new Error(message), isShown: false});
  };

  #user({content, attachments, quotedText}: UserMessage) {
    const hasText = content.some(part => part.text.trim() !== '');
    const isLong = isLongText(content.map(part => part.text).join(''));
    const isFolded = isLong && !this.isUnfolded;
    return html`<div class="user" part="message-user" @parlor-intent=${relayTo(this)}>
      ${quotedText === undefined ? nothing : html`<blockquote class="quote" dir="auto">${quotedText}</blockquote>`}
      ${
        attachments.length > 0
          ? renderLazy(
              'parlor-attached-files',
              this,
              () =>
                html`<parlor-attached-files exportparts=${exportedParts} .files=${attachments}></parlor-attached-files>`,
              'line',
            )
          : nothing
      }
      ${
        hasText
          ? html`<div class="bubble ${isFolded ? 'folded' : ''}" part="bubble" dir="auto">${content.map(part => (part.type === 'input_tag' ? html`<parlor-entity-tag exportparts=${exportedParts} .entity=${toEntity(part)}></parlor-entity-tag>` : part.text))}</div>`
          : nothing
      }
      ${
        isLong
          ? html`<button type="button" class="text-button" aria-expanded=${String(!isFolded)} @click=${this.#toggleFold}>
            ${isFolded ? strings.unfold : strings.fold}
          </button>`
          : nothing
      }
    </div>`;
  }

  #toggleFold = (): void => {
    this.isUnfolded = !this.isUnfolded;
  };

  #assistant({content}: AssistantMessage) {
    const isGrowing = this.entry.isStreaming;
    return html`<div class="assistant" part="message-assistant" @parlor-intent=${relayTo(this)}>
      ${content.map(
        (part, at) =>
          html`<parlor-markdown exportparts=${exportedParts}
            .text=${part.text}
            .streaming=${isGrowing && at === content.length - 1}
            .imageDomains=${this.imageDomains}
            .markers=${buildMarkers(part.annotations, this.sources)}
          ></parlor-markdown>`,
      )}
    </div>`;
  }

  #workflow(workflow: Workflow) {
    return renderLazy(
      'parlor-workflow',
      this,
      () => html`<parlor-workflow exportparts=${exportedParts}
        .workflow=${workflow}
        .streaming=${this.entry.isStreaming}
        .imageDomains=${this.imageDomains}
        @parlor-intent=${relayTo(this)}
      ></parlor-workflow>`,
      'line',
    );
  }

  #image({url, progress}: GeneratedImage) {
    return renderLazy(
      'parlor-generated-image',
      this,
      () => html`<parlor-generated-image exportparts=${exportedParts}
      .url=${url}
      .progress=${progress}
      .streaming=${this.entry.isStreaming}
    ></parlor-generated-image>`,
    );
  }

  #questions({status, inputs}: StructuredInput) {
    return html`<dl>
      ${inputs.map(({question, answer}) => {
        const noAnswer = status === 'pending' ? strings.questionWaiting : strings.questionSkipped;
        return html`<dt dir="auto">${question}</dt>
          <dd dir="auto">${answer?.values.length ? answer.values.join(', ') : noAnswer}</dd>`;
      })}
    </dl>`;
  }
}

/** Whether the text is longer than a phone's screen. */
function isLongText(text: string): boolean {
  return text.length > MAX_UNFOLDED_CHARS || text.split('\n', MAX_UNFOLDED_LINES + 1).length > MAX_UNFOLDED_LINES;
}

function toWorkflow(task: Task): Workflow {
  return {type: 'custom', tasks: [task], summary: undefined, expanded: false};
}
