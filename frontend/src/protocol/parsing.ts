/** Parses `unknown` from the wire into protocol types. Tolerant: unknown or invalid values become `undefined`. */
import type {
  Annotation,
  Attachment,
  FeedbackKind,
  ItemUpdate,
  JSONObject,
  NoticeLevel,
  Page,
  Question,
  QuestionAnswer,
  Ratings,
  StreamEvent,
  Task,
  TaskStatus,
  TextPart,
  Thread,
  ThreadItem,
  ThreadStatus,
  UserContent,
  Workflow,
  WorkflowSummary,
} from './types.js';

/** Largest index of a content part or task; a larger one is rejected, because lists are padded up to it. */
export const MAX_INDEX = 10_000;

export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function toNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function toIndex(value: unknown): number | undefined {
  const index = value ?? 0;
  return Number.isInteger(index) && (index as number) >= 0 && (index as number) <= MAX_INDEX
    ? (index as number)
    : undefined;
}

function toObject(value: unknown): JSONObject {
  return isObject(value) ? value : {};
}

function parseList<T>(value: unknown, parse: (entry: unknown) => T | undefined): readonly T[] {
  return Array.isArray(value) ? value.map(parse).filter(entry => entry !== undefined) : [];
}

function parseObject(value: unknown): JSONObject | undefined {
  return isObject(value) ? value : undefined;
}

function parseStatus(value: unknown): ThreadStatus {
  const status = toObject(value);
  if (status.type === 'locked' || status.type === 'closed') return {type: status.type, reason: toText(status.reason)};
  return {type: 'active'};
}

export function parseThread(value: unknown): Thread | undefined {
  if (!isObject(value) || typeof value.id !== 'string' || value.id === '') return undefined;
  return {
    id: value.id,
    title: toText(value.title) || undefined,
    status: parseStatus(value.status),
    allowedImageDomains: Array.isArray(value.allowed_image_domains)
      ? parseList(value.allowed_image_domains, toText)
      : undefined,
    createdAt: toText(value.created_at),
  };
}

/** Parses a page of entries; those for which `parse` returns `undefined` are dropped. */
export function parsePage<T>(value: unknown, parse: (entry: unknown) => T | undefined): Page<T> {
  const page = toObject(value);
  return {data: parseList(page.data, parse), hasMore: page.has_more === true, after: toText(page.after)};
}

export function parseUserContent(value: unknown): UserContent | undefined {
  if (!isObject(value) || typeof value.text !== 'string') return undefined;
  if (value.type === 'input_text') return {type: 'input_text', text: value.text};
  if (value.type !== 'input_tag') return undefined;
  return {
    type: 'input_tag',
    id: toText(value.id) ?? '',
    text: value.text,
    // Servers refuse a tag without data.
    data: toObject(value.data),
    ...(typeof value.group === 'string' ? {group: value.group} : {}),
    ...(typeof value.interactive === 'boolean' ? {interactive: value.interactive} : {}),
  };
}

export function parseAttachment(value: unknown): Attachment | undefined {
  if (!isObject(value) || typeof value.id !== 'string') return undefined;
  return {
    type: value.type === 'image' ? 'image' : 'file',
    id: value.id,
    name: toText(value.name) ?? '',
    mimeType: toText(value.mime_type) ?? '',
    previewUrl: toText(value.preview_url),
  };
}

function parseAnnotation(value: unknown): Annotation | undefined {
  if (!isObject(value) || !isObject(value.source)) return undefined;
  return {source: value.source, index: toNumber(value.index)};
}

function parseTextPart(value: unknown): TextPart {
  const part = toObject(value);
  return {text: toText(part.text) ?? '', annotations: parseList(part.annotations, parseAnnotation)};
}

const TASK_STATUSES: ReadonlySet<unknown> = new Set<TaskStatus>(['none', 'loading', 'complete', 'failed']);

