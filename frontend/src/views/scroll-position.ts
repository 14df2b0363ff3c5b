/**
 * Controls the scroll position of the transcript: when a question is asked, an answer grows, or an older page is added
 * above.
 */
import type {LitElement} from 'lit';
import type {ThreadState} from '../thread/thread-state.js';
import {hasNews} from './turn-tail.js';

/** The gap between the upper edge and the newest question. */
const QUESTION_GAP_PX = 16;
const END_GAP_PX = 24;
/** Within this distance from the end, the user counts as following the answer. */
const NEAR_END_PX = 104;
/** The end counts as hidden when it is further than this below the edge. */
const HIDDEN_PX = 4;
/** Within this distance from the top, the next older page is fetched. */
const OLDER_PX = 300;

/** The transcript, whose shadow root holds `.scroller`, in it `.column`, the `.exchange`s and the `.end`. */
export interface Transcript extends LitElement {
  readonly state: ThreadState;
  readonly isLoading: boolean;
  readonly autoScroll: boolean;
}

export interface ScrollEvents {
  /** The end of the transcript was scrolled into or out of view. */
  readonly scrollChanged: () => void;
  /** The view is near the top, and there may be more above. */
  readonly nearTop: () => void;
}

export class ScrollPosition {
  readonly #view: Transcript;
  readonly #events: ScrollEvents;
  #isScrolledUp = false;
  #anchoredKey: string | undefined;
  /** Whether the view stays at the bottom while a just opened thread is laid out; ends when the user scrolls. */
  #isPinned = false;
  /** Whether a new question was just scrolled to the top, while the layout around it still changes. */
  #isSettling = false;
  #isEndVisible = true;
  /** Whether a new failure or notice below the last turn is scrolled into view while it is laid out. */
  #isRevealing = false;
  /** The scroll position when an action began; a user who is still there waits for its result. */
  #actionTop: number | undefined;
  #lastTop = 0;
  /** The distance to the bottom to keep when a page is added above, in browsers without scroll anchoring. */
  #distanceToBottom: number | undefined;
  /** The exchanges in view before a page was added above them, with their positions. */
  #visible: readonly {readonly exchange: Element; readonly top: number}[] = [];
  #sizeObserver: ResizeObserver | undefined;

  constructor(view: Transcript, events: ScrollEvents) {
    this.#view = view;
    this.#events = events;
  }

  /** Whether something is hidden below the lower edge. */
  get isScrolledUp(): boolean {
    return this.#isScrolledUp;
  }

  /** Key of the question that stays at the top while its answer grows. */
  get anchoredKey(): string | undefined {
    return this.#anchoredKey;
  }

