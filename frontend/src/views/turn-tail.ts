/** The end of the transcript, below its last item: progress, notices, failure. */
import {html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {express} from '../intents.js';
import {strings} from '../strings.js';
import type {Entry, ThreadState} from '../thread/thread-state.js';
import {exportedParts} from './exported-parts.js';

/** Whether there is a failure or a notice that was not there `before`. */
export function hasNews({failure, notices}: ThreadState, before?: ThreadState): boolean {
  const notice = notices.at(-1);
  return (
    (failure !== undefined && failure !== before?.failure) ||
    (notice !== undefined && notice !== before?.notices.at(-1))
  );
}

/** Below half an answer: that it is one, and the way to a whole one. */
export function renderCut(host: EventTarget, text: string, canRetry: boolean) {
  return html`<div class="failure cut">
    ${icon('info', '18')}<span class="words">${text}</span>
    ${
      canRetry
        ? html`<button type="button" class="text-button" @click=${() => express(host, {type: 'retry'})}>${icon('reload', '16')}${strings.tryAgain}</button>`
        : nothing
    }
  </div>`;
}

/** @param visible The part of the answer that is shown so far; `host` expresses what is clicked. */
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
              ? html`<button type="button" class="text-button" @click=${() => express(host, {type: 'retry'})}>${icon('reload', '16')}${strings.tryAgain}</button>`
              : nothing
          }
        </div>`
        : nothing
    }
    <div class="end"></div>`;
}