export function parseTask(value: unknown): Task | undefined {
  if (!isObject(value)) return undefined;
  return {
    type: toText(value.type) ?? 'custom',
    status: TASK_STATUSES.has(value.status_indicator) ? (value.status_indicator as TaskStatus) : 'none',
    title: toText(value.title) ?? toText(value.title_query),
    icon: toText(value.icon),
    content: toText(value.content),
    queries: parseList(value.queries, toText),
    sources: parseList(value.sources, parseObject),
  };
}

function parseSummary(value: unknown): WorkflowSummary | undefined {
  if (!isObject(value)) return undefined;
  return {title: toText(value.title), icon: toText(value.icon), durationS: toNumber(value.duration)};
}

function parseWorkflow(value: unknown): Workflow {
  const workflow = toObject(value);
  return {
    type: toText(workflow.type) ?? 'custom',
    tasks: parseList(workflow.tasks, parseTask),
    summary: parseSummary(workflow.summary),
    expanded: workflow.expanded === true,
  };
}

function parseQuestion(value: unknown): Question | undefined {
  if (!isObject(value) || typeof value.id !== 'string') return undefined;
  const base = {id: value.id, question: toText(value.question) ?? '', answer: parseAnswer(value.answer)};
  if (value.type !== 'multiple_choice')
    return {...base, type: 'freeform', description: toText(value.description) || undefined};
  const options = parseList(value.options, option => toText(toObject(option).value));
  return {...base, type: value.type, options, multiple: value.multiple === true};
}

function parseAnswer(value: unknown): QuestionAnswer | undefined {
  return isObject(value) ? {values: parseList(value.values, toText), skipped: value.skipped === true} : undefined;
}

/** Parses the ratings that a Parlor server sends with a page of items; empty for other servers. */
export function parseRatings(value: unknown): Ratings {
  const kinds = Object.entries(toObject(toObject(value).feedback));
  return new Map(kinds.filter((entry): entry is [string, FeedbackKind] => isFeedbackKind(entry[1])));
}

function isFeedbackKind(value: unknown): value is FeedbackKind {
  return value === 'positive' || value === 'negative';
}

/** Parses an item; hidden and unknown types, and items without an id, become `undefined`. */
export function parseItem(value: unknown): ThreadItem | undefined {
  if (!isObject(value) || typeof value.id !== 'string' || value.id === '') return undefined;
  const base = {id: value.id, createdAt: toText(value.created_at)};
  switch (value.type) {
    case 'user_message':
      return {
        ...base,
        type: value.type,
        content: parseList(value.content, parseUserContent),
        attachments: parseList(value.attachments, parseAttachment),
        quotedText: toText(value.quoted_text) || undefined,
      };
    case 'assistant_message':
      return {...base, type: value.type, content: Array.isArray(value.content) ? value.content.map(parseTextPart) : []};
    case 'widget':
      return {...base, type: value.type, widget: toObject(value.widget), copyText: toText(value.copy_text)};
    case 'client_tool_call':
      return {
        ...base,
        type: value.type,
        status: toText(value.status) ?? 'pending',
        name: toText(value.name) ?? '',
        arguments: toObject(value.arguments),
      };
    case 'generated_image':
      return {...base, type: value.type, url: toText(toObject(value.image).url), progress: undefined};
    case 'structured_input':
      return {
        ...base,
        type: value.type,
        status: value.status === 'answered' || value.status === 'skipped' ? value.status : 'pending',
        inputs: parseList(value.inputs, parseQuestion),
      };
    case 'workflow':
      return {...base, type: value.type, workflow: parseWorkflow(value.workflow)};
    case 'task': {
      const task = parseTask(value.task);
      return task && {...base, type: value.type, task};
    }
    case 'end_of_turn':
      return {...base, type: value.type};
    default:
      return undefined;
  }
}

