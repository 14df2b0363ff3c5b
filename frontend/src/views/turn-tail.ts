/** The end of the transcript, below its last item: progress, notices and failures. */
import {html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {dispatch} from '../intents.js';
import {strings} from '../strings.js';
import type {Entry, ThreadState} from '../thread/thread-state.js';
import {exportedParts} from './exported-parts.js';

/** Whether there is a failure or a notice that `before` did not have. */
export function hasNews({failure, notices}: ThreadState, before?: ThreadState): boolean {
  const notice = notices.at(-1);
  return (
    (failure !== undefined && failure !== before?.failure) ||
    (notice !== undefined && notice !== before?.notices.at(-1))
  );
}

/** Renders the line below an incomplete answer: why it is incomplete, and a button that tries again. */
export function renderCut(host: EventTarget, text: string, canRetry: boolean) {
  return html`<div class="failure cut">
    ${icon('info', '18')}<span class="words">${text}</span>
    ${
      canRetry
        ? html`<button type="button" class="text-button" @click=${() => dispatch(host, {type: 'retry'})}>${icon('reload', '16')}${strings.tryAgain}</button>`
        : nothing
    }
  </div>`;
}

/**
 * @param host Dispatches the intents of the buttons.
 * @param visible The items of the answer that are shown so far.
 */
export function renderTail(host: EventTarget, state: ThreadState, visible: readonly Entry[] = []) {
  const {isResponding, isReconnecting, progress, notices, failure} = state;
  const isGrowing = visible.some(entry => entry.isStreaming);
  return html`${
    progress && !isReconnecting
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
              ? html`<button type="button" class="text-button" @click=${() => dispatch(host, {type: 'retry'})}>${icon('reload', '16')}${strings.tryAgain}</button>`
              : nothing
          }
        </div>`
        : nothing
    }
    <div class="end"></div>`;
}
