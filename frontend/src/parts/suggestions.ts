/** The lazy part that searches and lists suggestions after `@` and `/`. */
export {announcementOf, renderSuggestions} from '../views/composer-suggestion-list.js';
export {SuggestionSearch} from '../views/composer-suggestions.js';
export {buildSources} from '../views/suggestion-sources.js';