  /** Starts observing sizes and scrolling; called after the first render, and whenever the view is connected again. */
  connect(): void {
    const scroller = this.#scroller;
    const column = this.#view.renderRoot.querySelector('.column');
    if (!scroller || !column || typeof ResizeObserver === 'undefined') return;
    this.#sizeObserver = new ResizeObserver(() => {
      // Set only when changed: a size that depends on this property would cause an endless loop.
      const height = `${scroller.clientHeight}px`;
      if (this.#view.style.getPropertyValue('--parlor-viewport') !== height) {
        this.#view.style.setProperty('--parlor-viewport', height);
      }
      this.#followSize();
    });
    this.#sizeObserver.observe(scroller);
    this.#sizeObserver.observe(column);
    scroller.addEventListener('scroll', this.#onScroll, {passive: true});
  }

  disconnect(): void {
    this.#sizeObserver?.disconnect();
    this.#sizeObserver = undefined;
  }

  /** Decides where to scroll, before another state is rendered. */
  beforeRender(state: ThreadState, before: ThreadState | undefined): void {
    const [first] = state.entries;
    // Compares all entries, since a refresh may remove the first one.
    const keys = new Set(before?.entries.map(({key}) => key));
    const isSameThread = before !== undefined && state.entries.some(({key}) => keys.has(key));
    const question = state.entries.findLast(({item}) => item.type === 'user_message');
    const oldQuestion = before?.entries.findLast(({item}) => item.type === 'user_message');
    // Read rarely: reading the scroll position makes browsers compute the layout.
    if (state.isResponding && !before?.isResponding) {
      this.#actionTop = question?.key === oldQuestion?.key ? this.#scroller?.scrollTop : undefined;
    }
    this.#isRevealing = hasNews(state, before)
      ? this.#isEndVisible || (this.#actionTop !== undefined && this.#actionTop === this.#scroller?.scrollTop)
      : this.#isRevealing && hasNews(state);
    if (state.isResponding && question && question.key !== oldQuestion?.key) {
      this.#anchoredKey = question.key;
      this.#isPinned = false;
      this.#isEndVisible = true;
    } else if (!isSameThread && first) {
      // The same view as before a reload: the newest question at the top, unless its answer is longer than the view.
      this.#anchoredKey = question?.key;
      this.#isPinned = true;
    } else if (isSameThread && first?.key !== before?.entries[0]?.key) {
      this.#keepPlace();
    }
  }

  /**
   * Scrolls to the place that was decided, after a render.
   *
   * @param hasState Whether the state has changed, and not only other properties.
   */
  afterRender(hasState: boolean, before: ThreadState | undefined): void {
    this.#restorePlace();
    if (
      hasState &&
      this.#anchoredKey !== undefined &&
      !this.#isPinned &&
      !before?.entries.some(({key}) => key === this.#anchoredKey)
    ) {
      this.#settleQuestion();
    }
    this.#followSize();
  }

  scrollToLatest(): void {
    const prefersReducedMotion = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#scrollBy(this.#distanceToEnd, prefersReducedMotion ? 'auto' : 'smooth');
  }

  /** Stops all automatic scrolling, since the user has taken over. */
  release(): void {
    this.#isPinned = false;
    this.#isSettling = false;
    this.#isRevealing = false;
    this.#distanceToBottom = undefined;
  }

  /**
   * Scrolls the newest question to the top, and again while the layout settles: the composer shrinks, and turns above
   * are no longer laid out once they are out of view, which makes browsers scroll back.
   */
  #settleQuestion(): void {
    this.#isSettling = true;
    this.#scrollToQuestion();
    requestAnimationFrame(() => requestAnimationFrame(() => this.#finishSettling()));
  }

  #finishSettling(): void {
    if (this.#isSettling) this.#scrollToQuestion();
    this.#isSettling = false;
    // The answer may be longer than the view by now.
    this.#followSize();
  }

  /** Scrolls the newest question to the top, so that its answer has the whole view to grow into. */
  #scrollToQuestion(): void {
    const exchange = this.#view.renderRoot.querySelector('.exchange.anchored');
    const scroller = this.#scroller;
    if (!exchange || !scroller) return;
    const top = exchange.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    this.#scrollBy(top - QUESTION_GAP_PX, 'auto');
  }

  // Not `scrollIntoView`: that would scroll the page around the element as well.
  #scrollBy(distance: number, behavior: ScrollBehavior): void {
    this.#scroller?.scrollBy({top: distance, behavior});
  }

  /** Distance from the lower edge to the end of the transcript; negative when the end is above the edge. */
  get #distanceToEnd(): number {
    const end = this.#view.renderRoot.querySelector('.end');
    const scroller = this.#scroller;
    if (!end || !scroller) return 0;
    return end.getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom + END_GAP_PX;
  }

  #onScroll = (): void => {
    const scroller = this.#scroller;
    if (!scroller) return;
    // New words push the end away too, so only scrolling up ends the following.
    const isFollowing = this.#isEndVisible && scroller.scrollTop >= this.#lastTop;
    this.#lastTop = scroller.scrollTop;
    this.#measureEnd();
    this.#isEndVisible ||= isFollowing;
    const {state, isLoading} = this.#view;
    if (scroller.scrollTop < OLDER_PX && state?.older && !isLoading && !this.#isPinned) this.#events.nearTop();
  };

  #measureEnd(): void {
    const distance = this.#distanceToEnd;
    this.#isEndVisible = distance < NEAR_END_PX;
    this.#setScrolledUp(distance - END_GAP_PX > HIDDEN_PX);
  }

  #setScrolledUp(isScrolledUp: boolean): void {
    if (isScrolledUp === this.#isScrolledUp) return;
    this.#isScrolledUp = isScrolledUp;
    this.#events.scrollChanged();
  }

  #followSize(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    if (this.#distanceToBottom !== undefined) {
      scroller.scrollTop = scroller.scrollHeight - this.#distanceToBottom;
    } else if (this.#isPinned) {
      scroller.scrollTop = scroller.scrollHeight;
    } else if (this.#isSettling) {
      this.#scrollToQuestion();
    } else if (this.#isRevealing || (this.#view.autoScroll && this.#isEndVisible && this.#view.state?.isResponding)) {
      if (this.#distanceToEnd > 0) this.#scrollBy(this.#distanceToEnd, 'auto');
    }
    if (!(this.#view.autoScroll && this.#view.state?.isResponding)) this.#measureEnd();
  }

  #keepPlace(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    if (typeof CSS !== 'undefined' && CSS.supports?.('overflow-anchor', 'auto')) {
      // Scroll anchoring of browsers does not work at the very top, nor right after a scroll.
      const {top} = scroller.getBoundingClientRect();
      this.#visible = [...scroller.querySelectorAll('.exchange')]
        .map(exchange => ({exchange, ...boundsOf(exchange)}))
        .filter(({bottom}) => bottom > top);
    } else {
      this.#distanceToBottom = scroller.scrollHeight - scroller.scrollTop;
    }
  }

  #restorePlace(): void {
    // The first one may have been merged into the exchange that begins above it.
    const anchor = this.#visible.find(({exchange}) => exchange.isConnected);
    this.#visible = [];
    const shift = anchor ? boundsOf(anchor.exchange).top - anchor.top : 0;
    if (shift !== 0) this.#scrollBy(shift, 'auto');
  }

  get #scroller(): HTMLElement | null {
    return this.#view.renderRoot?.querySelector('.scroller') ?? null;
  }
}

function boundsOf(element: Element): {readonly top: number; readonly bottom: number} {
  const {top, bottom} = element.getBoundingClientRect();
  return {top, bottom};
}
