/**
 * The place at which somebody reads the transcript: where the view scrolls when a question is asked, an answer grows,
 * or an older page comes above.
 */
import type {LitElement} from 'lit';
import type {ThreadState} from '../thread/thread-state.js';
import {hasNews} from './turn-tail.js';

/** Between the upper edge and the newest question. */
const QUESTION_GAP_PX = 16;
const END_GAP_PX = 24;
/** Closer to the end than this counts as reading along. */
const NEAR_END_PX = 104;
/** More than this below the edge counts as hidden. */
const HIDDEN_PX = 4;
/** Closer to the top than this, the next older page is fetched. */
const OLDER_PX = 300;

/** The transcript, whose shadow root holds `.scroller`, in it `.column`, the `.exchange`s and the `.end`. */
export interface Transcript extends LitElement {
  readonly state: ThreadState;
  readonly isLoading: boolean;
  readonly autoScroll: boolean;
}

export interface PlaceEvents {
  /** The end of the transcript has come into view, or has gone out of it. */
  readonly awayChanged: () => void;
  /** The view is near the top, and there may be more above. */
  readonly nearTop: () => void;
}

export class ReadingPlace {
  readonly #view: Transcript;
  readonly #events: PlaceEvents;
  #isAway = false;
  #anchoredKey: string | undefined;
  /** Kept at the bottom while a freshly opened thread lays itself out; ends with the first scroll by a person. */
  #isPinned = false;
  /** A question has just been brought to the top, and what is around it still changes its size. */
  #isSettling = false;
  #isEndVisible = true;
  /** A failure or a notice that has just come below the last turn is brought into view while it lays itself out. */
  #isRevealing = false;
  /** Place of the view when an action began: who is still there waits for what comes of it. */
  #actedAt: number | undefined;
  #lastTop = 0;
  /** Distance to the bottom that a page put above must not change, where the browser does not see to it. */
  #distanceToBottom: number | undefined;
  /** The exchanges that were in sight before a page came above them, and their places. */
  #inSight: readonly {readonly exchange: Element; readonly top: number}[] = [];
  #sizes: ResizeObserver | undefined;

  constructor(view: Transcript, events: PlaceEvents) {
    this.#view = view;
    this.#events = events;
  }

  /** Whether something is hidden below the lower edge. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** The key of the question that is held at the top while its answer grows. */
  get anchoredKey(): string | undefined {
    return this.#anchoredKey;
  }

