/** Parses the options of `setOptions` and fills in defaults. Never throws; unknown keys can be listed. */
import type {ChatKitOptions, ColorScheme, HeaderIcon, ModelOption, ThemeOption, ToolOption} from '@openai/chatkit';
import {type ComposerSettings, readComposerSettings} from './composer/composer-options.js';
import {type Extensions, findUnknownExtensions, readExtensions} from './extension-options.js';
import {isObject, parseUserContent} from './protocol/parsing.js';
import type {JSONObject, UserContent} from './protocol/types.js';
import type {Endpoint} from './server/client.js';
import type {ReadClientSecret} from './server/client-secret.js';
import {strings} from './strings.js';
import type {ClientToolHandler} from './thread/client-tools.js';

export interface HeaderAction {
  readonly icon: HeaderIcon;
  readonly label: string | undefined;
  readonly onClick: () => unknown;
}
export interface Prompt {
  readonly label: string;
  readonly content: readonly UserContent[];
  readonly icon: string | undefined;
}
export type ActionHandler = (
  action: {readonly type: string; readonly payload?: unknown},
  item: {readonly id: string; readonly widget: JSONObject},
) => unknown;

/** The parsed options. */
export interface Settings extends Omit<Extensions, 'baseUrl'> {
  readonly endpoint: Endpoint | undefined;
  readonly locale: string;
  readonly theme: ColorScheme | ThemeOption;
  readonly frameTitle: string;
  readonly initialThread: string | undefined;
  readonly onClientTool: ClientToolHandler | undefined;
  readonly onAction: ActionHandler | undefined;
  readonly autoScroll: boolean;
  readonly disclaimer: {readonly text: string; readonly highContrast: boolean} | undefined;
  readonly header: {
    readonly enabled: boolean;
    readonly titleEnabled: boolean;
    readonly titleText: string | undefined;
    readonly left: HeaderAction | undefined;
    readonly right: HeaderAction | undefined;
  };
  readonly history: {readonly enabled: boolean; readonly showDelete: boolean; readonly showRename: boolean};
  readonly greeting: string;
  readonly prompts: readonly Prompt[];
  readonly feedback: boolean;
  readonly retry: boolean;
  readonly placeholder: string;
  readonly tools: readonly ToolOption[];
  readonly models: readonly ModelOption[];
  readonly composer: ComposerSettings;
}

const KNOWN_KEYS: ReadonlySet<string> = new Set<keyof ChatKitOptions>([
  ...(['api', 'locale', 'theme', 'frameTitle', 'initialThread', 'onClientTool', 'header', 'history'] as const),
  ...([
    'startScreen',
    'threadItemActions',
    'composer',
    'disclaimer',
    'entities',
    'commands',
    'widgets',
    'thread',
  ] as const),
]);

/** Lists unknown top-level keys, and unknown keys under `parlor`. */
export function findUnknownKeys(options: unknown): readonly string[] {
  const root = section(options);
  const unknown = Object.keys(root).filter(key => !KNOWN_KEYS.has(key) && key !== 'parlor');
  return [...unknown, ...findUnknownExtensions(root.parlor)];
}

/** @param attributes The element's `dataset`, which may contain our own options. */
export function readOptions(
  options: unknown,
  systemLocale: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
): Settings {
  const root = section(options);
  const {baseUrl, ...extensions} = readExtensions(root.parlor, attributes);
  const locale = resolveLocale(root.locale, systemLocale);
  const header = section(root.header);
  const title = section(header.title);
  const history = section(root.history);
  const start = section(root.startScreen);
  const actions = section(root.threadItemActions);
  const composer = section(root.composer);
  const disclaimer = section(root.disclaimer);
  return {
    endpoint: readEndpoint(root.api, locale, baseUrl),
    ...extensions,
    locale,
    theme: root.theme === 'dark' || isObject(root.theme) ? (root.theme as ColorScheme | ThemeOption) : 'light',
    frameTitle: toText(root.frameTitle) ?? strings.frameTitle,
    initialThread: toText(root.initialThread),
    onClientTool: toFunction<ClientToolHandler>(root.onClientTool),
    onAction: toFunction<ActionHandler>(section(root.widgets).onAction),
    autoScroll: section(root.thread).autoScroll === true,
    disclaimer: toText(disclaimer.text)
      ? {text: String(disclaimer.text), highContrast: disclaimer.highContrast === true}
      : undefined,
    header: {
      enabled: header.enabled !== false,
      titleEnabled: title.enabled !== false,
      titleText: toText(title.text),
      left: readHeaderAction(header.leftAction),
      right: readHeaderAction(header.rightAction),
    },
    history: {
      enabled: history.enabled !== false,
      showDelete: history.showDelete !== false,
      showRename: history.showRename !== false,
    },
    greeting: toText(start.greeting) ?? strings.greeting,
    prompts: toList(start.prompts).flatMap(readPrompt),
    feedback: actions.feedback === true,
    retry: actions.retry === true,
    placeholder: toText(composer.placeholder) ?? strings.placeholder,
    tools: toList(composer.tools).filter(isChoice) as readonly ToolOption[],
    models: toList(composer.models).filter(isChoice) as readonly ModelOption[],
    composer: readComposerSettings(options),
  };
}

function readEndpoint(value: unknown, locale: string, baseUrl: string | undefined): Endpoint | undefined {
  const api = section(value);
  const clientToken = toText(api.clientToken);
  // `clientToken` is the predecessor of `getClientSecret`, and cannot be renewed; `domainKey` is accepted and ignored.
  const getClientSecret = toFunction<ReadClientSecret>(api.getClientSecret) ?? (clientToken && (() => clientToken));
  const url = toText(api.url) ?? (getClientSecret ? baseUrl : undefined);
  if (url === undefined) return undefined;
  return {url, locale, fetch: toFunction<typeof fetch>(api.fetch), ...(getClientSecret && {getClientSecret})};
}

function readHeaderAction(value: unknown): HeaderAction | undefined {
  const {icon, label, onClick} = section(value);
  const handler = toFunction<() => unknown>(onClick);
  return handler && {icon: (toText(icon) ?? 'menu') as HeaderIcon, label: toText(label), onClick: handler};
}

function readPrompt(value: unknown): readonly Prompt[] {
  const prompt = section(value);
  // Older pages use `name` instead of `label`.
  const label = toText(prompt.label) ?? toText(prompt.name);
  const content = toContent(prompt.prompt ?? label);
  return label === undefined || content.length === 0 ? [] : [{label, content, icon: toText(prompt.icon)}];
}

/** Builds the content of a message from a string or from segments; empty if there is no text. */
export function toContent(value: unknown): readonly UserContent[] {
  if (typeof value === 'string') return value.trim() === '' ? [] : [{type: 'input_text', text: value}];
  return toList(value)
    .map(parseUserContent)
    .filter(part => part !== undefined);
}

/** Returns the first valid language tag, which is safe in a header. */
export function resolveLocale(locale: unknown, systemLocale: string): string {
  for (const candidate of [locale, systemLocale]) {
    if (typeof candidate === 'string' && /^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/i.test(candidate)) return candidate;
  }
  return 'en';
}

function isChoice(value: unknown): boolean {
  return isObject(value) && typeof value.id === 'string' && typeof value.label === 'string';
}

function section(value: unknown): JSONObject {
  return isObject(value) ? value : {};
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function toFunction<F>(value: unknown): F | undefined {
  return typeof value === 'function' ? (value as F) : undefined;
}
