/**
 * Options that only this client has. Each can be set in three places, of which the first one that sets it wins:
 *
 * - `parlor.<name>` in the options, e.g. `{parlor: {resume: true}}`;
 * - `data-parlor-<name>` on the element, e.g. `<openai-chatkit data-parlor-resume>`, if options are type-checked or
 *   shared with a client that rejects unknown keys;
 * - `data-<name>` on the script tag, e.g. `<script src="chatkit.js" data-resume>`, for every element of the page.
 */
import {assetUrl} from './lazy-parts.js';

export interface Extensions {
  /**
   * `resume`, true or false, default false. The server supports joining an answer that is being written
   * (`runs.attach`), so that a reloaded page continues it. Without this option the client sends `runs.attach` only
   * after the server has numbered an event, and stock servers receive documented operations only.
   */
  readonly resume: boolean;
  /**
   * `base-url` (`parlor.baseUrl`), default `/chatkit` at the script's origin. The server's URL if the page sets
   * `api.getClientSecret` but no `api.url`, as pages for OpenAI's hosted service do.
   */
  readonly baseUrl: string | undefined;
  /**
   * `drafts`, true or false, default false. Drafts are stored by thread in the tab's `sessionStorage` and survive a
   * reload: text, mentions and quote; files if the server is Parlor. Limited to the newest 20; includes an
   * unconfirmed message.
   */
  readonly drafts: boolean;
  /**
   * `max-chars` (`parlor.maxChars`), a whole number; unlimited by default. The maximum length of a message, including
   * its mentions and its quote; the composer does not send a longer one.
   */
  readonly maxChars: number | undefined;
  /**
   * `sidebar`, true or false, default false. If the chat is wide enough, the history is a permanent column beside it;
   * otherwise it is a panel that is opened by a button.
   */
  readonly sidebar: boolean;
  /**
   * `page-drop` (`parlor.pageDrop`), true or false, default false. The whole page is a drop zone: files that are
   * dropped anywhere on it are attached to the message, and never opened by the browser.
   */
  readonly pageDrop: boolean;
  /**
   * `image-domains` (`parlor.imageDomains`), a list, separated by commas in an attribute; empty by default. Domains
   * that images in answers may come from besides the page's own origin and those that the server allows: `img.example`,
   * `*.img.example`, `https://img.example:8443`, or `*` for all. Other images are loaded on click.
   */
  readonly imageDomains: readonly string[];
  /**
   * `image-frame` (`parlor.imageFrame`), a URL at the page's origin. A document that shows the image in its parameter
   * `src`: if the page's policy forbids images of other origins, images that the user requests are shown in it.
   */
  readonly imageFrame: string | undefined;
  /**
   * `stylesheet`, a `CSSStyleSheet`, its text, or its URL at the page's origin. Adopted by every shadow root of the
   * chat, after our own rules.
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

// Determined while our script runs for the first time: later, `currentScript` is gone.
const scriptAttributes: Attributes = findScript()?.dataset ?? {};

function findScript(): HTMLOrSVGScriptElement | undefined {
  if (document.currentScript) return document.currentScript;
  const address = assetUrl('');
  return [...document.scripts].find(({src}) => src !== '' && src === address);
}

/** Lists unknown keys under `parlor`, with that prefix. */
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

/** Whether an option is set; an attribute without a value is. */
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
  // Relative to our script if a Parlor server serves it: the server may be mounted below a path.
  const isAsServed = SERVED_SCRIPT.test(assetUrl('') ?? '');
  const address = assetUrl(isAsServed ? '../../chatkit' : '/chatkit');
  return address !== undefined && /^https?:/.test(address) ? address : undefined;
}

function section(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
