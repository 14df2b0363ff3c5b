/** The composer's buttons and menus for files, tools, mentions and models. */
import type {ModelOption, ToolOption} from '@openai/chatkit';
import {html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {strings} from '../strings.js';
import {exportedParts} from './exported-parts.js';
import {buildModelMenu, buildToolMenu} from './tool-menu.js';

export interface Choices {
  readonly tools: readonly ToolOption[];
  readonly selected: ToolOption | undefined;
  readonly isLocked: boolean;
  /** `undefined` when no files can be attached. */
  readonly attach: (() => void) | undefined;
  /** `undefined` on devices without a camera. */
  readonly photograph: (() => void) | undefined;
  /** `undefined` when the page wants no button for it. */
  readonly mention: (() => void) | undefined;
  readonly select: (toolId: string | undefined) => void;
}

export function renderChoices(choices: Choices) {
  const {tools, selected, isLocked, mention} = choices;
  const shown = tools.filter(tool => tool.pinned === true || tool === selected);
  return html`${renderPlus(choices)}
    ${
      mention
        ? html`<button
          type="button"
          class="icon-button"
          aria-label=${strings.mention}
          title=${strings.mention}
          ?disabled=${isLocked}
          @click=${mention}
        >${icon('at', '18')}</button>`
        : nothing
    }
    ${shown.map(tool => renderTool(tool, choices))}`;
}

function renderTool(tool: ToolOption, {selected, isLocked, select}: Choices) {
  const isOn = tool === selected;
  const isPinned = tool.pinned === true;
  return html`<button
    type="button"
    class="tool ${isOn ? 'on' : ''}"
    part="tool"
    aria-pressed=${isPinned ? String(isOn) : nothing}
    aria-label=${isPinned ? tool.label : strings.removeTool(tool.label)}
    title=${tool.label}
    ?disabled=${isLocked}
    @click=${() => select(isOn ? undefined : tool.id)}
  >${icon(tool.icon, '16')}<span dir="auto">${tool.shortLabel ?? tool.label}</span>${isPinned ? nothing : icon('close', '14')}</button>`;
}

function renderPlus({tools, selected, attach, photograph, select, isLocked}: Choices) {
  const items = buildToolMenu({tools, toolId: selected?.id, attach, photograph, select});
  const [only] = items;
  if (!only) return nothing;
  // A menu with a single entry would only cost a click.
  if (items.length === 1 && attach) {
    return html`<button
      type="button"
      class="icon-button"
      aria-label=${only.label}
      title=${only.label}
      ?disabled=${isLocked}
      @click=${only.choose}
    >${icon('plus', '20')}</button>`;
  }
  return html`<parlor-menu-button exportparts=${exportedParts}
    .label=${attach ? strings.addMore : strings.tools}
    .items=${items}
    .disabled=${isLocked}
  ></parlor-menu-button>`;
}

export function renderModels(
  models: readonly ModelOption[],
  modelId: string | undefined,
  isLocked: boolean,
  select: (modelId: string) => void,
) {
  if (models.length === 0) return nothing;
  const face = models.find(({id}) => id === modelId)?.label ?? strings.model;
  return html`<parlor-menu-button exportparts=${exportedParts}
    class="model"
    align="end"
    .label=${strings.modelChosen(face)}
    .face=${face}
    .items=${buildModelMenu(models, modelId, select)}
    .disabled=${isLocked}
  ></parlor-menu-button>`;
}
