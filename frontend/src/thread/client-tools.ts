/** Client tools: the call that a thread ends with, carried out in the page, once. */
import type {JSONObject, StreamingRequest} from '../protocol/types.js';
import {strings} from '../strings.js';
import {toError} from '../to-error.js';
import type {LocalEvent, ThreadState} from './thread-state.js';
import type {Turn} from './turn.js';

/** Calls that this page has answered; the oldest are forgotten. */
const MAX_ANSWERED_CALLS = 1000;

/** Carries out a call of a tool that runs in the page; what it gives, or resolves to, goes to the model. */
export type ClientToolHandler = (call: {readonly name: string; readonly params: JSONObject}) => unknown;

export interface ClientToolHost {
  readonly state: () => ThreadState;
  readonly apply: (event: LocalEvent) => void;
  readonly emit: (name: 'error', detail: {readonly error: Error}) => void;
  readonly findClientTool: () => ClientToolHandler | undefined;
}

export class ClientTools {
  readonly #host: ClientToolHost;
  readonly #answered = new Set<string>();

  constructor(host: ClientToolHost) {
    this.#host = host;
  }

  /** Whether the thread ends in a call that nobody has answered. */
  get hasOpenCall(): boolean {
    const item = this.#host.state().entries.at(-1)?.item;
    return item?.type === 'client_tool_call' && item.status === 'pending' && !this.#answered.has(item.id);
  }

  /** The request that carries the result of the open call; `undefined` when the turn is over. */
  async answer(turn: Turn): Promise<StreamingRequest | undefined> {
    const item = this.#host.state().entries.at(-1)?.item;
    const thread = this.#host.state().thread;
    if (turn.signal.aborted || turn.isStopping || turn.isLeft || !thread || !this.hasOpenCall) return undefined;
    if (item?.type !== 'client_tool_call') return undefined;
    this.#answered.add(item.id);
    for (const oldest of this.#answered) {
      if (this.#answered.size <= MAX_ANSWERED_CALLS) break;
      this.#answered.delete(oldest);
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
      // `undefined` would vanish from the JSON, and the server insists on the key.
      return (await handler({name, params})) ?? {};
    } catch (error) {
      this.#host.emit('error', {error: toError(error)});
      return {error: toError(error).message};
    }
  }
}
