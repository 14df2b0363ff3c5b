/** `<parlor-sources>`: the sources of an answer, collapsed to one line below it. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {IntentEvent, relayTo} from '../intents.js';
import {strings} from '../strings.js';
import {toEntity} from './annotations.js';
import {exportedParts} from './exported-parts.js';
import {foldStyles} from './fold-style.js';
import {originOf, type Source} from './source.js';
import {baseStyles, buttonStyles} from './styles.js';

export class SourcesView extends LitElement {
  static override properties = {
    sources: {attribute: false},
    isOpen: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    foldStyles,
    css`
      .fold {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        min-block-size: 28px;
        padding-inline: 8px;
        margin-inline-start: -8px;
        border-radius: var(--chatkit-radius-md);
        color: inherit;
      }
      .fold:hover {
        background: var(--chatkit-hover);
        color: var(--chatkit-text-primary);
      }
      ol {
        display: grid;
        gap: 2px;
      }
      li {
        display: grid;
        grid-template-columns: 1.75em minmax(0, 1fr);
        gap: 0 8px;
        padding: 6px 8px;
        margin-inline: -8px;
        border-radius: var(--chatkit-radius-md);
      }
      li:focus-visible {
        outline-offset: -2px;
      }
      .number {
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      .name {
        display: flex;
        align-items: baseline;
        gap: 6px;
        color: var(--chatkit-text-primary);
        overflow-wrap: anywhere;
        direction: inherit;
      }
      .name > * {
        unicode-bidi: plaintext;
      }
      .name svg {
        align-self: center;
        color: var(--chatkit-text-secondary);
      }
      a {
        color: var(--chatkit-link);
        text-decoration: none;
        border-radius: 2px;
      }
      a:hover {
        text-decoration: underline;
        text-underline-offset: 2px;
      }
      .detail {
        font-size: var(--chatkit-text-xs-size);
        line-height: var(--chatkit-text-xs-line);
        overflow-wrap: anywhere;
      }
      .description {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 3;
        overflow: hidden;
      }
    `,
  ];

  declare sources: readonly Source[];
  declare isOpen: boolean;

  constructor() {
    super();
    this.sources = [];
    this.isOpen = false;
  }

  protected override createRenderRoot(): HTMLElement | DocumentFragment {
    const root = super.createRenderRoot();
    root.addEventListener(IntentEvent.type, relayTo(this));
    return root;
  }

  /** Expands the list and focuses a source in it. */
  async show(key: string): Promise<void> {
    this.isOpen = true;
    await this.updateComplete;
    const at = this.sources.findIndex(source => source.key === key);
    this.renderRoot.querySelectorAll<HTMLElement>('li')[at]?.focus();
  }

  override render() {
    if (this.sources.length === 0) return nothing;
    return html`<button
        type="button"
        class="fold"
        part="sources"
        aria-expanded=${this.isOpen ? 'true' : 'false'}
        aria-controls="list"
        @click=${() => {
          this.isOpen = !this.isOpen;
        }}
      >
        ${icon('book-open', '16')}${strings.sources(this.sources.length)}<span class="chevron"
          >${icon('chevron-right', '14')}</span
        >
      </button>
      <ol id="list" ?hidden=${!this.isOpen}>
        ${this.isOpen ? this.sources.map((source, at) => this.#source(source, at + 1)) : nothing}
      </ol>`;
  }

  #source(source: Source, number: number) {
    const details = [source.type === 'url' ? originOf(source) : source.group, formatDate(source.timestamp)].filter(
      detail => detail !== undefined && detail !== source.title,
    );
    return html`<li tabindex="-1">
      <span class="number" aria-hidden="true">${number}</span>
      <div>
        <div class="name" dir="auto">${renderName(source)}</div>
        ${details.length > 0 ? html`<div class="detail" dir="auto">${details.join(' · ')}</div>` : nothing}
        ${source.description ? html`<div class="detail description" dir="auto">${source.description}</div>` : nothing}
      </div>
    </li>`;
  }
}

function renderName(source: Source) {
  switch (source.type) {
    case 'url':
      return source.url === undefined
        ? html`<span>${source.title}</span>`
        : html`<a href=${source.url} target="_blank" rel="noopener noreferrer">${source.title}</a>`;
    case 'file':
      return html`${icon('document', '16')}<span
          >${source.title}${source.filename === source.title ? nothing : html` (${source.filename})`}</span
        >`;
    case 'entity': {
      const title = source.label === undefined ? source.title : `${source.title} · ${source.label}`;
      return html`${icon(source.icon ?? 'cube', '16')}${
        source.interactive
          ? html`<parlor-entity-tag exportparts=${exportedParts} .entity=${toEntity(source)} .label=${title}></parlor-entity-tag>`
          : html`<span>${title}</span>`
      }`;
    }
  }
}

/** Formats a date for the user's locale; a text that is no date is returned as it is. */
function formatDate(timestamp: string | undefined): string | undefined {
  if (timestamp === undefined) return undefined;
  const time = Date.parse(timestamp);
  return Number.isNaN(time) ? timestamp : new Intl.DateTimeFormat(undefined, {dateStyle: 'medium'}).format(time);
}
