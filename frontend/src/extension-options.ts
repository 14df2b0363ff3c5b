/**
 * Options that only this client has. Each is reachable in three ways, the first that says something wins:
 *
 * - `parlor.<name>` in the options, e.g. `{parlor: {resume: true}}`;
 * - `data-parlor-<name>` on the element, e.g. `<openai-chatkit data-parlor-resume>`, where options are type-checked or
 *   shared with a client that refuses unknown keys;
 * - `data-<name>` on the script tag, e.g. `<script src="chatkit.js" data-resume>`, for every element of the page.
 */
import {addressOf} from './lazy-parts.js';

export interface Extensions {
  /**
   * `resume`, true or false, default false. The server of this page lets clients join an answer that is being written
   * (`runs.attach`), so that a reloaded page goes on with it. Without it the client never asks before the server has
   * numbered its events, and stock servers see nothing but documented operations.
   */
  readonly resume: boolean;
  /**
   * `base-url` (`parlor.baseUrl`), default `/chatkit` at the script's own origin. Where requests go when the page gives
   * `api.getClientSecret` but no `api.url`, as pages made for OpenAI's hosted service do.
   */
  readonly baseUrl: string | undefined;
  /**
   * `drafts`, true or false, default false. What is being written is kept by thread in the tab's `sessionStorage`, and is
   * there again after a reload: text, mentions and quote; files where the server is Parlor. The newest 20, and a message
   * that nobody has confirmed.
   */
  readonly drafts: boolean;
  /**
   * `max-chars` (`parlor.maxChars`), a whole number; by default any length is sent. So long may a message be, its mentions
   * and its quote included; a longer one is refused in the composer, which keeps it.
   */
  readonly maxChars: number | undefined;
  /**
   * `sidebar`, true or false, default false. Where the chat is wide enough, the history is a column beside it, always in
   * sight; elsewhere it is the panel that a button opens.
   */
  readonly sidebar: boolean;
  /**
   * `page-drop` (`parlor.pageDrop`), true or false, default false. The page is there for the chat: files that are dropped
   * anywhere on it go to the message, and none takes the browser elsewhere.
   */
  readonly pageDrop: boolean;
  /**
   * `image-domains` (`parlor.imageDomains`), a list, in an attribute separated by commas; by default there are none.
   * Where pictures within answers may come from besides the page's own origin and what the server allows:
   * `img.example`, `*.img.example`, `https://img.example:8443`, or `*` for anywhere. Others wait for a click.
   */
  readonly imageDomains: readonly string[];
  /**
   * `image-frame` (`parlor.imageFrame`), an address at the page's own origin. A document that shows the picture that its
   * parameter `src` names: where the page's policy forbids pictures of others, those that a person asks for are shown by it.
   */
  readonly imageFrame: string | undefined;
  /**
   * `stylesheet`, a `CSSStyleSheet`, the text of one, or its address at the page's own origin. It is taken into every
   * shadow root of the chat, behind our own rules.
   */
  readonly stylesheet: unknown;
}

type Attributes = Readonly<Record<string, string | undefined>>;
type Key = keyof Extensions;

const SERVED_SCRIPT = /\/static\/dist\/[^/]+$/;

const KEYS: ReadonlySet<string> = new Set<Key>([
  'resume',
  'baseUrl',
  'drafts',
  'maxChars',
  'sidebar',
  'pageDrop',
  'imageDomains',
  'imageFrame',
  'stylesheet',
]);

// Asked while our script runs for the first time: later, nobody knows it any more.
const scriptAttributes: Attributes = findScript()?.dataset ?? {};

function findScript(): HTMLOrSVGScriptElement | undefined {
  if (document.currentScript) return document.currentScript;
  const address = addressOf('');
  return [...document.scripts].find(({src}) => src !== '' && src === address);
}

/** Keys under `parlor` that mean nothing, as they would be written in the options. */
export function findUnknownExtensions(options: unknown): readonly string[] {
  return Object.keys(section(options))
    .filter(key => !KEYS.has(key))
    .map(key => `parlor.${key}`);
}

/**
 * @param options The options that the page gave under `parlor`.
 * @param element The element's `dataset`.
 * @param script The `dataset` of our script tag.
 */
export function readExtensions(
  options: unknown,
  element: Attributes = {},
  script: Attributes = scriptAttributes,
): Extensions {
  const own = section(options);
  const read = (key: Key): unknown =>
    own[key] ?? element[`parlor${key.charAt(0).toUpperCase()}${key.slice(1)}`] ?? script[key];
  return {
    resume: isTrue(read('resume')),
    baseUrl: toText(read('baseUrl')) ?? defaultBaseUrl(),
    drafts: isTrue(read('drafts')),
    maxChars: toLimit(read('maxChars')),
    sidebar: isTrue(read('sidebar')),
    pageDrop: isTrue(read('pageDrop')),
    imageDomains: toList(read('imageDomains')),
    imageFrame: toText(read('imageFrame')),
    stylesheet: read('stylesheet'),
  };
}

/** An attribute without a value says yes, as attributes do. */
function isTrue(value: unknown): boolean {
  return value === true || value === '' || value === 'true';
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function toList(value: unknown): readonly string[] {
  const parts: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [];
  return parts.flatMap(part => (typeof part === 'string' && part.trim() !== '' ? [part.trim()] : []));
}

function toLimit(value: unknown): number | undefined {
  const limit = Number(value ?? 0);
  return Number.isSafeInteger(limit) && limit > 0 ? limit : undefined;
}

function defaultBaseUrl(): string | undefined {
  // Beside the folder of our script, where it lies as the server gives it: that may be below a path of its host.
  const isAsServed = SERVED_SCRIPT.test(addressOf('') ?? '');
  const address = addressOf(isAsServed ? '../../chatkit' : '/chatkit');
  return address !== undefined && /^https?:/.test(address) ? address : undefined;
}

function section(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
