/** Suggestions after `/`: the page’s commands and the composer’s own. */
import {
  type CommandRef,
  type CommandSettings,
  parseAll,
  parseCommand,
  parseEntity,
  toTag,
} from '../composer/composer-options.js';
import {isObject} from '../protocol/parsing.js';
import {strings} from '../strings.js';
import {filterSuggestions, type Outcome, type Suggestion, type SuggestionSource} from './composer-suggestions.js';

const TYPING_PAUSE_MS = 150;

/** A command of the composer itself; one with `choices` opens a nested list. */
export interface BuiltIn {
  readonly key: string;
  readonly label: string;
  readonly description?: string | undefined;
  readonly icon: string;
  readonly run?: () => void;
  readonly choices?: readonly BuiltIn[];
}

/** @param builtIns Called at each search, since the available commands change. */
export function buildCommandSource(
  {onSearch, onSelect}: CommandSettings,
  builtIns: () => readonly BuiltIn[],
): SuggestionSource {
  const fromCommand = (command: CommandRef): Suggestion => ({
    key: `command/${command.group ?? ''}/${command.id}`,
    label: command.label,
    description: command.description,
    icon: command.icon,
    group: command.group,
    choose: async () => readSelection(await onSelect?.(command), fromCommand),
  });
  return {
    character: '/',
    label: strings.commands,
    emptyText: strings.noCommands,
    delayMs: TYPING_PAUSE_MS,
    search: async query => {
      const ownSuggestions = findBuiltIns(builtIns(), query);
      const commands = onSearch ? parseAll(await onSearch(query), parseCommand) : [];
      return [...commands.map(fromCommand), ...ownSuggestions];
    },
  };
}

/** Finds built-ins by `query`, those of nested lists included, so that nobody has to know where they are. */
function findBuiltIns(builtIns: readonly BuiltIn[], query: string): readonly Suggestion[] {
  if (query === '') return builtIns.map(fromBuiltIn);
  const all = builtIns.flatMap(builtIn => [builtIn, ...(builtIn.choices ?? [])]);
  return filterSuggestions(all.map(fromBuiltIn), query);
}

function fromBuiltIn({key, label, description, icon, run, choices}: BuiltIn): Suggestion {
  return {
    key: `built-in/${key}`,
    label,
    description,
    icon,
    group: undefined,
    choose: async (): Promise<Outcome> => {
      run?.();
      return choices ? {type: 'list', suggestions: choices.map(fromBuiltIn)} : {type: 'clear'};
    },
  };
}

function readSelection(value: unknown, fromCommand: (command: CommandRef) => Suggestion): Outcome {
  const selection = isObject(value) ? value : {};
  const entity = selection.type === 'entity' ? parseEntity(selection.entity) : undefined;
  if (entity) return {type: 'insert', tag: toTag(entity)};
  if (selection.type !== 'menu') return {type: 'clear'};
  return {type: 'list', suggestions: parseAll(selection.commands, parseCommand).map(fromCommand)};
}
