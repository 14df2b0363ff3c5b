/** Lazy loading: modules in the folder of our script, fetched when they are needed. */

/** File names by part, inserted by the build. */
declare const __PARLOR_PARTS__: Readonly<Record<string, string>> | undefined;

const FIRST_PAUSE_MS = 5_000;
const MAX_ATTEMPTS = 5;
const OUR_FILE = /\/chatkit(?:-[^/]*)?\.js(?:[?#]|$)/;

// Determined while our script runs for the first time: later, `currentScript` is gone.
const scriptUrl = findScriptUrl();

/** Finds the URL of the running script, classic or module; `undefined` if it has none. */
function findScriptUrl(): string | undefined {
  const script = document.currentScript;
  if (script instanceof HTMLScriptElement && script.src !== '') return script.src;
  // A module has no `currentScript`, and a classic script cannot contain `import.meta`: the stack trace names the file.
  const frame = /(?:https?|file):\/\/[^\s()]+?(?=:\d+(?::\d+)?\)?\s*$)/m.exec(new Error('where').stack ?? '');
  if (frame) return frame[0];
  return [...document.scripts].find(({src}) => OUR_FILE.test(src))?.src;
}

/** Returns the URL of a file relative to our script, for example `fonts/a.woff2`. */
export function assetUrl(file: string): string | undefined {
  try {
    return new URL(file, scriptUrl).href;
  } catch {
    return undefined;
  }
}

export interface Clock {
  now(): number;
}

/**
 * A part that is fetched by the first call of `load`, and then kept.
 *
 * After a failure, `load` fetches it again, at most five times in total, with a pause in between that starts at 5 s and
 * doubles.
 */
export class LazyPart<T> {
  readonly #fetch: (attempt: number) => Promise<T>;
  readonly #clock: Clock;
  #promise: Promise<T | undefined> | undefined;
  #value: T | undefined;
  #attempts = 0;
  #retryAt = 0;

  constructor(fetch: (attempt: number) => Promise<T>, clock: Clock = performance) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** The part; `undefined` until it is loaded. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Loads the part; resolves to `undefined` if that is not possible now. Never rejects. */
  load(): Promise<T | undefined> {
    if (this.#promise) return this.#promise;
    if (this.#attempts >= MAX_ATTEMPTS || this.#clock.now() < this.#retryAt) return Promise.resolve(undefined);
    this.#attempts += 1;
    this.#promise = this.#fetch(this.#attempts).then(
      value => {
        this.#value = value;
        return value;
      },
      () => {
        this.#promise = undefined;
        this.#retryAt = this.#clock.now() + FIRST_PAUSE_MS * 2 ** (this.#attempts - 1);
        return undefined;
      },
    );
    return this.#promise;
  }
}

/** Fetches the built module of `src/parts/<name>.ts`. */
export function fetchPart<T>(name: string, attempt: number): Promise<T> {
  const file = typeof __PARLOR_PARTS__ === 'undefined' ? undefined : __PARLOR_PARTS__[name];
  const address = file === undefined ? undefined : assetUrl(file);
  if (address === undefined) return Promise.reject(new Error(`the part ${name} was not built`));
  // Browsers cache a failed module under its URL.
  return import(/* @vite-ignore */ attempt === 1 ? address : `${address}?attempt=${attempt}`) as Promise<T>;
}
