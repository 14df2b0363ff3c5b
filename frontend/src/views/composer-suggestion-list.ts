/** The listbox of suggestions after `@` and `/`, referenced by the text field. */
import {html, nothing} from 'lit';
import {hasIcon, icon} from '../icons/icons.js';
import {isSafeImage} from '../links.js';
import {strings} from '../strings.js';
import type {Suggestion, SuggestionState} from './composer-suggestions.js';

export interface SuggestionHandlers {
  readonly choose: (index: number) => void;
  readonly point: (index: number) => void;
}

/** Renders the list above the field, in the field's shadow root, since ids work only within one root. */
export function renderSuggestions(state: SuggestionState, handlers: SuggestionHandlers) {
  const groups = collectGroups(state.suggestions);
  // An empty listbox is not valid; the field announces the note that stands in its place.
  const isList = state.suggestions.length > 0 || state.status === 'searching';
  let index = -1;
  return html`<div
      class="suggestions"
      part="suggestions"
      id="suggestions"
      role=${isList ? 'listbox' : nothing}
      aria-label=${isList ? state.source.label : nothing}
      aria-busy=${String(state.status === 'searching')}
      @mousedown=${keepFocus}
    >
      ${[...groups].map(([group, members], at) => {
        const options = members.map(suggestion => {
          index += 1;
          return renderOption(suggestion, index, index === state.active, handlers);
        });
        return group === undefined
          ? options
          : html`<div role="group" aria-labelledby=${`group-${at}`}>
              <div class="group" id=${`group-${at}`} role="presentation"><bdi>${group}</bdi></div>
              ${options}
            </div>`;
      })}
      ${state.suggestions.length > 0 ? nothing : html`<div class="note">${announcementOf(state)}</div>`}
    </div>`;
}

function renderOption(
  {label, description, icon: glyph}: Suggestion,
  index: number,
  isActive: boolean,
  {choose, point}: SuggestionHandlers,
) {
  return html`<div
      role="option"
      id=${`suggestion-${index}`}
      aria-selected=${String(isActive)}
      @click=${() => choose(index)}
      @pointermove=${() => point(index)}
    >
      ${renderGlyph(glyph)}
      <span class="words" dir="auto">${label}${description ? html`<span class="description">${description}</span>` : nothing}</span>
    </div>`;
}

/** Describes the state of the list for screen readers. */
export function announcementOf({status, suggestions, source}: SuggestionState): string {
  if (suggestions.length > 0) return strings.suggestionCount(suggestions.length);
  if (status === 'searching') return strings.searching;
  return status === 'failed' ? strings.searchFailed : source.emptyText;
}

function renderGlyph(glyph: string | undefined) {
  if (glyph === undefined) return nothing;
  const isURL = /^[^\s<>"'`]*[/:][^\s<>"'`]*$/.test(glyph) && !/^(?:lucide|vendor):/.test(glyph);
  if (hasIcon(glyph) || !isURL) return icon(glyph, '18');
  return isSafeImage(glyph, undefined, document.baseURI) ? html`<img src=${glyph} alt="" />` : nothing;
}

function collectGroups(suggestions: readonly Suggestion[]): Map<string | undefined, Suggestion[]> {
  const groups = new Map<string | undefined, Suggestion[]>();
  for (const suggestion of suggestions) {
    const members = groups.get(suggestion.group) ?? [];
    groups.set(suggestion.group, [...members, suggestion]);
  }
  return groups;
}

function keepFocus(event: Event): void {
  event.preventDefault();
}
