/** Requests the server's findings about a widget being edited: after a pause, and only for its newest version. */
import type {Finding} from './groups.js';

const PAUSE_MS = 250;
const TIMEOUT_MS = 10_000;

export interface FindingsResult {
  readonly findings: readonly Finding[];
  /** Why the request has failed; empty if it succeeded. */
  readonly problem: string;
}

export class FindingsRequest {
  readonly #pending = new Map<string, AbortController>();

  /** @param key Identifies the widget; a newer request for it cancels the previous one. */
  request(key: string, widget: unknown, useCase: string | null, onResult: (result: FindingsResult) => void): void {
    this.#pending.get(key)?.abort();
    const controller = new AbortController();
    this.#pending.set(key, controller);
    setTimeout(async () => {
      if (controller.signal.aborted) return;
      const result = await this.#fetch(widget, useCase, controller.signal);
      if (!controller.signal.aborted) onResult(result);
    }, PAUSE_MS);
  }

  stop(): void {
    for (const controller of this.#pending.values()) controller.abort();
    this.#pending.clear();
  }

  async #fetch(widget: unknown, useCase: string | null, signal: AbortSignal): Promise<FindingsResult> {
    try {
      const answer = await fetch('widgets/findings', {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({widget, use_case: useCase}),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      return {findings: ((await answer.json()) as FindingsResult).findings, problem: ''};
    } catch (error) {
      return {findings: [], problem: `It could not be checked: ${(error as Error).message}`};
    }
  }
}
