/** Fetches and parses the server’s brand and use cases. */
import {isObject} from '../protocol/parsing.js';
import type {JSONObject} from '../protocol/types.js';
import {pageStrings} from '../strings.js';
import {serverAddress} from './server-address.js';

export interface Brand {
  readonly name: string;
  readonly tagline: string;
  readonly logoUrl: string;
  readonly primaryColor: string;
  readonly faviconUrl: string;
  /** URL of the script that defines `<openai-chatkit>`. */
  readonly chatkitJsUrl: string;
}

export interface Prompt {
  readonly label: string;
  readonly prompt: string;
  readonly icon: string | undefined;
}

export interface UseCase {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly icon: string;
  readonly greeting: string | undefined;
  readonly prompts: readonly Prompt[];
  /** Options of the composer in the form of ChatKit's options. */
  readonly composer: JSONObject;
  readonly accentColor: string | undefined;
  readonly isDefault: boolean;
}

export interface DisabledUseCase {
  readonly name: string;
  readonly message: string;
  readonly errorId: string;
  /** Returns the title of a use case in another service, to show it as down; `undefined` for others. */
  readonly title: string | undefined;
  readonly icon: string;
}

export interface Platform {
  readonly brand: Brand;
  readonly useCases: readonly UseCase[];
  readonly disabled: readonly DisabledUseCase[];
}

/** The server did not answer (`status` 0), or answered with an error that it has logged as `errorId`. */
export class PlatformError extends Error {
  readonly status: number;
  readonly errorId: string | undefined;

  constructor(status: number, errorId?: string) {
    super(status === 0 ? 'the server did not answer' : `the server answered ${status}`);
    this.name = 'PlatformError';
    this.status = status;
    this.errorId = errorId;
  }
}

export const DEFAULT_CHATKIT_URL = '/static/dist/chatkit.js';
const REQUEST_TIMEOUT_MS = 15_000;
const STARTING_ATTEMPTS = 10;
const STARTING_PAUSE_MS = 1_000;

/** Loads brand and use cases. While the server is starting (503), retries for some seconds; other errors are thrown. */
export async function loadPlatform(
  fetch: typeof globalThis.fetch,
  pause: (ms: number) => Promise<void> = ms => new Promise(resolve => setTimeout(resolve, ms)),
): Promise<Platform> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const [branding, useCases] = await Promise.all([
        fetchJSON(fetch, '/api/branding'),
        fetchJSON(fetch, '/api/use-cases'),
      ]);
      return {
        brand: parseBrand(branding),
        useCases: parseList(useCases.use_cases, parseUseCase),
        disabled: parseList(useCases.disabled, parseDisabled),
      };
    } catch (error) {
      const isStarting = error instanceof PlatformError && error.status === 503;
      if (!isStarting || attempt === STARTING_ATTEMPTS) throw error;
      await pause(STARTING_PAUSE_MS);
    }
  }
}

async function fetchJSON(fetch: typeof globalThis.fetch, url: string): Promise<JSONObject> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(serverAddress(url), {
      headers: {Accept: 'application/json'},
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    // A proxy may answer with an HTML page.
    body = await response.json().catch(() => undefined);
  } catch {
    throw new PlatformError(0);
  }
  if (response.ok && isObject(body)) return body;
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  throw new PlatformError(response.ok ? 502 : response.status, toText(error.id));
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function parseList<T>(value: unknown, parse: (entry: JSONObject) => T | undefined): readonly T[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap(entry => (isObject(entry) ? (parse(entry) ?? []) : []));
}

function parseBrand(brand: JSONObject): Brand {
  const chatScript = toText(brand.chatkitJsUrl);
  return {
    name: toText(brand.name) ?? pageStrings.title,
    tagline: toText(brand.tagline) ?? '',
    logoUrl: serverAddress(toText(brand.logoUrl) ?? '/static/logo.svg'),
    primaryColor: toText(brand.primaryColor) ?? '#4f46e5',
    faviconUrl: serverAddress(toText(brand.faviconUrl) ?? '/static/logo.svg'),
    // The default is relative to the page, also of an exported one.
    chatkitJsUrl: chatScript ? serverAddress(chatScript) : serverAddress(DEFAULT_CHATKIT_URL, document.baseURI),
  };
}

function parseUseCase(useCase: JSONObject): UseCase | undefined {
  const name = toText(useCase.name);
  if (name === undefined) return undefined;
  return {
    name,
    title: toText(useCase.title) ?? name,
    description: toText(useCase.description) ?? '',
    icon: toText(useCase.icon) ?? 'sparkle',
    greeting: toText(useCase.greeting),
    prompts: parseList(useCase.prompts, parsePrompt),
    composer: isObject(useCase.composer) ? useCase.composer : {},
    accentColor: toText(useCase.accentColor),
    isDefault: useCase.default === true,
  };
}

function parsePrompt(prompt: JSONObject): Prompt | undefined {
  const label = toText(prompt.label);
  return label === undefined ? undefined : {label, prompt: toText(prompt.prompt) ?? label, icon: toText(prompt.icon)};
}

function parseDisabled(disabled: JSONObject): DisabledUseCase | undefined {
  const name = toText(disabled.name);
  return name === undefined
    ? undefined
    : {
        name,
        message: toText(disabled.message) ?? '',
        errorId: toText(disabled.id) ?? '',
        title: toText(disabled.title),
        icon: toText(disabled.icon) ?? 'sparkle',
      };
}
