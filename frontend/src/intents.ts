/** Intents: user actions that views report to the element, in a single event that parent views relay. */
import type {Draft} from './composer/draft-text.js';
import type {SideRequest} from './composer/side-requests.js';
import type {Attachment, StructuredAnswers, UserContent} from './protocol/types.js';
import type {WidgetActionDetail} from './widgets/actions.js';

export type Intent =
  | {
      readonly type: 'send';
      readonly content: readonly UserContent[];
      readonly attachments: readonly Attachment[];
      readonly quotedText: string | undefined;
    }
  /** The draft has changed, by the user or the page. */
  | {readonly type: 'draft'; readonly draft: Draft}
  | {readonly type: 'send-prompt'; readonly content: readonly UserContent[]}
  | {readonly type: 'stop' | 'retry' | 'new-chat' | 'open-history' | 'close-history' | 'more-threads' | 'load-older'}
  | {readonly type: 'open-thread' | 'delete-thread'; readonly threadId: string}
  | {readonly type: 'rename-thread'; readonly threadId: string; readonly title: string}
  | {readonly type: 'select-tool'; readonly toolId: string | undefined}
  | {readonly type: 'select-model'; readonly modelId: string}
  | {
      readonly type: 'feedback';
      readonly kind: 'positive' | 'negative';
      readonly itemIds: readonly string[];
      readonly revert: () => void;
    }
  | {readonly type: 'dismiss-notice'; readonly key: string}
  /** Handled by the transcript, which has the list of sources. */
  | {readonly type: 'show-source'; readonly key: string}
  /** The focused control was removed; the element moves the focus to the composer. */
  | {readonly type: 'focus-composer'}
  | {readonly type: 'dismiss-alert' | 'sign-in-again'}
  | {readonly type: 'header-action'; readonly side: 'left' | 'right'}
  | {readonly type: 'deeplink'; readonly name: string; readonly data: Readonly<Record<string, string>>}
  | {readonly type: 'widget-action'; readonly detail: WidgetActionDetail}
  | ({readonly type: 'answer-input'; readonly itemId: string} & StructuredAnswers)
  | SideRequest;

export class IntentEvent extends Event {
  static readonly type = 'parlor-intent';
  readonly intent: Intent;

  constructor(intent: Intent) {
    super(IntentEvent.type, {bubbles: true, composed: false});
    this.intent = intent;
  }
}

export function dispatch(from: EventTarget, intent: Intent): void {
  from.dispatchEvent(new IntentEvent(intent));
}

/** Returns a listener that relays the intents of children across the shadow root of `host`. */
export function relayTo(host: EventTarget): (event: Event) => void {
  return event => {
    event.stopPropagation();
    if (event instanceof IntentEvent) dispatch(host, event.intent);
  };
}
