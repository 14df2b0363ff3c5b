/** The page's `localStorage`: the current thread of each use case, and the colour scheme. */

export type SchemePreference = 'light' | 'dark' | 'system';

const THREAD_PREFIX = 'parlor.thread.';
/** Also read by `static/scheme.js`. */
const SCHEME_KEY = 'parlor.scheme';

/** Reads and writes a storage; if it is blocked or full, values are not stored, without an error. */
export class Memory {
  readonly #storage: () => Storage;

  /** @param storage A function, because even accessing `localStorage` may throw. */
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
      // The storage is blocked, for example in a private window.
    }
  }
}