  /** Begins to watch sizes and scrolling; called when the view is drawn, and again when it is back in the page. */
  connect(): void {
    const scroller = this.#scroller;
    const column = this.#view.renderRoot.querySelector('.column');
    if (!scroller || !column || typeof ResizeObserver === 'undefined') return;
    this.#sizes = new ResizeObserver(() => {
      // Written only when it is another one: a size that follows from what it sets would come back for ever.
      const height = `${scroller.clientHeight}px`;
      if (this.#view.style.getPropertyValue('--parlor-viewport') !== height) {
        this.#view.style.setProperty('--parlor-viewport', height);
      }
      this.#followSize();
    });
    this.#sizes.observe(scroller);
    this.#sizes.observe(column);
    scroller.addEventListener('scroll', this.#onScroll, {passive: true});
  }

  disconnect(): void {
    this.#sizes?.disconnect();
    this.#sizes = undefined;
  }

  /** Decides where the view shall stand, before another state is drawn. */
  willDraw(state: ThreadState, before: ThreadState | undefined): void {
    const [first] = state.entries;
    // By any entry: a refresh may take the first one away.
    const keys = new Set(before?.entries.map(({key}) => key));
    const isSameThread = before !== undefined && state.entries.some(({key}) => keys.has(key));
    const question = state.entries.findLast(({item}) => item.type === 'user_message');
    const oldQuestion = before?.entries.findLast(({item}) => item.type === 'user_message');
    // Asked for seldom: browsers lay out what has changed to tell where they stand.
    if (state.isResponding && !before?.isResponding) {
      this.#actedAt = question?.key === oldQuestion?.key ? this.#scroller?.scrollTop : undefined;
    }
    this.#isRevealing = hasNews(state, before)
      ? this.#isEndVisible || (this.#actedAt !== undefined && this.#actedAt === this.#scroller?.scrollTop)
      : this.#isRevealing && hasNews(state);
    if (state.isResponding && question && question.key !== oldQuestion?.key) {
      this.#anchoredKey = question.key;
      this.#isPinned = false;
      this.#isEndVisible = true;
    } else if (!isSameThread && first) {
      // As it looked before a reload: the newest question at the top, unless its answer is longer than the view.
      this.#anchoredKey = question?.key;
      this.#isPinned = true;
    } else if (isSameThread && first?.key !== before?.entries[0]?.key) {
      this.#keepPlace();
    }
  }

  /**
   * Goes where the view shall stand, after something was drawn.
   *
   * @param hasState Whether a state was drawn, and not only a property.
   */
  drawn(hasState: boolean, before: ThreadState | undefined): void {
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
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#scrollBy(this.#distanceToEnd, isCalm ? 'auto' : 'smooth');
  }

  /** Lets the view stand wherever a person takes it. */
  release(): void {
    this.#isPinned = false;
    this.#isSettling = false;
    this.#isRevealing = false;
    this.#distanceToBottom = undefined;
  }

  /**
   * Brings the newest question to the top, again while the view around it settles: the composer shrinks, and the turns
   * above are no longer laid out once they are out of view, which browsers take for a reason to scroll back.
   */
  #settleQuestion(): void {
    this.#isSettling = true;
    this.#scrollToQuestion();
    requestAnimationFrame(() => requestAnimationFrame(() => this.#settled()));
  }

  #settled(): void {
    if (this.#isSettling) this.#scrollToQuestion();
    this.#isSettling = false;
    // The answer may have outgrown the view by now.
    this.#followSize();
  }

  /** Brings the newest question to the top; the answer then has the whole view to grow into. */
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

  /** How far the end of the transcript is below the lower edge; negative when it is above. */
  get #distanceToEnd(): number {
    const end = this.#view.renderRoot.querySelector('.end');
    const scroller = this.#scroller;
    if (!end || !scroller) return 0;
    return end.getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom + END_GAP_PX;
  }

  #onScroll = (): void => {
    const scroller = this.#scroller;
    if (!scroller) return;
    // Words that came meanwhile push the end away as well; who wants to read on from above goes up.
    const isFollowed = this.#isEndVisible && scroller.scrollTop >= this.#lastTop;
    this.#lastTop = scroller.scrollTop;
    this.#measureEnd();
    this.#isEndVisible ||= isFollowed;
    const {state, isLoading} = this.#view;
    if (scroller.scrollTop < OLDER_PX && state?.older && !isLoading && !this.#isPinned) this.#events.nearTop();
  };

  #measureEnd(): void {
    const distance = this.#distanceToEnd;
    this.#isEndVisible = distance < NEAR_END_PX;
    this.#setAway(distance - END_GAP_PX > HIDDEN_PX);
  }

  #setAway(isAway: boolean): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.#events.awayChanged();
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
      // Browsers hold the place by themselves, but not at the very top, and not right after a scroll.
      const {top} = scroller.getBoundingClientRect();
      this.#inSight = [...scroller.querySelectorAll('.exchange')]
        .map(exchange => ({exchange, ...boundsOf(exchange)}))
        .filter(({bottom}) => bottom > top);
    } else {
      this.#distanceToBottom = scroller.scrollHeight - scroller.scrollTop;
    }
  }

  #restorePlace(): void {
    // The first one may have become part of the exchange that begins above it.
    const held = this.#inSight.find(({exchange}) => exchange.isConnected);
    this.#inSight = [];
    const moved = held ? boundsOf(held.exchange).top - held.top : 0;
    if (moved !== 0) this.#scrollBy(moved, 'auto');
  }

  get #scroller(): HTMLElement | null {
    return this.#view.renderRoot?.querySelector('.scroller') ?? null;
  }
}

function boundsOf(element: Element): {readonly top: number; readonly bottom: number} {
  const {top, bottom} = element.getBoundingClientRect();
  return {top, bottom};
}
