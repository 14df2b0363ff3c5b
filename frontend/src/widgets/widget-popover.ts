/** `<parlor-widget-popover>`: shows what it holds in the top layer beside the face before it, for as long as it exists. */
import {oneOf} from './nodes.js';
import {type Align, placePopover, type Side} from './popover-place.js';

/**
 * No ancestor with `overflow` cuts it off. Drawn anew at another place of the tree, it opens again there, with the focus.
 *
 * @event dismiss - A click or the focus went elsewhere, or the face was scrolled out of sight.
 */
export class WidgetPopover extends HTMLElement {
  #frame = 0;
  #isDrawnAnew = true;
  #sizes: ResizeObserver | null = null;

  connectedCallback(): void {
    if ('showPopover' in this && !this.matches(':popover-open')) {
      this.showPopover();
    }
    this.#place();
    const {ownerDocument: page} = this;
    page.addEventListener('pointerdown', this.#onPointer, true);
    page.addEventListener('scroll', this.#onMoved, {capture: true, passive: true});
    window.addEventListener('resize', this.#onMoved);
    this.parentElement?.addEventListener('focusout', this.#onFocusOut);
    this.parentElement?.addEventListener('field-value', this.#onDrawn, true);
    this.#sizes = new ResizeObserver(() => this.#onMoved());
    this.#sizes.observe(this);
    // Lit puts its children in before the element itself.
    this.querySelector<HTMLElement>('[data-first-focus]')?.focus({preventScroll: true});
  }

  disconnectedCallback(): void {
    const {ownerDocument: page} = this;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    page.removeEventListener('pointerdown', this.#onPointer, true);
    page.removeEventListener('scroll', this.#onMoved, {capture: true});
    window.removeEventListener('resize', this.#onMoved);
    this.#field?.removeEventListener('focusout', this.#onFocusOut);
    this.#field?.removeEventListener('field-value', this.#onDrawn, true);
    this.#sizes?.disconnect();
  }

  /** The field around it; kept, because after its removal an element has no parent. */
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
    // Without a next element the window lost the focus, or a tree is being drawn anew.
    if (next instanceof Node && !(this.#field?.contains(next) ?? false)) {
      this.#dismiss();
    }
  };

  readonly #onMoved = (event?: Event) => {
    if (event?.target instanceof Node && this.contains(event.target)) {
      return;
    }
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#place();
    });
  };

  /** Finds the place of the popup anew: a change around the face may have moved it. */
  readonly #onDrawn = () => {
    this.#isDrawnAnew = true;
    this.#onMoved();
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
    if (isOut(anchor) && this.#isDrawnAnew) {
      // Not the person has moved it, but an author.
      face.scrollIntoView({block: 'nearest'});
      anchor = face.getBoundingClientRect();
    }
    this.#isDrawnAnew = false;
    if (isOut(anchor)) {
      this.#dismiss();
      return;
    }
    const scrolled = this.querySelector('.face-scroll');
    const scrollTop = scrolled?.scrollTop ?? 0;
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
    if (scrolled) scrolled.scrollTop = scrollTop;
  }
}
