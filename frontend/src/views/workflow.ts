/** `<parlor-workflow>`: the steps of an answer, collapsed to one line: running, done or failed. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {relayTo} from '../intents.js';
import type {JSONObject, Task, Workflow} from '../protocol/types.js';
import {strings} from '../strings.js';
import {exportedParts} from './exported-parts.js';
import {foldStyles} from './fold-style.js';
import {parseSource} from './source.js';
import {baseStyles, buttonStyles, shimmerStyles} from './styles.js';

const TASK_ICONS: ReadonlyMap<string, string> = new Map([
  ['web_search', 'globe'],
  ['thought', 'lightbulb'],
  ['file', 'document'],
  ['image', 'square-image'],
]);

export class WorkflowView extends LitElement {
  static override properties = {
    workflow: {attribute: false},
    streaming: {attribute: false},
    imageDomains: {attribute: false},
    isOpen: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    foldStyles,
    shimmerStyles,
    css`
      .summary {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        max-inline-size: 100%;
        min-block-size: 28px;
        border-radius: var(--chatkit-radius-sm);
        text-align: start;
      }
      .summary:hover {
        color: var(--chatkit-text-primary);
      }
      .summary .label {
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      li {
        position: relative;
        display: grid;
        grid-template-columns: 18px minmax(0, 1fr);
        gap: 0 10px;
        padding-block-end: 10px;
      }
      li:last-child {
        padding-block-end: 2px;
      }
      li:not(:last-child)::before {
        content: '';
        position: absolute;
        inset-block: 22px 0;
        inset-inline-start: 8.5px;
        inline-size: 1px;
        background: var(--chatkit-border-strong);
      }
      li > svg {
        margin-block-start: 1px;
      }
      .spinner {
        inline-size: 14px;
        block-size: 14px;
        margin: 3px 2px;
        border: 2px solid var(--chatkit-alpha-15);
        border-block-start-color: var(--chatkit-text-secondary);
        border-radius: 50%;
        animation: turn 0.9s linear infinite;
      }
      @keyframes turn {
        to {
          rotate: 1turn;
        }
      }
      .failed > svg,
      .failed .name {
        color: var(--chatkit-text-danger);
      }
      .name {
        color: var(--chatkit-text-primary);
        overflow-wrap: anywhere;
      }
      .content {
        margin-block-start: 2px;
      }
      .content parlor-markdown {
        color: inherit;
      }
      .chips {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
        margin-block-start: 6px;
      }
      .chip {
        max-inline-size: 100%;
        padding: 2px 10px;
        border-radius: var(--chatkit-radius-full);
        background: var(--chatkit-alpha-05);
        font-size: var(--chatkit-text-xs-size);
        line-height: 1.45;
        color: var(--chatkit-text-secondary);
        text-decoration: none;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      a.chip:hover {
        color: var(--chatkit-text-primary);
        background: var(--chatkit-active);
      }
    `,
  ];

  declare workflow: Workflow;
  declare streaming: boolean;
  declare imageDomains: readonly string[] | undefined;
  /** The user's choice, which overrides `expanded` of the server. */
  declare isOpen: boolean | undefined;

  constructor() {
    super();
    this.workflow = {type: 'custom', tasks: [], summary: undefined, expanded: false};
    this.streaming = false;
    this.imageDomains = undefined;
    this.isOpen = undefined;
  }

  override render() {
    const {tasks, expanded, summary} = this.workflow;
    const isOpen = this.isOpen ?? expanded;
    const details = tasks.filter(hasDetail);
    // A single step without details needs no disclosure.
    if (tasks.length <= 1 && details.length === 0 && !summary)
      return html`<div class="summary">${this.#headline()}</div>`;
    return html`<button
        type="button"
        class="summary"
        aria-expanded=${isOpen ? 'true' : 'false'}
        aria-controls="steps"
        @click=${() => {
          this.isOpen = !isOpen;
        }}
      >${this.#headline()}<span class="chevron">${icon('chevron-right', '14')}</span></button>
      <ol id="steps" aria-label=${strings.steps} ?hidden=${!isOpen} @parlor-intent=${relayTo(this)}>
        ${isOpen ? tasks.map(task => this.#step(task)) : nothing}
      </ol>`;
  }

  /** Whether the workflow still runs; one with a summary has ended, whatever the status of its tasks. */
  get #isRunning(): boolean {
    const {tasks, summary} = this.workflow;
    return this.streaming || (summary === undefined && tasks.some(({status}) => status === 'loading'));
  }

  #headline() {
    const {tasks, summary} = this.workflow;
    if (this.#isRunning) {
      const running = tasks.findLast(task => task.status === 'loading') ?? tasks.at(-1);
      const label = (running && titleOf(running)) ?? strings.working;
      return html`${icon(running?.icon ?? glyphOf(running), '18')}<span class="label shimmer" dir="auto">${label}</span>`;
    }
    const last = tasks.at(-1);
    const hasFailed = tasks.some(task => task.status === 'failed');
    const label =
      summary?.title ??
      (summary?.durationS !== undefined ? strings.thoughtFor(Math.max(1, Math.round(summary.durationS))) : undefined);
    // Without a check mark, the step has not ended successfully.
    const lastGlyph = last?.icon ?? (tasks.some(task => task.status === 'none') ? glyphOf(last) : 'check-circle');
    const glyph = summary?.icon ?? (hasFailed ? 'error' : this.workflow.type === 'reasoning' ? 'lightbulb' : lastGlyph);
    const fallback = this.workflow.type === 'reasoning' ? strings.thought : (last?.title ?? strings.steps);
    return html`${icon(glyph, '18')}<span class="label" dir="auto">${label ?? fallback}</span>`;
  }

  #step(task: Task) {
    const isLoading = task.status === 'loading' && this.#isRunning;
    const state = {loading: strings.taskRunning, complete: strings.taskComplete, failed: strings.taskFailed, none: ''}[
      task.status
    ];
    const glyph =
      task.status === 'failed'
        ? 'error'
        : (task.icon ?? (task.status === 'complete' && task.type === 'custom' ? 'check-circle' : glyphOf(task)));
    const title = titleOf(task);
    return html`<li class=${task.status}>
      ${isLoading && task.icon === undefined ? html`<span class="spinner"></span>` : icon(glyph, '18')}
      <div>
        ${title === undefined ? nothing : html`<div class="name ${isLoading ? 'shimmer' : ''}" dir="auto">${title}</div>`}
        ${state ? html`<span class="visually-hidden">${state}</span>` : nothing}
        ${task.content ? html`<div class="content"><parlor-markdown exportparts=${exportedParts} .text=${task.content} .imageDomains=${this.imageDomains} .streaming=${isLoading}></parlor-markdown></div>` : nothing}
        ${
          task.queries.length > 0 || task.sources.length > 0
            ? html`<div class="chips">
              ${task.queries.map(query => html`<span class="chip" dir="auto">${query}</span>`)}
              ${task.sources.map(renderSource)}
            </div>`
            : nothing
        }
      </div>
    </li>`;
  }
}

/** Returns the task's title, or a default for its type; `undefined` when the content suffices. */
function titleOf({type, title, content, status}: Task): string | undefined {
  if (title !== undefined) return title;
  if (type === 'web_search') return strings.taskSearch;
  if (type === 'file') return strings.taskFiles;
  if (type === 'image') return strings.taskImage;
  if (content) return undefined;
  return status === 'failed' ? strings.taskFailed : status === 'complete' ? strings.taskComplete : strings.working;
}

function hasDetail(task: Task): boolean {
  return Boolean(task.content) || task.queries.length > 0 || task.sources.length > 0;
}

function glyphOf(task: Task | undefined): string {
  return TASK_ICONS.get(task?.type ?? '') ?? 'sparkle';
}

/** Renders a source as a link if its URL is safe, else as plain text. */
function renderSource(source: JSONObject) {
  const parsed = parseSource(source);
  if (!parsed) return nothing;
  if (parsed.type !== 'url' || parsed.url === undefined) {
    return html`<span class="chip" dir="auto">${parsed.title}</span>`;
  }
  return html`<a class="chip" dir="auto" href=${parsed.url} target="_blank" rel="noopener noreferrer">${parsed.title}</a>`;
}
