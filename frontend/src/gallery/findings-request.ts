/** Asks the server what is wrong with a widget that somebody writes: when they pause, and the newest question only. */
import type {Finding} from './groups.js';

const PAUSE_MS = 250;
const TIMEOUT_MS = 10_000;

export interface Found {
  readonly findings: readonly Finding[];
  /** Why there is no answer; empty where there is one. */
  readonly problem: string;
}

export class FindingsRequest {
  readonly #asked = new Map<string, AbortController>();

  /** @param key The widget; a newer question about it takes the place of an older one. */
  ask(key: string, widget: unknown, useCase: string | null, answered: (found: Found) => void): void {
    this.#asked.get(key)?.abort();
    const asking = new AbortController();
    this.#asked.set(key, asking);
    setTimeout(async () => {
      if (asking.signal.aborted) return;
      const found = await this.#fetch(widget, useCase, asking.signal);
      if (!asking.signal.aborted) answered(found);
    }, PAUSE_MS);
  }

  stop(): void {
    for (const asking of this.#asked.values()) asking.abort();
    this.#asked.clear();
  }

  async #fetch(widget: unknown, useCase: string | null, signal: AbortSignal): Promise<Found> {
    try {
      const answer = await fetch('widgets/findings', {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({widget, use_case: useCase}),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      return {findings: ((await answer.json()) as Found).findings, problem: ''};
    } catch (error) {
      return {findings: [], problem: `It could not be checked: ${(error as Error).message}`};
    }
  }
}
