/** `<parlor-messages>`: the scrolling transcript, one exchange (question and answer) after the other. */
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import {guard} from 'lit/directives/guard.js';
import {repeat} from 'lit/directives/repeat.js';
import {express, IntentEvent, relayTo} from '../intents.js';
import {lazyElements} from '../lazy-elements.js';
import type {ThreadItem} from '../protocol/types.js';
import {strings} from '../strings.js';
import {cutOf, type Entry, findPendingInput, type ThreadState} from '../thread/thread-state.js';
import {announceAnswer} from './announcement.js';
import {type Exchange, toExchanges} from './exchanges.js';
import {exportedParts} from './exported-parts.js';
import {renderLazy} from './lazy-view.js';
import {messagesStyles} from './messages-style.js';
import {collectSources} from './source.js';
import type {SourcesView} from './sources.js';
import {baseStyles, buttonStyles, lazyStyles, shimmerStyles} from './styles.js';
import {moveBetweenTurns} from './turn-keys.js';
import {hasNews, renderCut, renderTail} from './turn-tail.js';
import {visibleItems} from './visible-items.js';

/** Between the upper edge and the newest question. */
const QUESTION_GAP_PX = 16;
const END_GAP_PX = 24;
/** Closer to the end than this counts as reading along. */
const NEAR_END_PX = 104;
/** More than this below the edge counts as hidden. */
const HIDDEN_PX = 4;
/** Closer to the top than this, the next older page is fetched. */
const OLDER_PX = 300;

export class MessagesView extends LitElement {
  static override properties = {
    state: {attribute: false},
    isLoading: {attribute: false},
    autoScroll: {attribute: false},
    canRetry: {attribute: false},
    canRate: {attribute: false},
    imageDomains: {attribute: false},
  };
  static override styles = [baseStyles, buttonStyles, shimmerStyles, lazyStyles, messagesStyles];

  declare state: ThreadState;
  declare isLoading: boolean;
  declare autoScroll: boolean;
  declare canRetry: boolean;
  declare canRate: boolean;
  declare imageDomains: readonly string[];

  #isAway = false;
  #anchoredKey: string | undefined;
  /** Kept at the bottom while a freshly opened thread lays itself out; ends with the first scroll by a person. */
  #isPinned = false;
  /** A question has just been brought to the top, and what is around it still changes its size. */
  #isSettling = false;
  #isEndVisible = true;
  /** A failure or a notice that has just come below the last turn is brought into view while it lays itself out. */
  #isRevealing = false;
  /** Where the view stood when an action began: who is still there waits for what comes of it. */
  #actedAt: number | undefined;
  #lastTop = 0;
  /** Distance to the bottom that a page put above must not change, where the browser does not see to it. */
  #distanceToBottom: number | undefined;
  /** The exchanges that were in sight before a page came above them, and their places. */
  #inSight: readonly {readonly exchange: Element; readonly top: number}[] = [];
  #sizes: ResizeObserver | undefined;
  #announcement = '';
  #exchanges: readonly Exchange[] = [];

  constructor() {
    super();
    this.isLoading = false;
    this.autoScroll = false;
    this.canRetry = false;
    this.canRate = false;
    this.imageDomains = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sizes?.disconnect();
    this.#sizes = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Most answers have steps, and a step must not wait for its looks.
    void lazyElements.load('parlor-workflow');
    if (this.hasUpdated) this.#observe();
  }

