/** The page’s `localStorage`: the current thread of each use case, and the colour scheme. */

export type SchemePreference = 'light' | 'dark' | 'system';

const THREAD_PREFIX = 'parlor.thread.';
/** `static/scheme.js` reads it too. */
const SCHEME_KEY = 'parlor.scheme';

/** Reads and writes a browser's storage; where that is blocked or full, nothing is remembered, and nothing breaks. */
export class Memory {
  readonly #storage: () => Storage;

  /** `storage` is a function because merely touching `localStorage` may throw. */
  constructor(storage: () => Storage) {
    this.#storage = storage;
  }

  thread(useCase: string): string | null {
    return this.#read(THREAD_PREFIX + useCase);
  }

  keepThread(useCase: string, threadId: string | null): void {
    this.#write(THREAD_PREFIX + useCase, threadId);
  }

  scheme(): SchemePreference {
    const scheme = this.#read(SCHEME_KEY);
    return scheme === 'light' || scheme === 'dark' ? scheme : 'system';
  }

  keepScheme(scheme: SchemePreference): void {
    this.#write(SCHEME_KEY, scheme === 'system' ? null : scheme);
  }

  #read(key: string): string | null {
    try {
      return this.#storage().getItem(key);
    } catch {
      return null;
    }
  }

  #write(key: string, value: string | null): void {
    try {
      if (value === null) this.#storage().removeItem(key);
      else this.#storage().setItem(key, value);
    } catch {
      // Private windows and blocked storage: the page works, it only forgets.
    }
  }
}
