/** The types of the ChatKit protocol: requests as they are sent, events and items as `parsing.ts` returns them. */

export type JSONObject = Readonly<Record<string, unknown>>;

export type ThreadStatus =
  | {readonly type: 'active'}
  | {readonly type: 'locked' | 'closed'; readonly reason: string | undefined};

export interface Thread {
  readonly id: string;
  readonly title: string | undefined;
  readonly status: ThreadStatus;
  /** Hosts that images in answers may come from; `undefined` means any. */
  readonly allowedImageDomains: readonly string[] | undefined;
  readonly createdAt: string | undefined;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
  readonly after: string | undefined;
}

export type UserContent =
  | {readonly type: 'input_text'; readonly text: string}
  | {
      readonly type: 'input_tag';
      readonly id: string;
      readonly text: string;
      readonly data: JSONObject;
      readonly group?: string;
      readonly interactive?: boolean;
    };

export interface Attachment {
  readonly type: 'file' | 'image';
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  readonly previewUrl: string | undefined;
}

export interface Annotation {
  readonly source: JSONObject;
  readonly index: number | undefined;
}
export interface TextPart {
  readonly text: string;
  readonly annotations: readonly Annotation[];
}

export type TaskStatus = 'none' | 'loading' | 'complete' | 'failed';
/** A step of a workflow, with the fields of all task types: `type` decides which of them are used. */
export interface Task {
  readonly type: string;
  readonly status: TaskStatus;
  readonly title: string | undefined;
  readonly icon: string | undefined;
  readonly content: string | undefined;
  readonly queries: readonly string[];
  readonly sources: readonly JSONObject[];
}
export interface WorkflowSummary {
  readonly title: string | undefined;
  readonly icon: string | undefined;
  readonly durationS: number | undefined;
}
export interface Workflow {
  readonly type: string;
  readonly tasks: readonly Task[];
  readonly summary: WorkflowSummary | undefined;
  readonly expanded: boolean;
}

interface ItemBase {
  readonly id: string;
  readonly createdAt?: string | undefined;
}
export interface UserMessage extends ItemBase {
  readonly type: 'user_message';
  readonly content: readonly UserContent[];
  readonly attachments: readonly Attachment[];
  readonly quotedText: string | undefined;
}
export interface AssistantMessage extends ItemBase {
  readonly type: 'assistant_message';
  readonly content: readonly TextPart[];
}
export interface WidgetItem extends ItemBase {
  readonly type: 'widget';
  readonly widget: JSONObject;
  readonly copyText: string | undefined;
}
export interface ClientToolCall extends ItemBase {
  readonly type: 'client_tool_call';
  readonly status: string;
  readonly name: string;
  readonly arguments: JSONObject;
}
export interface GeneratedImage extends ItemBase {
  readonly type: 'generated_image';
  readonly url: string | undefined;
  /** 0 to 1 while the image is being made. */
  readonly progress: number | undefined;
}
/** The user’s answer to one question; without values if it was skipped. */
export interface QuestionAnswer {
  readonly values: readonly string[];
  readonly skipped: boolean;
}
interface QuestionBase {
  readonly id: string;
  readonly question: string;
  readonly answer: QuestionAnswer | undefined;
}
/** A question with options. The user may always give an answer of their own instead. */
export interface MultipleChoice extends QuestionBase {
  readonly type: 'multiple_choice';
  readonly options: readonly string[];
  readonly multiple: boolean;
}
export interface Freeform extends QuestionBase {
  readonly type: 'freeform';
  readonly description: string | undefined;
}
export type Question = MultipleChoice | Freeform;
export interface StructuredInput extends ItemBase {
  readonly type: 'structured_input';
  readonly status: 'pending' | 'answered' | 'skipped';
  readonly inputs: readonly Question[];
}
export interface WorkflowItem extends ItemBase {
  readonly type: 'workflow';
  readonly workflow: Workflow;
}
export interface TaskItem extends ItemBase {
  readonly type: 'task';
  readonly task: Task;
}
export interface EndOfTurn extends ItemBase {
  readonly type: 'end_of_turn';
}
export type ThreadItem =
  | UserMessage
  | AssistantMessage
  | WidgetItem
  | ClientToolCall
  | GeneratedImage
  | StructuredInput
  | WorkflowItem
  | TaskItem
  | EndOfTurn;

export type ItemUpdate =
  | {readonly type: 'assistant_message.content_part.added'; readonly index: number; readonly part: TextPart}
  | {readonly type: 'assistant_message.content_part.text_delta'; readonly index: number; readonly delta: string}
  | {
      readonly type: 'assistant_message.content_part.annotation_added';
      readonly index: number;
      readonly at: number;
      readonly annotation: Annotation;
    }
  | {readonly type: 'assistant_message.content_part.done'; readonly index: number; readonly part: TextPart}
  | {
      readonly type: 'widget.streaming_text.value_delta';
      readonly componentId: string;
      readonly delta: string;
      readonly done: boolean;
    }
  | {readonly type: 'widget.component.updated'; readonly componentId: string; readonly component: JSONObject}
  | {readonly type: 'widget.root.updated'; readonly widget: JSONObject}
  | {readonly type: 'workflow.task.added' | 'workflow.task.updated'; readonly index: number; readonly task: Task}
  | {readonly type: 'generated_image.updated'; readonly url: string | undefined; readonly progress: number | undefined};

