/** Suggestions after `@` and `/` in the core: their characters, and the lazy part that searches and lists them. */
import {fetchPart, LazyPart} from '../lazy-parts.js';
import type {announcementOf, renderSuggestions} from './composer-suggestion-list.js';
import type {SuggestionSearch} from './composer-suggestions.js';
import type {buildSources, SuggestionSettings} from './suggestion-sources.js';

export interface SuggestionsPart {
  readonly SuggestionSearch: typeof SuggestionSearch;
  readonly announcementOf: typeof announcementOf;
  readonly buildSources: typeof buildSources;
  readonly renderSuggestions: typeof renderSuggestions;
}

export const suggestionsPart = new LazyPart<SuggestionsPart>(attempt => fetchPart('suggestions', attempt));

/** Characters that open a list at the start of a word. */
export function charactersOf(settings: SuggestionSettings | undefined): readonly string[] {
  return [...(settings?.entities?.onTagSearch ? ['@'] : []), ...(settings?.commands ? ['/'] : [])];
}
