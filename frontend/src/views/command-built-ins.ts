/** The composer’s own commands in its `/` menu, as far as they are available right now. */
import type {ModelOption, ToolOption} from '@openai/chatkit';
import {strings} from '../strings.js';
import type {BuiltIn} from './command-search.js';

export interface BuiltInParts {
  readonly tools: readonly ToolOption[];
  readonly models: readonly ModelOption[];
  /** `undefined` when no files can be attached. */
  readonly attach: (() => void) | undefined;
  /** `undefined` when nothing can be mentioned. */
  readonly mention: (() => void) | undefined;
  readonly selectTool: (toolId: string) => void;
  readonly selectModel: (modelId: string) => void;
}

export function buildBuiltIns(parts: BuiltInParts): readonly BuiltIn[] {
  const {attach, mention, selectTool, selectModel} = parts;
  const tools = parts.tools.map(
    ({id, label, icon}): BuiltIn => ({key: `tool/${id}`, label, icon, run: () => selectTool(id)}),
  );
  const models = parts.models
    .filter(({disabled}) => disabled !== true)
    .map(({id, label, description}): BuiltIn => {
      return {key: `model/${id}`, label, description, icon: 'sparkle', run: () => selectModel(id)};
    });
  const actions: readonly (BuiltIn | undefined)[] = [
    attach && {key: 'attach', label: strings.addFiles, icon: 'paperclip', run: attach},
    mention && {key: 'mention', label: strings.mention, icon: 'at', run: mention},
    tools.length > 0 ? {key: 'tools', label: strings.tools, icon: 'settings-slider', choices: tools} : undefined,
    // With one model there is nothing to choose.
    models.length > 1 ? {key: 'models', label: strings.models, icon: 'sparkle', choices: models} : undefined,
  ];
  return actions.filter(action => action !== undefined);
}
