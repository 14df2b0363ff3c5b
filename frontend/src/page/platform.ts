/** Fetches the server’s description of itself, its brand and use cases, and parses it into types. */
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
  /** Address of the script that defines `<openai-chatkit>`. */
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
  /** Options of the composer in ChatKit's own shape, to be passed on as they are. */
  readonly composer: JSONObject;
  readonly accentColor: string | undefined;
  readonly isDefault: boolean;
}

export interface DisabledUseCase {
  readonly name: string;
  readonly message: string;
  readonly errorId: string;
  /** The title of one that lives in another service: people know it, and see that it is down. */
  readonly title: string | undefined;
  readonly icon: string;
}

export interface Platform {
  readonly brand: Brand;
  readonly useCases: readonly UseCase[];
  readonly disabled: readonly DisabledUseCase[];
}

/** The server did not answer (`status` 0), or answered with an error that its log knows as `errorId`. */
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

/** Both answers. A server that is still starting (503) is asked again for some seconds; anything else fails at once. */
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
    // A proxy may answer with a page of its own.
    body = await response.json().catch(() => undefined);
  } catch {
    throw new PlatformError(0);
  }
  if (response.ok && isObject(body)) return body;
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  throw new PlatformError(response.ok ? 502 : response.status, text(error.id));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function parseList<T>(value: unknown, parse: (entry: JSONObject) => T | undefined): readonly T[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap(entry => (isObject(entry) ? (parse(entry) ?? []) : []));
}

function parseBrand(brand: JSONObject): Brand {
  const chatScript = text(brand.chatkitJsUrl);
  return {
    name: text(brand.name) ?? pageStrings.title,
    tagline: text(brand.tagline) ?? '',
    logoUrl: serverAddress(text(brand.logoUrl) ?? '/static/logo.svg'),
    primaryColor: text(brand.primaryColor) ?? '#4f46e5',
    faviconUrl: serverAddress(text(brand.faviconUrl) ?? '/static/logo.svg'),
    // Beside the page, also where that was exported: its scripts come from nowhere else.
    chatkitJsUrl: chatScript ? serverAddress(chatScript) : serverAddress(DEFAULT_CHATKIT_URL, document.baseURI),
  };
}

function parseUseCase(useCase: JSONObject): UseCase | undefined {
  const name = text(useCase.name);
  if (name === undefined) return undefined;
  return {
    name,
    title: text(useCase.title) ?? name,
    description: text(useCase.description) ?? '',
    icon: text(useCase.icon) ?? 'sparkle',
    greeting: text(useCase.greeting),
    prompts: parseList(useCase.prompts, parsePrompt),
    composer: isObject(useCase.composer) ? useCase.composer : {},
    accentColor: text(useCase.accentColor),
    isDefault: useCase.default === true,
  };
}

function parsePrompt(prompt: JSONObject): Prompt | undefined {
  const label = text(prompt.label);
  return label === undefined ? undefined : {label, prompt: text(prompt.prompt) ?? label, icon: text(prompt.icon)};
}

function parseDisabled(disabled: JSONObject): DisabledUseCase | undefined {
  const name = text(disabled.name);
  return name === undefined
    ? undefined
    : {
        name,
        message: text(disabled.message) ?? '',
        errorId: text(disabled.id) ?? '',
        title: text(disabled.title),
        icon: text(disabled.icon) ?? 'sparkle',
      };
}
