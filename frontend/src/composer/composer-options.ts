/** Parses the options of the composer: attachments, entities, commands, dictation. Never throws. */
import {isObject} from '../protocol/parsing.js';
import type {JSONObject} from '../protocol/types.js';
import type {InputTag} from './draft-text.js';
import {readUploadRules, type UploadRules} from './upload-rules.js';
import type {UploadStrategy} from './uploads.js';

/** An entity that a message can mention, or a source can refer to. */
export interface EntityRef {
  readonly id: string;
  readonly title: string;
  readonly icon?: string;
  readonly interactive?: boolean;
  readonly group?: string;
  readonly data?: JSONObject;
}
export interface CommandRef {
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly icon?: string;
  readonly group?: string;
}

/** Callbacks of the page. They return `unknown`: React wrappers return `undefined` for a callback that was removed. */
export interface EntitySettings {
  readonly onTagSearch: ((query: string) => unknown) | undefined;
  readonly showComposerMenu: boolean;
  readonly onClick: ((entity: EntityRef) => unknown) | undefined;
  readonly onRequestPreview: ((entity: EntityRef) => unknown) | undefined;
}
export interface CommandSettings {
  readonly onSearch: ((query: string) => unknown) | undefined;
  readonly onSelect: ((command: CommandRef) => unknown) | undefined;
}

export interface ComposerSettings {
  /** `undefined` if attachments are off, or there is no upload strategy. */
  readonly attachments: UploadRules | undefined;
  readonly uploadStrategy: UploadStrategy | undefined;
  /** Whether attachments are enabled but `api.uploadStrategy` is missing. */
  readonly lacksStrategy: boolean;
  readonly entities: EntitySettings;
  /** `undefined` if commands are off. */
  readonly commands: CommandSettings | undefined;
  readonly hasDictation: boolean;
}

export function readComposerSettings(options: unknown): ComposerSettings {
  const root = section(options);
  const composer = section(root.composer);
  const entities = section(root.entities);
  const commands = section(root.commands);
  const rules = readUploadRules(composer.attachments);
  const uploadStrategy = readUploadStrategy(section(root.api));
  return {
    attachments: uploadStrategy && rules,
    uploadStrategy,
    lacksStrategy: rules !== undefined && uploadStrategy === undefined,
    entities: {
      onTagSearch: toFunction(entities.onTagSearch),
      showComposerMenu: entities.showComposerMenu === true && typeof entities.onTagSearch === 'function',
      onClick: toFunction(entities.onClick),
      onRequestPreview: toFunction(entities.onRequestPreview),
    },
    commands:
      commands.enabled === true
        ? {onSearch: toFunction(commands.onSearch), onSelect: toFunction(commands.onSelect)}
        : undefined,
    hasDictation: section(composer.dictation).enabled === true,
  };
}

/** Parses an entity from the page; `undefined` without an id or a title. */
export function parseEntity(value: unknown): EntityRef | undefined {
  if (!isObject(value) || typeof value.id !== 'string' || typeof value.title !== 'string') return undefined;
  return {
    id: value.id,
    title: value.title,
    data: section(value.data),
    ...(typeof value.icon === 'string' ? {icon: value.icon} : {}),
    ...(typeof value.group === 'string' ? {group: value.group} : {}),
    ...(typeof value.interactive === 'boolean' ? {interactive: value.interactive} : {}),
  };
}

export function parseCommand(value: unknown): CommandRef | undefined {
  if (!isObject(value) || typeof value.id !== 'string' || typeof value.label !== 'string') return undefined;
  return {
    id: value.id,
    label: value.label,
    ...(typeof value.description === 'string' ? {description: value.description} : {}),
    ...(typeof value.icon === 'string' ? {icon: value.icon} : {}),
    ...(typeof value.group === 'string' ? {group: value.group} : {}),
  };
}

export function parseAll<T>(value: unknown, parse: (entry: unknown) => T | undefined): readonly T[] {
  return Array.isArray(value) ? value.map(parse).filter(entry => entry !== undefined) : [];
}

/** Builds the tag that mentions an entity in a message. Servers reject tags without `data`. */
export function toTag({id, title, group, interactive, data}: EntityRef): InputTag {
  return {
    type: 'input_tag',
    id,
    text: title,
    data: data ?? {},
    ...(group === undefined ? {} : {group}),
    ...(interactive === undefined ? {} : {interactive}),
  };
}

/** Builds the entity that a tag of a message mentions. */
export function toEntity({id, text, data, group, interactive}: InputTag): EntityRef {
  return {
    id,
    title: text,
    data,
    ...(group === undefined ? {} : {group}),
    ...(interactive === undefined ? {} : {interactive}),
  };
}

function readUploadStrategy(api: JSONObject): UploadStrategy | undefined {
  const strategy = section(api.uploadStrategy);
  if (strategy.type === 'two_phase') return {type: 'two_phase'};
  if (strategy.type === 'direct' && typeof strategy.uploadUrl === 'string' && strategy.uploadUrl !== '') {
    return {type: 'direct', uploadUrl: strategy.uploadUrl};
  }
  // Pages written for the hosted backend never set a strategy.
  return typeof api.getClientSecret === 'function' || typeof api.clientToken === 'string'
    ? {type: 'two_phase'}
    : undefined;
}

function section(value: unknown): JSONObject {
  return isObject(value) ? value : {};
}

function toFunction<F>(value: unknown): F | undefined {
  return typeof value === 'function' ? (value as F) : undefined;
}