function parseUpdate(value: unknown): ItemUpdate | undefined {
  if (!isObject(value)) return undefined;
  const index = toIndex(value.content_index);
  switch (value.type) {
    case 'assistant_message.content_part.added':
    case 'assistant_message.content_part.done':
      return index === undefined ? undefined : {type: value.type, index, part: parseTextPart(value.content)};
    case 'assistant_message.content_part.text_delta':
      return index === undefined ? undefined : {type: value.type, index, delta: toText(value.delta) ?? ''};
    case 'assistant_message.content_part.annotation_added': {
      const annotation = parseAnnotation(value.annotation);
      if (index === undefined || annotation === undefined) return undefined;
      return {type: value.type, index, at: toIndex(value.annotation_index) ?? MAX_INDEX, annotation};
    }
    case 'widget.streaming_text.value_delta':
      if (typeof value.component_id !== 'string') return undefined;
      return {
        type: value.type,
        componentId: value.component_id,
        delta: toText(value.delta) ?? '',
        done: value.done === true,
      };
    case 'widget.component.updated':
      if (typeof value.component_id !== 'string' || !isObject(value.component)) return undefined;
      return {type: value.type, componentId: value.component_id, component: value.component};
    case 'widget.root.updated':
      return isObject(value.widget) ? {type: value.type, widget: value.widget} : undefined;
    case 'workflow.task.added':
    case 'workflow.task.updated': {
      const at = toIndex(value.task_index);
      const task = parseTask(value.task);
      return at === undefined || task === undefined ? undefined : {type: value.type, index: at, task};
    }
    case 'generated_image.updated':
      return {type: value.type, url: toText(toObject(value.image).url), progress: toNumber(value.progress)};
    default:
      return undefined;
  }
}

/** Parses an event of a stream; unknown types become `undefined`. */
export function parseEvent(value: unknown): StreamEvent | undefined {
  if (!isObject(value)) return undefined;
  switch (value.type) {
    case 'thread.created':
    case 'thread.updated': {
      const thread = parseThread(value.thread);
      return thread && {type: value.type, thread};
    }
    case 'thread.item.added':
    case 'thread.item.done':
    case 'thread.item.replaced': {
      const item = parseItem(value.item);
      return item && {type: value.type, item};
    }
    case 'thread.item.updated': {
      const update = parseUpdate(value.update);
      return update && typeof value.item_id === 'string'
        ? {type: value.type, itemId: value.item_id, update}
        : undefined;
    }
    case 'thread.item.removed':
      return typeof value.item_id === 'string' ? {type: value.type, itemId: value.item_id} : undefined;
    case 'stream_options':
      return {type: value.type, allowCancel: toObject(value.stream_options).allow_cancel !== false};
    case 'progress_update':
      return {type: value.type, text: toText(value.text) ?? '', icon: toText(value.icon)};
    case 'client_effect':
      return typeof value.name === 'string'
        ? {type: value.type, name: value.name, data: toObject(value.data)}
        : undefined;
    case 'notice':
      return {
        type: value.type,
        level: parseLevel(value.level),
        title: toText(value.title),
        message: toText(value.message) ?? '',
      };
    case 'error':
      return {
        type: value.type,
        code: toText(value.code) ?? 'custom',
        message: toText(value.message),
        allowRetry: value.allow_retry === true,
      };
    case 'run.gap':
      return {type: value.type};
    default:
      return undefined;
  }
}

function parseLevel(value: unknown): NoticeLevel {
  return value === 'warning' || value === 'danger' ? value : 'info';
}

/** Parses the error body of a failed request: `{"error": {"message", "code", "id"}}`, or FastAPI's `{"detail"}`. */
export function parseFailure(value: unknown): {
  readonly message: string | undefined;
  readonly code: string | undefined;
  readonly id: string | undefined;
  /** The name of the form field whose value was rejected. */
  readonly field: string | undefined;
} {
  const body = toObject(value);
  const error = toObject(body.error);
  return {
    message: toText(error.message) ?? toText(body.error) ?? toText(body.detail),
    code: toText(error.code),
    id: toText(error.id),
    field: toText(error.field),
  };
}
