/** The sources of suggestions after `@` and `/`, by the page’s settings. */
import type {CommandSettings, EntitySettings} from '../composer/composer-options.js';
import {type BuiltInParts, buildBuiltIns} from './command-built-ins.js';
import {buildCommandSource} from './command-search.js';
import type {SuggestionSource} from './composer-suggestions.js';
import {buildEntitySource} from './entity-search.js';

export interface SuggestionSettings {
  readonly entities: EntitySettings | undefined;
  /** `undefined` turns the `/` menu off. */
  readonly commands: CommandSettings | undefined;
  /** Asked at each search, since what is possible changes. */
  readonly builtIns: () => BuiltInParts;
}

export function buildSources({entities, commands, builtIns}: SuggestionSettings): readonly SuggestionSource[] {
  const mentions = entities && buildEntitySource(entities);
  const ofCommands = commands && buildCommandSource(commands, () => buildBuiltIns(builtIns()));
  return [mentions, ofCommands].filter(source => source !== undefined);
}
