/** `<parlor-messages>`: the scrolling transcript, one exchange (question and answer) after the other. */
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import {guard} from 'lit/directives/guard.js';
import {repeat} from 'lit/directives/repeat.js';
import {dispatch, IntentEvent, relayTo} from '../intents.js';
import {lazyElements} from '../lazy-elements.js';
import type {ThreadItem} from '../protocol/types.js';
import {strings} from '../strings.js';
import {type Entry, findCut, findPendingInput, type ThreadState} from '../thread/thread-state.js';
import {announceAnswer} from './announcement.js';
import {type Exchange, toExchanges} from './exchanges.js';
import {exportedParts} from './exported-parts.js';
import {renderLazy} from './lazy-view.js';
import {messagesStyles} from './messages-style.js';
import {ScrollPosition} from './scroll-position.js';
import {collectSources} from './source.js';
import type {SourcesView} from './sources.js';
import {baseStyles, buttonStyles, lazyStyles, shimmerStyles} from './styles.js';
import {moveBetweenTurns} from './turn-keys.js';
import {renderCut, renderTail} from './turn-tail.js';
import {visibleItems} from './visible-items.js';

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

  readonly #scroll = new ScrollPosition(this, {
    scrollChanged: () => this.dispatchEvent(new Event('scroll-change')),
    nearTop: () => dispatch(this, {type: 'load-older'}),
  });
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
    this.#scroll.disconnect();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Most answers have steps, and a step must not wait for the part that draws it.
    void lazyElements.load('parlor-workflow');
    if (this.hasUpdated) this.#scroll.connect();
  }

  protected override firstUpdated(): void {
    this.#scroll.connect();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('state') as ThreadState | undefined;
    if (!changed.has('state') || !this.state) return;
    if (this.state.isResponding) this.#announcement = '';
    else if (before?.isResponding) {
      this.#announcement = announceAnswer((toExchanges(this.state.entries).at(-1)?.answer ?? []).map(({item}) => item));
    }
    this.#scroll.beforeRender(this.state, before);
  }

  protected override updated(changed: PropertyValues<this>): void {
    this.#scroll.afterRender(changed.has('state'), changed.get('state') as ThreadState | undefined);
  }

  override render() {
    if (!this.state) return nothing;
    const exchanges = this.isLoading ? [] : toExchanges(this.state.entries, this.#exchanges);
    this.#exchanges = exchanges;
    const {isResponding} = this.state;
    // Not a live region: an answer would be read out in pieces, and again when its code is coloured.
    return html`<div
        class="scroller print-whole"
        part="transcript"
        role="log"
        aria-label=${strings.transcript}
        aria-busy=${String(isResponding || this.isLoading)}
        aria-live="off"
        tabindex="0"
        @wheel=${this.#stopFollowing}
        @touchmove=${this.#stopFollowing}
        @pointerdown=${this.#stopFollowing}
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
                <button type="button" class="text-button" @click=${() => dispatch(this, {type: 'load-older'})}>${strings.loadOlder}</button>
                <p class="print-only">${strings.olderNotPrinted}</p>
              </div>`
              : nothing
          }
          ${repeat(
            exchanges,
            ({key}) => key,
            (exchange, at) => this.#exchangeIfChanged(exchange, at === exchanges.length - 1),
          )}
          ${exchanges.length === 0 && !this.isLoading ? renderTail(this, this.state) : nothing}
        </div>
      </div>
      <div class="visually-hidden" role="status">${this.#announcement}</div>
`;
  }

  /** Whether part of the transcript is hidden below the lower edge; a change dispatches `scroll-change`. */
  get isScrolledUp(): boolean {
    return this.#scroll.isScrolledUp;
  }

  scrollToLatest(): void {
    this.#scroll.scrollToLatest();
  }

  /** Renders an exchange again only if something that it shows has changed: the last one changes with every word. */
  #exchangeIfChanged(exchange: Exchange, isLast: boolean) {
    const {ratings, isResponding} = this.state;
    const hasWidget = exchange.answer.some(({item}) => item.type === 'widget');
    const dependencies = [exchange, this.imageDomains, ratings, this.canRate, isLast, isLast && this.canRetry];
    const sources = collectSources(exchange.answer.map(({item}) => item));
    const sourcesState = sources.length > 0 && lazyElements.demand('parlor-sources', this);
    const stateIfShown = isLast ? this.state : hasWidget && isResponding;
    return guard([...dependencies, sourcesState, stateIfShown], () => this.#exchange(exchange, isLast));
  }

  #exchange({key, question, answer}: Exchange, isLast: boolean) {
    const {isResponding} = this.state;
    const isDone = !(isLast && isResponding);
    // Questions that take the composer's place are not shown here as well.
    const isShownInComposer = ({type}: ThreadItem): boolean =>
      type === 'structured_input' && isLast && isDone && this.#hasOpenQuestions;
    const visible = visibleItems(answer).filter(({item}) => !isShownInComposer(item));
    const isUnanswered = isLast && question !== undefined && answer.length === 0 && this.state.isAsLoaded;
    const cut = isUnanswered
      ? 'unanswered'
      : isDone
        ? answer.map(({item}) => findCut(item)).findLast(reason => reason !== undefined)
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
      class="exchange ${isLast && key === this.#scroll.anchoredKey ? 'anchored' : ''}"
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
              isDone && visible.length > 0 && !visible.some(({item}) => isAwaitingApproval(item))
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

  get #hasOpenQuestions(): boolean {
    return findPendingInput(this.state) !== undefined && (this.state.thread?.status.type ?? 'active') === 'active';
  }

  #onTurnIntent = (event: Event): void => {
    if (!(event instanceof IntentEvent) || event.intent.type !== 'show-source') return;
    event.stopPropagation();
    const turn = event.currentTarget as Element;
    void turn.querySelector<SourcesView>('parlor-sources')?.show?.(event.intent.key);
  };

  #onKey = (event: KeyboardEvent): void => {
    this.#stopFollowing();
    const scroller = this.renderRoot.querySelector<HTMLElement>('.scroller');
    if (scroller) moveBetweenTurns(event, scroller, [...scroller.querySelectorAll<HTMLElement>('.exchange')]);
  };

  #stopFollowing = (): void => this.#scroll.release();
}

/** Whether the item is a card of Parlor that waits for approval: there is nothing to copy or to rate yet. */
function isAwaitingApproval(item: ThreadItem): boolean {
  return item.type === 'widget' && (item.widget as {readonly id?: unknown}).id === 'parlor.approval';
}
