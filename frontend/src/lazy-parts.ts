/** Lazy loading of code: modules beside our own script, each fetched when something needs it. */

/** File names by part, put in by the build. */
declare const __PARLOR_PARTS__: Readonly<Record<string, string>> | undefined;

const FIRST_PAUSE_MS = 5_000;
const MAX_ATTEMPTS = 5;
const OUR_FILE = /\/chatkit(?:-[^/]*)?\.js(?:[?#]|$)/;

// Asked while our script runs for the first time: later, nobody knows it any more.
const scriptUrl = findScriptUrl();

/** The address of the script that this runs in, whether classic or module; `undefined` when it has none. */
function findScriptUrl(): string | undefined {
  const script = document.currentScript;
  if (script instanceof HTMLScriptElement && script.src !== '') return script.src;
  // A module has no current script, and a classic script must not write `import.meta`: the stack names the file.
  const frame = /(?:https?|file):\/\/[^\s()]+?(?=:\d+(?::\d+)?\)?\s*$)/m.exec(new Error('where').stack ?? '');
  if (frame) return frame[0];
  return [...document.scripts].find(({src}) => OUR_FILE.test(src))?.src;
}

/** The address of a file that lies beside our script, for example `fonts/a.woff2`. */
export function addressOf(file: string): string | undefined {
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
 * A part that is fetched at the first call of `load` and then kept.
 *
 * After a failure it is fetched again, at the earliest when a pause is over that doubles from 5 s, and five times in all.
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

  /** The part, once it is there. */
  get value(): T | undefined {
    return this.#value;
  }

  /** The part, or `undefined` when it cannot be had now. Never rejects. */
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

/** Fetches `src/parts/<name>.ts` as it was built. */
export function fetchPart<T>(name: string, attempt: number): Promise<T> {
  const file = typeof __PARLOR_PARTS__ === 'undefined' ? undefined : __PARLOR_PARTS__[name];
  const address = file === undefined ? undefined : addressOf(file);
  if (address === undefined) return Promise.reject(new Error(`the part ${name} was not built`));
  // A browser remembers a module that failed under its address.
  return import(/* @vite-ignore */ attempt === 1 ? address : `${address}?attempt=${attempt}`) as Promise<T>;
}