  protected override firstUpdated(): void {
    this.#observe();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('state') as ThreadState | undefined;
    if (!changed.has('state') || !this.state) return;
    if (this.state.isResponding) this.#announcement = '';
    else if (before?.isResponding) {
      this.#announcement = announceAnswer((toExchanges(this.state.entries).at(-1)?.answer ?? []).map(({item}) => item));
    }
    const [first] = this.state.entries;
    // By any entry: a refresh may take the first one away.
    const keys = new Set(before?.entries.map(({key}) => key));
    const isSameThread = before !== undefined && this.state.entries.some(({key}) => keys.has(key));
    const question = this.state.entries.findLast(({item}) => item.type === 'user_message');
    const oldQuestion = before?.entries.findLast(({item}) => item.type === 'user_message');
    // Asked for seldom: browsers lay out what has changed to tell where they stand.
    if (this.state.isResponding && !before?.isResponding) {
      this.#actedAt = question?.key === oldQuestion?.key ? this.#scroller?.scrollTop : undefined;
    }
    this.#isRevealing = hasNews(this.state, before)
      ? this.#isEndVisible || (this.#actedAt !== undefined && this.#actedAt === this.#scroller?.scrollTop)
      : this.#isRevealing && hasNews(this.state);
    if (this.state.isResponding && question && question.key !== oldQuestion?.key) {
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

  protected override updated(changed: PropertyValues<this>): void {
    this.#restorePlace();
    const before = changed.get('state') as ThreadState | undefined;
    if (
      changed.has('state') &&
      this.#anchoredKey !== undefined &&
      !this.#isPinned &&
      !before?.entries.some(({key}) => key === this.#anchoredKey)
    ) {
      this.#settleQuestion();
    }
    this.#followSize();
  }

  override render() {
    if (!this.state) return nothing;
    const exchanges = this.isLoading ? [] : toExchanges(this.state.entries, this.#exchanges);
    this.#exchanges = exchanges;
    const {isResponding} = this.state;
    // Nothing in the log is read out by itself: an answer would be said in pieces, and again when its code is coloured.
    return html`<div
        class="scroller print-whole"
        part="transcript"
        role="log"
        aria-label=${strings.transcript}
        aria-busy=${String(isResponding || this.isLoading)}
        aria-live="off"
        tabindex="0"
        @wheel=${this.#release}
        @touchmove=${this.#release}
        @pointerdown=${this.#release}
        @keydown=${this.#onKey}
        @parlor-intent=${relayTo(this)}
      >
        <div class="column">
          ${
            this.isLoading
              ? html`<div class="skeleton" role="status" aria-label=${strings.loadingThread}><div></div><div></div><div></div><div></div></div>`
              : nothing
          }
          ${
            this.state.older && !this.isLoading
              ? html`<div class="older">
                <button type="button" class="text-button" @click=${() => express(this, {type: 'load-older'})}>${strings.loadOlder}</button>
                <p class="print-only">${strings.olderNotPrinted}</p>
              </div>`
              : nothing
          }
          ${repeat(
            exchanges,
            ({key}) => key,
            (exchange, at) => this.#unlessSame(exchange, at === exchanges.length - 1),
          )}
          ${exchanges.length === 0 && !this.isLoading ? renderTail(this, this.state) : nothing}
        </div>
      </div>
      <div class="visually-hidden" role="status">${this.#announcement}</div>
`;
  }

  /** Whether something is hidden below the lower edge; `away-change` says when that changes. */
  get isAway(): boolean {
    return this.#isAway;
  }

  scrollToLatest(): void {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#scrollBy(this.#distanceToEnd, isCalm ? 'auto' : 'smooth');
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
    const exchange = this.renderRoot.querySelector('.exchange.anchored');
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
    const end = this.renderRoot.querySelector('.end');
    const scroller = this.#scroller;
    if (!end || !scroller) return 0;
    return end.getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom + END_GAP_PX;
  }

  /** Draws an exchange only when something that it shows has changed: the last one changes with every word. */
  #unlessSame(exchange: Exchange, isLast: boolean) {
    const {ratings, isResponding} = this.state;
    const hasWidget = exchange.answer.some(({item}) => item.type === 'widget');
    const seen = [exchange, this.imageDomains, ratings, this.canRate, isLast, isLast && this.canRetry];
    const sources = collectSources(exchange.answer.map(({item}) => item));
    const presence = sources.length > 0 && lazyElements.demand('parlor-sources', this);
    const changing = isLast ? this.state : hasWidget && isResponding;
    return guard([...seen, presence, changing], () => this.#exchange(exchange, isLast));
  }

  #exchange({key, question, answer}: Exchange, isLast: boolean) {
    const {isResponding} = this.state;
    const isDone = !(isLast && isResponding);
    // What is asked in the composer's place is not asked twice.
    const isAsked = ({type}: ThreadItem): boolean => type === 'structured_input' && isLast && isDone && this.#isAsking;
    const visible = visibleItems(answer).filter(({item}) => !isAsked(item));
    const isUnanswered = isLast && question !== undefined && answer.length === 0 && this.state.isAsRead;
    const cut = isUnanswered
      ? 'unanswered'
      : isDone
        ? answer.map(({item}) => cutOf(item)).findLast(each => each !== undefined)
        : undefined;
    const canTryAgain = this.canRetry && isLast && question !== undefined;
    const sources = collectSources(answer.map(({item}) => item));
    const message = (entry: Entry) =>
      html`<parlor-message exportparts=${exportedParts}
        .entry=${entry}
        .busy=${isResponding && entry.item.type === 'widget'}
        .imageDomains=${this.imageDomains}
        .sources=${sources}
      ></parlor-message>`;
    return html`<div
      class="exchange ${isLast && key === this.#anchoredKey ? 'anchored' : ''}"
      role="group"
      aria-label=${question ? strings.exchange : strings.assistantSaid}
      tabindex="-1"
      @parlor-intent=${this.#onTurnIntent}
    >
      ${question ? html`<article aria-label=${strings.youSaid}><h3 class="visually-hidden">${strings.youSaid}</h3>${message(question)}</article>` : nothing}
      ${
        visible.length > 0 || isLast
          ? html`<article class="answer" aria-label=${strings.assistantSaid}>
            ${visible.length > 0 ? html`<h3 class="visually-hidden">${strings.assistantSaid}</h3>` : nothing}
            ${repeat(visible, entry => entry.key, message)}
            ${
              sources.length > 0
                ? renderLazy(
                    'parlor-sources',
                    this,
                    () => html`<parlor-sources exportparts=${exportedParts} .sources=${sources}></parlor-sources>`,
                    'line',
                  )
                : nothing
            }
            ${
              isDone && visible.length > 0 && !visible.some(({item}) => isWaiting(item))
                ? html`<parlor-turn-actions class="no-print" exportparts=${exportedParts}
                  .items=${answer.map(entry => entry.item)}
                  .canRate=${this.canRate}
                  .stored=${answer.map(({item}) => this.state.ratings.get(item.id)).find(kind => kind !== undefined)}
                  .canRetry=${canTryAgain && cut === undefined}
                ></parlor-turn-actions>`
                : nothing
            }
            ${cut === undefined || (isLast && this.state.failure) ? nothing : renderCut(this, strings[cut], isLast && question !== undefined)}
            ${isLast ? renderTail(this, this.state, visible) : nothing}
          </article>`
          : nothing
      }
    </div>`;
  }

  get #isAsking(): boolean {
    return findPendingInput(this.state) !== undefined && (this.state.thread?.status.type ?? 'active') === 'active';
  }

  #onTurnIntent = (event: Event): void => {
    if (!(event instanceof IntentEvent) || event.intent.type !== 'show-source') return;
    event.stopPropagation();
    const turn = event.currentTarget as Element;
    void turn.querySelector<SourcesView>('parlor-sources')?.show?.(event.intent.key);
  };

  #observe(): void {
    const scroller = this.#scroller;
    const column = this.renderRoot.querySelector('.column');
    if (!scroller || !column || typeof ResizeObserver === 'undefined') return;
    this.#sizes = new ResizeObserver(() => {
      // Written only when it is another one: a size that follows from what it sets would come back for ever.
      const height = `${scroller.clientHeight}px`;
      if (this.style.getPropertyValue('--parlor-viewport') !== height) {
        this.style.setProperty('--parlor-viewport', height);
      }
      this.#followSize();
    });
    this.#sizes.observe(scroller);
    this.#sizes.observe(column);
    scroller.addEventListener('scroll', this.#onScroll, {passive: true});
  }

  #onScroll = (): void => {
    const scroller = this.#scroller;
    if (!scroller) return;
    // Words that came meanwhile push the end away as well; who wants to read on from above goes up.
    const isFollowed = this.#isEndVisible && scroller.scrollTop >= this.#lastTop;
    this.#lastTop = scroller.scrollTop;
    this.#measureEnd();
    this.#isEndVisible ||= isFollowed;
    if (scroller.scrollTop < OLDER_PX && this.state?.older && !this.isLoading && !this.#isPinned)
      express(this, {type: 'load-older'});
  };

  #measureEnd(): void {
    const distance = this.#distanceToEnd;
    this.#isEndVisible = distance < NEAR_END_PX;
    this.#setAway(distance - END_GAP_PX > HIDDEN_PX);
  }

  #setAway(isAway: boolean): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.dispatchEvent(new Event('away-change'));
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
    } else if (this.#isRevealing || (this.autoScroll && this.#isEndVisible && this.state?.isResponding)) {
      if (this.#distanceToEnd > 0) this.#scrollBy(this.#distanceToEnd, 'auto');
    }
    if (!(this.autoScroll && this.state?.isResponding)) this.#measureEnd();
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

  #onKey = (event: KeyboardEvent): void => {
    this.#release();
    const scroller = this.#scroller;
    if (scroller) moveBetweenTurns(event, scroller, [...scroller.querySelectorAll<HTMLElement>('.exchange')]);
  };

  #release = (): void => {
    this.#isPinned = false;
    this.#isSettling = false;
    this.#isRevealing = false;
    this.#distanceToBottom = undefined;
  };

  get #scroller(): HTMLElement | null {
    return this.renderRoot?.querySelector('.scroller') ?? null;
  }
}

/** A card of the platform that waits for a person's word: there is nothing to copy or to rate yet. */
function isWaiting(item: ThreadItem): boolean {
  return item.type === 'widget' && (item.widget as {readonly id?: unknown}).id === 'parlor.approval';
}

function boundsOf(element: Element): {readonly top: number; readonly bottom: number} {
  const {top, bottom} = element.getBoundingClientRect();
  return {top, bottom};
}
