/** Client tools: executes the call that a thread ends with in the page, once. */
import type {JSONObject, StreamingRequest} from '../protocol/types.js';
import {strings} from '../strings.js';
import {toError} from '../to-error.js';
import type {LocalEvent, ThreadState} from './thread-state.js';
import type {Turn} from './turn.js';

/** How many answered calls are remembered. */
const MAX_ANSWERED_CALLS = 1000;

/** Executes a tool call in the page; the value it returns, or resolves to, is sent to the model. */
export type ClientToolHandler = (call: {readonly name: string; readonly params: JSONObject}) => unknown;

export interface ClientToolHost {
  readonly state: () => ThreadState;
  readonly apply: (event: LocalEvent) => void;
  readonly emit: (name: 'error', detail: {readonly error: Error}) => void;
  readonly findClientTool: () => ClientToolHandler | undefined;
}

export class ClientTools {
  readonly #host: ClientToolHost;
  readonly #answeredIds = new Set<string>();

  constructor(host: ClientToolHost) {
    this.#host = host;
  }

  /** Whether the thread ends with an unanswered call. */
  get hasOpenCall(): boolean {
    const item = this.#host.state().entries.at(-1)?.item;
    return item?.type === 'client_tool_call' && item.status === 'pending' && !this.#answeredIds.has(item.id);
  }

  /** Executes the open call and returns the request with its result; `undefined` if the turn is over. */
  async answer(turn: Turn): Promise<StreamingRequest | undefined> {
    const item = this.#host.state().entries.at(-1)?.item;
    const thread = this.#host.state().thread;
    if (turn.signal.aborted || turn.isStopping || turn.isInBackground || !thread || !this.hasOpenCall) return undefined;
    if (item?.type !== 'client_tool_call') return undefined;
    this.#answeredIds.add(item.id);
    for (const oldest of this.#answeredIds) {
      if (this.#answeredIds.size <= MAX_ANSWERED_CALLS) break;
      this.#answeredIds.delete(oldest);
    }
    const result = await this.#call(item.name, item.arguments);
    if (turn.signal.aborted) return undefined;
    this.#host.apply({type: 'local.tool_answered', itemId: item.id});
    return {type: 'threads.add_client_tool_output', params: {thread_id: thread.id, result}};
  }

  async #call(name: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const handler = this.#host.findClientTool();
    try {
      if (!handler) throw new Error(strings.noToolHandler(name));
      // `undefined` would be dropped from the JSON, and the server requires the key.
      return (await handler({name, params})) ?? {};
    } catch (error) {
      this.#host.emit('error', {error: toError(error)});
      return {error: toError(error).message};
    }
  }
}