export type FeedbackKind = 'positive' | 'negative';
/** Ratings by item id. */
export type Ratings = ReadonlyMap<string, FeedbackKind>;

export type NoticeLevel = 'info' | 'warning' | 'danger';

export type StreamEvent =
  | {readonly type: 'thread.created' | 'thread.updated'; readonly thread: Thread}
  | {readonly type: 'thread.item.added' | 'thread.item.done' | 'thread.item.replaced'; readonly item: ThreadItem}
  | {readonly type: 'thread.item.updated'; readonly itemId: string; readonly update: ItemUpdate}
  | {readonly type: 'thread.item.removed'; readonly itemId: string}
  | {readonly type: 'stream_options'; readonly allowCancel: boolean}
  | {readonly type: 'progress_update'; readonly text: string; readonly icon: string | undefined}
  | {readonly type: 'client_effect'; readonly name: string; readonly data: JSONObject}
  | {
      readonly type: 'notice';
      readonly level: NoticeLevel;
      readonly title: string | undefined;
      readonly message: string;
    }
  | {
      readonly type: 'error';
      readonly code: string;
      readonly message: string | undefined;
      readonly allowRetry: boolean;
    }
  /** Parlor only: finished items were left out of a replay, and the thread has to be reloaded. */
  | {readonly type: 'run.gap'};

export interface UserMessageInput {
  readonly content: readonly UserContent[];
  readonly attachments: readonly string[];
  readonly quoted_text?: string;
  readonly inference_options: {readonly tool_choice?: {readonly id: string}; readonly model?: string};
}
export interface WireAction {
  readonly type: string;
  readonly payload?: unknown;
}
/** Answers to the questions of a `structured_input` item, by question id. */
export interface StructuredAnswers {
  readonly status: 'answered' | 'skipped';
  readonly answers: Readonly<Record<string, QuestionAnswer>>;
}
interface ActionParams {
  readonly thread_id: string;
  readonly item_id?: string;
  readonly action: WireAction;
}
/** Servers that do not support idempotency keys ignore all metadata. */
interface ActionMetadata {
  readonly idempotency_key: string;
}

/** Requests that are answered with a stream of events. */
export type StreamingRequest =
  | {readonly type: 'threads.create'; readonly params: {readonly input: UserMessageInput}}
  | {
      readonly type: 'threads.add_user_message';
      readonly params: {readonly thread_id: string; readonly input: UserMessageInput};
    }
  | {
      readonly type: 'threads.add_client_tool_output';
      readonly params: {readonly thread_id: string; readonly result: unknown};
    }
  | {readonly type: 'threads.retry_after_item'; readonly params: {readonly thread_id: string; readonly item_id: string}}
  | {
      readonly type: 'threads.add_structured_input';
      readonly params: {readonly thread_id: string; readonly item_id: string; readonly input: StructuredAnswers};
    }
  | {readonly type: 'threads.custom_action'; readonly params: ActionParams; readonly metadata: ActionMetadata}
  /** Parlor only: attach to the run of a thread, after the event number `after` of the run `run_id`. */
  | {
      readonly type: 'runs.attach';
      readonly params: {readonly thread_id: string; readonly after?: number; readonly run_id?: string};
    };

interface PageParams {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly after?: string;
}
/** Requests that are answered with one JSON document. */
export type JSONRequest =
  | {readonly type: 'threads.sync_custom_action'; readonly params: ActionParams; readonly metadata: ActionMetadata}
  | {readonly type: 'threads.get_by_id' | 'threads.delete'; readonly params: {readonly thread_id: string}}
  | {readonly type: 'threads.list'; readonly params: PageParams}
  | {readonly type: 'threads.update'; readonly params: {readonly thread_id: string; readonly title: string}}
  | {readonly type: 'items.list'; readonly params: PageParams & {readonly thread_id: string}}
  | {
      readonly type: 'items.feedback';
      readonly params: {
        readonly thread_id: string;
        readonly item_ids: readonly string[];
        readonly kind: FeedbackKind;
      };
    }
  | {
      readonly type: 'attachments.create';
      readonly params: {readonly name: string; readonly size: number; readonly mime_type: string};
    }
  | {readonly type: 'attachments.delete'; readonly params: {readonly attachment_id: string}}
  | {
      readonly type: 'input.transcribe';
      readonly params: {readonly audio_base64: string; readonly mime_type: string};
    }
  /** Parlor only: stop the run of a thread and keep its output so far. */
  | {readonly type: 'runs.stop'; readonly params: {readonly thread_id: string}};
