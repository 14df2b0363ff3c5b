/** The sources of suggestions after `@` and `/`, built from the page’s settings. */
import type {CommandSettings, EntitySettings} from '../composer/composer-options.js';
import {type BuiltInParts, buildBuiltIns} from './command-built-ins.js';
import {buildCommandSource} from './command-search.js';
import type {SuggestionSource} from './composer-suggestions.js';
import {buildEntitySource} from './entity-search.js';

export interface SuggestionSettings {
  readonly entities: EntitySettings | undefined;
  /** `undefined` turns the `/` menu off. */
  readonly commands: CommandSettings | undefined;
  /** Called at each search, since the available commands change. */
  readonly builtIns: () => BuiltInParts;
}

export function buildSources({entities, commands, builtIns}: SuggestionSettings): readonly SuggestionSource[] {
  const entitySource = entities && buildEntitySource(entities);
  const commandSource = commands && buildCommandSource(commands, () => buildBuiltIns(builtIns()));
  return [entitySource, commandSource].filter(source => source !== undefined);
}
