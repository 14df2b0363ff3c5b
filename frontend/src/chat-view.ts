/** The layout of a chat: history, header, transcript or start screen, composer. */
import {html, nothing} from 'lit';
import type {Chat} from './chat.js';
import {lazyElements} from './lazy-elements.js';
import {exportedParts} from './views/exported-parts.js';
import {renderStatusRow} from './views/status-row.js';

/** A chat and the state of the element that shows it. */
export interface ChatView {
  /** The element to update when a lazy element has loaded. */
  readonly host: Parameters<typeof lazyElements.demand>[1];
  readonly chat: Chat;
  /** Whether there is no thread yet, and none is loading. */
  readonly isNew: boolean;
  /** Whether the history is a column beside the chat. */
  readonly isDocked: boolean;
  readonly isOffline: boolean;
  /** Whether the end of the transcript is out of view. */
  readonly isScrolledUp: boolean;
  readonly wasScrolledUp: boolean;
  readonly onScrollChange: (event: Event) => void;
  readonly toLatest: () => void;
}

/** Renders the whole chat. */
export function renderChat(view: ChatView) {
  const {host, chat, isNew, isDocked} = view;
  const {settings, conversation} = chat;
  const {thread} = conversation.state;
  const isHistoryOpen = chat.isHistoryOpen && !isDocked;
  return html`<div class="root print-whole" part="root" role="region" aria-label=${settings.frameTitle} lang="en">
    ${isDocked ? html`<div class="side no-print">${lazyElements.demand('parlor-history', host) === 'ready' ? renderHistory(chat, true) : nothing}</div>` : nothing}
    <div class="chat print-whole" ?inert=${isHistoryOpen}>
      ${
        settings.header.enabled
          ? html`<parlor-header exportparts=${exportedParts}
            .settings=${settings}
            .title_=${thread?.title ?? ''}
            .inThread=${!isNew}
            .historyOpen=${isHistoryOpen}
            .docked=${isDocked}
          ></parlor-header>`
          : nothing
      }
      <div class="main print-whole">
        ${renderMain(view)}
      </div>
      <div class="footer">
        ${renderFooter(view)}
      </div>
    </div>
    ${
      (settings.composer.attachments || settings.pageDrop) && lazyElements.demand('parlor-drop-zone', host) === 'ready'
        ? html`<parlor-drop-zone exportparts=${exportedParts}
            .onPage=${settings.pageDrop}
            .disabled=${!settings.composer.attachments || isHistoryOpen || (thread?.status.type ?? 'active') !== 'active'}
          ></parlor-drop-zone>`
        : nothing
    }
    ${isHistoryOpen ? renderHistory(chat, false) : nothing}
  </div>`;
}

/** Renders the transcript, or the start screen of a new thread. */
function renderMain({chat, isNew, onScrollChange}: ChatView) {
  const {settings, conversation} = chat;
  const {state, loadingId} = conversation;
  return isNew
    ? html`<parlor-start-screen exportparts=${exportedParts}
      .greeting=${settings.greeting}
      .prompts=${settings.prompts}
      .disabled=${!settings.endpoint}
    ></parlor-start-screen>`
    : html`<parlor-messages exportparts=${exportedParts}
      .state=${state}
      .isLoading=${loadingId !== undefined}
      .autoScroll=${settings.autoScroll}
      .canRetry=${settings.retry && (state.thread?.status.type ?? 'active') === 'active'}
      .canRate=${settings.feedback}
      .imageDomains=${chat.imageDomains}
      @scroll-change=${onScrollChange}
    ></parlor-messages>`;
}

/** Renders the status row, alerts, the composer and the disclaimer. */
function renderFooter({chat, isNew, isOffline, isScrolledUp, wasScrolledUp, toLatest}: ChatView) {
  const {settings, conversation} = chat;
  const {state, loadingId} = conversation;
  return html`${renderStatusRow({
    isOffline,
    isReconnecting: state.isReconnecting,
    isScrolledUp: !isNew && isScrolledUp,
    keepsSpace: !isNew && wasScrolledUp,
    toLatest,
  })}
  <parlor-notices class="no-print" exportparts=${exportedParts}
    .alertText=${chat.alertText}
    .canRetryAlert=${chat.canRetryAlert}
    .imageDomains=${chat.imageDomains}
  ></parlor-notices>
  <parlor-composer class="no-print" exportparts=${exportedParts}
    .placeholder=${settings.placeholder}
    .status=${state.thread?.status ?? {type: 'active'}}
    .isResponding=${state.isResponding}
    .isBlocked=${loadingId !== undefined || !settings.endpoint}
    .canCancel=${state.canCancel}
    .pendingInput=${conversation.pendingInput}
    .tools=${settings.tools}
    .toolId=${chat.chosen.toolId}
    .models=${settings.models}
    .modelId=${chat.chosen.modelId}
    .attachments=${settings.composer.attachments}
    .uploads=${chat.sideRequests.uploads.list}
    .entities=${settings.composer.entities}
    .commands=${settings.composer.commands}
    .hasDictation=${settings.composer.hasDictation}
    .tellsDraft=${settings.drafts}
    .maxChars=${settings.maxChars}
  ></parlor-composer>
  ${
    settings.disclaimer
      ? html`<div class="disclaimer ${settings.disclaimer.highContrast ? 'strong' : ''}">
        <parlor-markdown exportparts=${exportedParts} .text=${settings.disclaimer.text} .imageDomains=${settings.imageDomains}></parlor-markdown>
      </div>`
      : nothing
  }`;
}

function renderHistory({settings, threads, conversation}: Chat, isDocked: boolean) {
  return html`<parlor-history class="no-print" exportparts=${exportedParts}
    ?docked=${isDocked}
    .list=${threads.state}
    .currentId=${conversation.state.thread?.id}
    .showDelete=${settings.history.showDelete}
    .showRename=${settings.history.showRename}
  ></parlor-history>`;
}
