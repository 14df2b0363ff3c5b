/** Requests about an item that the thread shows already: a click in a widget, a rating. No DOM. */
import type {FeedbackKind, WireAction} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import type {Conversation} from './conversation.js';

export interface Rating {
  readonly kind: FeedbackKind;
  readonly itemIds: readonly string[];
  /** Takes back what the view has shown ahead of the server's word. */
  readonly revert: () => void;
}

export class ItemRequests {
  readonly #client: ChatKitClient;
  readonly #conversation: Conversation;

  constructor(client: ChatKitClient, conversation: Conversation) {
    this.#client = client;
    this.#conversation = conversation;
  }

  /** Sends a click in a widget. Rejects with an `AbortError` when it failed, for the conversation has told it by then. */
  async click(action: WireAction, itemId: string, isStreaming: boolean): Promise<void> {
    const result = await this.#conversation.act(action, itemId || undefined, isStreaming);
    // What was clicked goes back to what the server says.
    if (result === false) throw new DOMException('The action failed.', 'AbortError');
    if (result !== true) throw Object.assign(new DOMException(result.message, 'AbortError'), {field: result.field});
  }

  /** Sends a rating of items of the thread that is shown. */
  async rate({kind, itemIds, revert}: Rating): Promise<void> {
    const threadId = this.#conversation.state.thread?.id;
    if (threadId === undefined) return;
    try {
      await this.#client.send({type: 'items.feedback', params: {thread_id: threadId, item_ids: itemIds, kind}});
      this.#conversation.rated(threadId, itemIds, kind);
    } catch (error) {
      revert();
      throw error;
    }
  }
}
