/** `<parlor-entity-tag>`: an entity in the transcript; interactive ones can be clicked and previewed. */
import {css, html, LitElement, nothing} from 'lit';
import type {EntityRef} from '../composer/composer-options.js';
import {dispatch} from '../intents.js';
import type {JSONObject} from '../protocol/types.js';
import {strings} from '../strings.js';
import type {WidgetActionDetail} from '../widgets/actions.js';
import {exportedParts} from './exported-parts.js';
import {baseStyles, buttonStyles} from './styles.js';

const HOVER_PAUSE_MS = 250;
/** Time for the pointer to move from the tag into the preview. */
const LEAVE_PAUSE_MS = 200;
const GAP_PX = 6;
const EDGE_PX = 8;

export class EntityTag extends LitElement {
  static override properties = {
    entity: {attribute: false},
    label: {attribute: false},
    preview: {state: true},
    isOpen: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        display: inline;
      }
      .tag {
        display: inline;
        padding: 1px 6px;
        border-radius: var(--chatkit-radius-sm);
        background: color-mix(in srgb, currentColor 10%, transparent);
        color: inherit;
        font-weight: 500;
        white-space: normal;
        overflow-wrap: anywhere;
        -webkit-box-decoration-break: clone;
        box-decoration-break: clone;
      }
      .tag svg {
        display: inline-block;
        vertical-align: -0.2em;
      }
      button.tag {
        min-block-size: 24px;
        text-decoration: underline;
        text-decoration-color: color-mix(in srgb, currentColor 40%, transparent);
        text-underline-offset: 3px;
        transition: background var(--chatkit-duration);
      }
      button.tag:hover {
        text-decoration-color: currentColor;
      }
      .preview {
        position: fixed;
        inset: auto;
        z-index: 4;
        inline-size: max-content;
        max-inline-size: min(360px, calc(100vw - 16px));
        max-block-size: min(420px, calc(100vh - 16px));
        overflow: auto;
        margin: 0;
        padding: 0;
        border: 1px solid var(--chatkit-border-default);
        border-radius: var(--chatkit-radius-card);
        background: var(--chatkit-surface-elevated);
        color: var(--chatkit-text-primary);
        font-weight: 400;
        text-align: start;
        white-space: normal;
        box-shadow: var(--chatkit-shadow-4);
      }
      .preview.bare {
        padding: 12px;
      }
    `,
  ];

  declare entity: EntityRef | undefined;
  /** Replaces the entity’s title, for example in a citation. */
  declare label: unknown;
  declare preview: JSONObject | undefined;
  declare isOpen: boolean;

  #timer: ReturnType<typeof setTimeout> | undefined;
  #isWanted = false;
  #sizeObserver: ResizeObserver | undefined;

  constructor() {
    super();
    this.entity = undefined;
    this.label = undefined;
    this.preview = undefined;
    this.isOpen = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#close();
  }

  override render() {
    const {entity, preview} = this;
    if (!entity) return nothing;
    if (entity.interactive !== true) return html`<span class="tag" part="entity">${this.label ?? entity.title}</span>`;
    return html`<button
        type="button"
        class="tag"
        part="entity"
        aria-label=${accessibleName(this.label, entity.title) ?? nothing}
        @click=${(event: Event) => this.#onClick(event, entity)}
        @pointerenter=${this.#onEnter}
        @pointerleave=${this.#onLeave}
        @focus=${this.#onFocus}
        @blur=${() => this.#closeLater()}
        @keydown=${this.#onKey}
      >${this.label ?? entity.title}</button>${
        this.isOpen && preview
          ? html`<div
            class="preview ${preview.type === 'Basic' ? 'bare' : ''}"
            part="entity-preview"
            role="group"
            aria-label=${strings.preview(entity.title)}
            popover="manual"
            @pointerenter=${() => clearTimeout(this.#timer)}
            @pointerleave=${this.#onLeave}
            @focusin=${() => clearTimeout(this.#timer)}
            @focusout=${() => this.#closeLater()}
            @keydown=${this.#onKey}
            @widget-action=${this.#onWidgetAction}
          ><parlor-widget exportparts=${exportedParts} .widget=${preview} .itemId=${''}></parlor-widget></div>`
          : nothing
      }`;
  }

  protected override updated(): void {
    const box = this.renderRoot.querySelector<HTMLElement>('.preview');
    if (!box || this.#sizeObserver || !this.isConnected) return;
    // In the top layer, since the transcript clips its contents.
    if (typeof box.showPopover === 'function' && !box.matches(':popover-open')) box.showPopover();
    // The widget inside is rendered later, and its images load later still.
    this.#sizeObserver = new ResizeObserver(() => this.#place(box));
    this.#sizeObserver.observe(box);
    this.#place(box);
  }

  #openAfter(pauseMs: number): void {
    this.#isWanted = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#open(), pauseMs);
  }

  #closeLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#close(), LEAVE_PAUSE_MS);
  }

  async #open(): Promise<void> {
    const {entity} = this;
    if (!entity || this.isOpen) return;
    const preview = await new Promise<JSONObject | undefined>(resolve => {
      dispatch(this, {type: 'entity-preview', entity, done: answer => void answer.then(resolve)});
    });
    if (!preview || !this.#isWanted || !this.isConnected) return;
    this.preview = preview;
    this.isOpen = true;
    document.addEventListener('scroll', this.#onElsewhere, {capture: true, passive: true});
    document.addEventListener('pointerdown', this.#onElsewhere, {capture: true, passive: true});
  }

  #close(): void {
    clearTimeout(this.#timer);
    document.removeEventListener('scroll', this.#onElsewhere, {capture: true});
    document.removeEventListener('pointerdown', this.#onElsewhere, {capture: true});
    this.#sizeObserver?.disconnect();
    this.#sizeObserver = undefined;
    this.#isWanted = false;
    this.isOpen = false;
  }

  #onClick(event: Event, entity: EntityRef): void {
    dispatch(this, {type: 'entity-click', entity});
    if (isTouch(event)) this.#openAfter(0);
  }

  #onEnter = (event: Event): void => {
    if (!isTouch(event)) this.#openAfter(HOVER_PAUSE_MS);
  };

  #onLeave = (event: Event): void => {
    // With touch, `pointerleave` follows every tap.
    if (!isTouch(event)) this.#closeLater();
  };

  #onElsewhere = (event: Event): void => {
    // The preview itself may scroll.
    if (!event.composedPath().includes(this)) this.#close();
  };

  #onFocus = (event: FocusEvent): void => {
    // A click focuses the tag too, but must not open the preview at once; hovering opens it anyway.
    if ((event.target as Element).matches(':focus-visible')) this.#openAfter(0);
  };

  #onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !this.isOpen) return;
    event.stopPropagation();
    event.preventDefault();
    this.renderRoot.querySelector<HTMLElement>('button')?.focus();
    this.#close();
  };

  #onWidgetAction = (event: Event): void => {
    event.stopPropagation();
    dispatch(this, {type: 'widget-action', detail: (event as CustomEvent<WidgetActionDetail>).detail});
  };

  /** Places the preview above the tag where there is room, else below, always inside the window. */
  #place(box: HTMLElement): void {
    const tag = this.renderRoot.querySelector('.tag')?.getClientRects()[0];
    if (!tag) return;
    const {width, height} = box.getBoundingClientRect();
    const above = tag.top - height - GAP_PX;
    const top = above >= EDGE_PX ? above : Math.min(tag.bottom + GAP_PX, innerHeight - height - EDGE_PX);
    const left = Math.min(Math.max(tag.left, EDGE_PX), innerWidth - width - EDGE_PX);
    box.style.top = `${Math.max(EDGE_PX, top)}px`;
    box.style.left = `${Math.max(EDGE_PX, left)}px`;
  }
}

/** Returns the name of a tag whose label differs from its title; a name must contain the visible text. */
function accessibleName(label: unknown, title: string): string | undefined {
  if (typeof label !== 'string') return label === undefined ? undefined : title;
  return label.includes(title) ? undefined : `${label}: ${title}`;
}

function isTouch(event: Event): boolean {
  return (event as Partial<PointerEvent>).pointerType === 'touch';
}
