/** Placeholders of lazy elements: while one is fetched, and when it cannot be. */
import {html, type LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {type LazyTag, lazyElements} from '../lazy-elements.js';
import {strings} from '../strings.js';

/**
 * Draws `there` once its element is defined; its room until then; a message with a way to try again when it is missing.
 * The host's styles have to know `.lazy-room` and `.lazy-missing`.
 */
export function renderLazy(tag: LazyTag, host: LitElement, there: () => unknown, room: 'block' | 'line' = 'block') {
  const presence = lazyElements.demand(tag, host);
  if (presence === 'there') return there();
  if (presence === 'coming')
    return html`<div class="lazy-room ${room}" role="status" aria-label=${strings.loading}></div>`;
  return html`<div class="lazy-missing" role="alert">
    <span>${strings.partMissing}</span>
    <button type="button" class="text-button" @click=${() => lazyElements.retry(tag, host)}>${strings.tryAgain}</button>
  </div>`;
}

/** A placeholder for an element that is one button: drawn from the start, it does nothing until the element is there. */
export function renderLazyButton(
  tag: LazyTag,
  host: LitElement,
  {glyph, label}: {readonly glyph: string; readonly label: string},
  there: () => unknown,
) {
  const presence = lazyElements.demand(tag, host);
  if (presence === 'there') return there();
  const isMissing = presence === 'missing';
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
