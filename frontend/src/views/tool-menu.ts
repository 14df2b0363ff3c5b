/** Menu entries of the composer: files and tools behind the plus button, models behind the model’s name. */
import type {ModelOption, ToolOption} from '@openai/chatkit';
import {strings} from '../strings.js';
import type {MenuItem} from './composer-menu.js';

export interface ToolMenuParts {
  readonly tools: readonly ToolOption[];
  readonly toolId: string | undefined;
  /** `undefined` when no files can be attached. */
  readonly attach: (() => void) | undefined;
  /** `undefined` on devices without a camera. */
  readonly photograph: (() => void) | undefined;
  readonly select: (toolId: string | undefined) => void;
}

/** Returns the entries of the plus menu; none when all tools are pinned and files cannot be attached. */
export function buildToolMenu({tools, toolId, attach, photograph, select}: ToolMenuParts): readonly MenuItem[] {
  const isNeeded = attach !== undefined || tools.some(tool => tool.pinned !== true);
  if (!isNeeded) return [];
  return [
    ...(attach ? [{key: 'attach', label: strings.addFiles, icon: 'paperclip', choose: attach}] : []),
    ...(photograph ? [{key: 'photograph', label: strings.takePhoto, icon: 'lucide:camera', choose: photograph}] : []),
    ...tools.map(tool => ({
      key: `tool/${tool.id}`,
      label: tool.label,
      icon: tool.icon,
      isChecked: tool.id === toolId,
      choose: () => select(tool.id === toolId ? undefined : tool.id),
    })),
  ];
}

export function buildModelMenu(
  models: readonly ModelOption[],
  modelId: string | undefined,
  select: (modelId: string) => void,
): readonly MenuItem[] {
  return models.map(({id, label, description, disabled}) => ({
    key: id,
    label,
    description,
    isChecked: id === modelId,
    isDisabled: disabled === true,
    choose: () => select(id),
  }));
}
