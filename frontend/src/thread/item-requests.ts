/** Requests about items of the shown thread: widget actions and ratings. No DOM. */
import type {FeedbackKind, WireAction} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import type {Conversation} from './conversation.js';

export interface Rating {
  readonly kind: FeedbackKind;
  readonly itemIds: readonly string[];
  /** Undoes what the view has shown before the server's response. */
  readonly revert: () => void;
}

export class ItemRequests {
  readonly #client: ChatKitClient;
  readonly #conversation: Conversation;

  constructor(client: ChatKitClient, conversation: Conversation) {
    this.#client = client;
    this.#conversation = conversation;
  }

  /** Sends a widget action. Rejects with an `AbortError` if it failed, since the failure was already shown. */
  async click(action: WireAction, itemId: string, isStreaming: boolean): Promise<void> {
    const result = await this.#conversation.act(action, itemId || undefined, isStreaming);
    // The rejection resets the control to the server's value.
    if (result === false) throw new DOMException('The action failed.', 'AbortError');
    if (result !== true) throw Object.assign(new DOMException(result.message, 'AbortError'), {field: result.field});
  }

  /** Sends a rating of items of the shown thread. */
  async rate({kind, itemIds, revert}: Rating): Promise<void> {
    const threadId = this.#conversation.state.thread?.id;
    if (threadId === undefined) return;
    try {
      await this.#client.send({type: 'items.feedback', params: {thread_id: threadId, item_ids: itemIds, kind}});
      this.#conversation.setRating(threadId, itemIds, kind);
    } catch (error) {
      revert();
      throw error;
    }
  }
}
