/** `<parlor-messages>`: the scrolling transcript, one exchange (question and answer) after the other. */
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {icon} from '../icons.js';
import {lazyElements} from '../lazy-elements.js';
import {strings} from '../strings.js';
import type {Entry, ThreadState} from '../thread.js';
import {announceAnswer} from './announcement.js';
import {exportedParts} from './exported-parts.js';
import {express, relayTo} from './intents.js';
import {renderLazy} from './lazy-view.js';
import {messagesStyles} from './messages-style.js';
import {collectSources} from './source.js';
import {baseStyles, buttonStyles, lazyStyles, shimmerStyles} from './styles.js';
import {moveBetweenTurns} from './turn-keys.js';

/** Between the upper edge and the newest question. */
const QUESTION_GAP_PX = 16;
const END_GAP_PX = 24;
/** Closer to the end than this counts as reading along. */
const NEAR_END_PX = 104;
const AWAY_PX = 184;
/** Closer to the top than this, the next older page is fetched. */
const OLDER_PX = 300;

interface Exchange {
  readonly key: string;
  readonly question: Entry | undefined;
  readonly answer: readonly Entry[];
}

export class MessagesView extends LitElement {
  static override properties = {
    state: {attribute: false},
    isLoading: {attribute: false},
    autoScroll: {attribute: false},
    canRetry: {attribute: false},
    canRate: {attribute: false},
    isAway: {state: true},
  };
  static override styles = [baseStyles, buttonStyles, shimmerStyles, lazyStyles, messagesStyles];

  declare state: ThreadState;
  declare isLoading: boolean;
  declare autoScroll: boolean;
  declare canRetry: boolean;
  declare canRate: boolean;
  declare isAway: boolean;

  #anchoredKey: string | undefined;
  /** Kept at the bottom while a freshly opened thread lays itself out; ends with the first scroll by a person. */
  #isPinned = false;
  #isEndVisible = true;
  /** Distance to the bottom that a page put above must not change, where the browser does not see to it. */
  #distanceToBottom: number | undefined;
  #sizes: ResizeObserver | undefined;
  #announcement = '';

