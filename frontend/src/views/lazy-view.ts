/** Renders lazy elements, with placeholders while they are fetched and when that has failed. */
import {html, type LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {type LazyTag, lazyElements} from '../lazy-elements.js';
import {strings} from '../strings.js';

/**
 * Renders an element by `render` once it is defined; before, an empty placeholder; after a failure, a message with a
 * retry button. The host's styles must include `lazyStyles`.
 */
export function renderLazy(tag: LazyTag, host: LitElement, render: () => unknown, room: 'block' | 'line' = 'block') {
  const state = lazyElements.demand(tag, host);
  if (state === 'ready') return render();
  if (state === 'loading')
    return html`<div class="lazy-room ${room}" role="status" aria-label=${strings.loading}></div>`;
  return html`<div class="lazy-missing" role="alert">
    <span>${strings.partMissing}</span>
    <button type="button" class="text-button" @click=${() => lazyElements.retry(tag, host)}>${strings.tryAgain}</button>
  </div>`;
}

/** Renders an element that is a single button: its placeholder looks the same, and does nothing until it is loaded. */
export function renderLazyButton(
  tag: LazyTag,
  host: LitElement,
  {glyph, label}: {readonly glyph: string; readonly label: string},
  render: () => unknown,
) {
  const state = lazyElements.demand(tag, host);
  if (state === 'ready') return render();
  const isMissing = state === 'missing';
  const name = isMissing ? `${label}. ${strings.partMissing} ${strings.tryAgain}` : label;
  return html`<button
    type="button"
    class="icon-button"
    aria-label=${name}
    title=${name}
    aria-disabled=${isMissing ? nothing : 'true'}
    @click=${() => isMissing && lazyElements.retry(tag, host)}
  >${icon(isMissing ? 'error' : glyph, '20')}</button>`;
}
