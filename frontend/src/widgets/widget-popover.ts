/** `<parlor-widget-popover>`: shows its content in the top layer next to the field's face, while it is connected. */
import {oneOf} from './nodes.js';
import {type Align, placePopover, type Side} from './popover-place.js';

/**
 * Ancestors with `overflow` cannot clip it. Moved to another place in the tree, it opens again there, with the focus.
 *
 * @event dismiss - A click or the focus went elsewhere, or the face was scrolled out of view.
 */
export class WidgetPopover extends HTMLElement {
  #frame = 0;
  #isRerendered = true;
  #sizeObserver: ResizeObserver | null = null;

  connectedCallback(): void {
    if ('showPopover' in this && !this.matches(':popover-open')) {
      this.showPopover();
    }
    this.#place();
    const {ownerDocument: page} = this;
    page.addEventListener('pointerdown', this.#onPointer, true);
    page.addEventListener('scroll', this.#schedulePlacement, {capture: true, passive: true});
    window.addEventListener('resize', this.#schedulePlacement);
    this.parentElement?.addEventListener('focusout', this.#onFocusOut);
    this.parentElement?.addEventListener('field-value', this.#onRerender, true);
    this.#sizeObserver = new ResizeObserver(() => this.#schedulePlacement());
    this.#sizeObserver.observe(this);
    // Its children exist by now: Lit inserts them before the element itself.
    this.querySelector<HTMLElement>('[data-first-focus]')?.focus({preventScroll: true});
  }

  disconnectedCallback(): void {
    const {ownerDocument: page} = this;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    page.removeEventListener('pointerdown', this.#onPointer, true);
    page.removeEventListener('scroll', this.#schedulePlacement, {capture: true});
    window.removeEventListener('resize', this.#schedulePlacement);
    this.#field?.removeEventListener('focusout', this.#onFocusOut);
    this.#field?.removeEventListener('field-value', this.#onRerender, true);
    this.#sizeObserver?.disconnect();
  }

  /** The field around it, remembered because a removed element has no parent. */
  get #field(): HTMLElement | null {
    this.#lastField = this.parentElement ?? this.#lastField;
    return this.#lastField;
  }
  #lastField: HTMLElement | null = null;

  readonly #onPointer = (event: Event) => {
    const field = this.#field;
    if (field !== null && !event.composedPath().includes(field)) {
      this.#dismiss();
    }
  };

  readonly #onFocusOut = (event: FocusEvent) => {
    const next = event.relatedTarget;
    // Without a related target, the window lost the focus or a tree is being rendered.
    if (next instanceof Node && !(this.#field?.contains(next) ?? false)) {
      this.#dismiss();
    }
  };

  readonly #schedulePlacement = (event?: Event) => {
    if (event?.target instanceof Node && this.contains(event.target)) {
      return;
    }
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#place();
    });
  };

  /** Places the popover again, since a change around the face may have moved it. */
  readonly #onRerender = () => {
    this.#isRerendered = true;
    this.#schedulePlacement();
  };

  #dismiss(): void {
    this.dispatchEvent(new CustomEvent('dismiss'));
  }

  #place(): void {
    const face = this.#field?.querySelector('.face');
    if (!this.isConnected || !face) {
      return;
    }
    const viewport = {width: document.documentElement.clientWidth, height: window.innerHeight};
    const isOut = ({top, bottom}: DOMRect) => bottom < 0 || top > viewport.height;
    let anchor = face.getBoundingClientRect();
    if (isOut(anchor) && this.#isRerendered) {
      // It was moved by a new tree, not by the user's scrolling.
      face.scrollIntoView({block: 'nearest'});
      anchor = face.getBoundingClientRect();
    }
    this.#isRerendered = false;
    if (isOut(anchor)) {
      this.#dismiss();
      return;
    }
    const scroller = this.querySelector('.face-scroll');
    const scrollTop = scroller?.scrollTop ?? 0;
    this.style.maxHeight = '';
    this.style.minWidth = `${Math.min(anchor.width, viewport.width - 16)}px`;
    const {left, top, maxHeight} = placePopover(anchor, this.getBoundingClientRect(), viewport, {
      side: oneOf<Side>(this.dataset.side, {top: 1, bottom: 1, left: 1, right: 1}, 'bottom'),
      align: oneOf<Align>(this.dataset.align, {start: 1, center: 1, end: 1}, 'start'),
      isRightToLeft: getComputedStyle(this).direction === 'rtl',
    });
    this.style.left = `${left}px`;
    this.style.top = `${top}px`;
    this.style.maxHeight = `${maxHeight}px`;
    if (scroller) scroller.scrollTop = scrollTop;
  }
}