  constructor() {
    super();
    this.isLoading = false;
    this.autoScroll = false;
    this.canRetry = false;
    this.canRate = false;
    this.isAway = false;
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
    if (this.state.isResponding && question && question.key !== oldQuestion?.key) {
      this.#anchoredKey = question.key;
      this.#isPinned = false;
      this.#isEndVisible = true;
    } else if (!isSameThread && first) {
      this.#anchoredKey = undefined;
      this.#isPinned = true;
    } else if (isSameThread && first?.key !== before?.entries[0]?.key) {
      this.#keepPlace();
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    const before = changed.get('state') as ThreadState | undefined;
    if (
      changed.has('state') &&
      this.#anchoredKey !== undefined &&
      !before?.entries.some(({key}) => key === this.#anchoredKey)
    ) {
      this.#scrollToQuestion();
    }
    this.#followSize();
  }

  override render() {
    if (!this.state) return nothing;
    const exchanges = this.isLoading ? [] : toExchanges(this.state.entries);
    const {isResponding} = this.state;
    return html`<div
        class="scroller"
        part="transcript"
        role="log"
        aria-label=${strings.transcript}
        aria-busy=${String(isResponding || this.isLoading)}
        aria-live=${isResponding || this.isLoading ? 'off' : 'polite'}
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
              </div>`
              : nothing
          }
          ${repeat(
            exchanges,
            ({key}) => key,
            (exchange, at) => this.#exchange(exchange, at === exchanges.length - 1),
          )}
          ${exchanges.length === 0 && !this.isLoading ? this.#tail() : nothing}
        </div>
      </div>
      <div class="visually-hidden" role="status">${this.#announcement}</div>
      ${
        this.isAway
          ? html`<button
            type="button"
            class="icon-button to-latest"
            aria-label=${strings.toLatest}
            title=${strings.toLatest}
            @click=${() => this.scrollToLatest()}
          >${icon('arrow-down', '18')}</button>`
          : nothing
      }`;
  }

  scrollToLatest(): void {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#scrollBy(this.#distanceToEnd, isCalm ? 'auto' : 'smooth');
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

  #exchange({key, question, answer}: Exchange, isLast: boolean) {
    const {isResponding, thread} = this.state;
    const isDone = !(isLast && isResponding);
    const visible = answer.filter(({item}) => item.type !== 'end_of_turn' && item.type !== 'client_tool_call');
    const sources = collectSources(answer.map(({item}) => item));
    const message = (entry: Entry) =>
      html`<parlor-message exportparts=${exportedParts}
        .entry=${entry}
        .busy=${isResponding}
        .imageDomains=${thread?.allowedImageDomains}
        .sources=${sources}
      ></parlor-message>`;
    return html`<article
      class="exchange ${isLast && key === this.#anchoredKey ? 'anchored' : ''}"
      aria-label=${question ? strings.youSaid : strings.assistantSaid}
      tabindex="-1"
    >
      ${question ? html`<div><h3 class="visually-hidden">${strings.youSaid}</h3>${message(question)}</div>` : nothing}
      ${
        visible.length > 0 || isLast
          ? html`<div class="answer">
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
              isDone && visible.length > 0
                ? html`<parlor-turn-actions exportparts=${exportedParts}
                  .items=${answer.map(entry => entry.item)}
                  .canRate=${this.canRate}
                  .stored=${answer.map(({item}) => this.state.ratings.get(item.id)).find(kind => kind !== undefined)}
                  .canRetry=${this.canRetry && isLast && question !== undefined}
                ></parlor-turn-actions>`
                : nothing
            }
            ${isLast ? this.#tail(visible) : nothing}
          </div>`
          : nothing
      }
    </article>`;
  }

  /** What follows the last item: progress, notices, failure. */
  #tail(visible: readonly Entry[] = []) {
    const {isResponding, isReconnecting, progress, notices, failure} = this.state;
    const isGrowing = visible.some(entry => entry.isStreaming);
    return html`${
      isReconnecting
        ? html`<div class="progress" role="status"><span class="shimmer">${strings.reconnecting}</span></div>`
        : progress
          ? html`<div class="progress" role="status">${icon(progress.icon ?? 'sparkle', '18')}<span class="shimmer" dir="auto">${progress.text}</span></div>`
          : isResponding && !isGrowing
            ? html`<span class="thinking" role="img" aria-label=${strings.thinking}></span>`
            : nothing
    }
      ${notices.length > 0 ? html`<parlor-notices exportparts=${exportedParts} .notices=${notices}></parlor-notices>` : nothing}
      ${
        failure
          ? html`<div class="failure" role="alert">
            ${icon('error', '18')}<span class="words" dir="auto">${failure.message ?? strings.failedDefault}</span>
            ${
              failure.canRetry && !isResponding
                ? html`<button type="button" class="text-button" @click=${() => express(this, {type: 'retry'})}>${icon('reload', '16')}${strings.tryAgain}</button>`
                : nothing
            }
          </div>`
          : nothing
      }
      <div class="end"></div>`;
  }

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
    this.#measureEnd();
    if (scroller.scrollTop < OLDER_PX && this.state?.older && !this.isLoading && !this.#isPinned)
      express(this, {type: 'load-older'});
  };

  #measureEnd(): void {
    const distance = this.#distanceToEnd;
    this.#isEndVisible = distance < NEAR_END_PX;
    this.isAway = distance > AWAY_PX;
  }

  #followSize(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    if (this.#distanceToBottom !== undefined) {
      scroller.scrollTop = scroller.scrollHeight - this.#distanceToBottom;
    } else if (this.#isPinned) {
      scroller.scrollTop = scroller.scrollHeight;
    } else if (this.autoScroll && this.#isEndVisible && this.state?.isResponding) {
      if (this.#distanceToEnd > 0) this.#scrollBy(this.#distanceToEnd, 'auto');
    }
    if (!(this.autoScroll && this.state?.isResponding)) this.#measureEnd();
  }

  #keepPlace(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    if (typeof CSS !== 'undefined' && CSS.supports?.('overflow-anchor', 'auto')) {
      // Browsers hold the place by themselves, but not at the very top.
      if (scroller.scrollTop < 1) scroller.scrollTop = 1;
    } else {
      this.#distanceToBottom = scroller.scrollHeight - scroller.scrollTop;
    }
  }

  #onKey = (event: KeyboardEvent): void => {
    this.#release();
    const scroller = this.#scroller;
    if (scroller) moveBetweenTurns(event, scroller, [...scroller.querySelectorAll<HTMLElement>('.exchange')]);
  };

  #release = (): void => {
    this.#isPinned = false;
    this.#distanceToBottom = undefined;
  };

  get #scroller(): HTMLElement | null {
    return this.renderRoot?.querySelector('.scroller') ?? null;
  }
}

/** A new exchange starts with every message of the person. */
export function toExchanges(entries: readonly Entry[]): readonly Exchange[] {
  const exchanges: {key: string; question: Entry | undefined; answer: Entry[]}[] = [];
  for (const entry of entries) {
    const last = exchanges.at(-1);
    if (entry.item.type === 'user_message' || !last) {
      const isQuestion = entry.item.type === 'user_message';
      exchanges.push({key: entry.key, question: isQuestion ? entry : undefined, answer: isQuestion ? [] : [entry]});
    } else {
      last.answer.push(entry);
    }
  }
  return exchanges;
}
