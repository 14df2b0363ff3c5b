/** Suggestions after `@`: the results of the page’s entity search. */
import {type EntityRef, type EntitySettings, parseAll, parseEntity, toTag} from '../composer/composer-options.js';
import {strings} from '../strings.js';
import type {Suggestion, SuggestionSource} from './composer-suggestions.js';

const TYPING_PAUSE_MS = 150;

/** Returns `undefined` when the page has no entity search. */
export function buildEntitySource({onTagSearch}: EntitySettings): SuggestionSource | undefined {
  if (!onTagSearch) return undefined;
  return {
    character: '@',
    label: strings.mentions,
    emptyText: strings.noMentions,
    delayMs: TYPING_PAUSE_MS,
    search: async query => parseAll(await onTagSearch(query), parseEntity).map(toSuggestion),
  };
}

function toSuggestion(entity: EntityRef): Suggestion {
  return {
    key: `${entity.group ?? ''}/${entity.id}`,
    label: entity.title,
    description: undefined,
    icon: entity.icon,
    group: entity.group,
    choose: async () => ({type: 'insert', tag: toTag(entity)}),
  };
}
