/** The state of one thread and its reducer, `reduce(state, event)`. No DOM, no fetch, no clock. */
import type {
  FeedbackKind,
  NoticeLevel,
  Ratings,
  StreamEvent,
  StructuredAnswers,
  StructuredInput,
  Thread,
  ThreadItem,
  UserMessage,
} from '../protocol/types.js';
import {unreachable} from '../unreachable.js';
import {reduceItem} from './item-updates.js';

/** How many notices of a turn are kept; the oldest are dropped. */
const MAX_NOTICES = 10;

export interface Entry {
  /** Stable even when the server's id replaces the optimistic one, so that the view is not rebuilt. */
  readonly key: string;
  readonly item: ThreadItem;
  /** Whether the item is still being streamed. */
  readonly isStreaming: boolean;
}
export interface Notice {
  readonly key: string;
  readonly level: NoticeLevel;
  readonly title: string | undefined;
  readonly message: string;
}
export interface Failure {
  /** The server's message; `undefined` for the default text of the view. */
  readonly message: string | undefined;
  readonly canRetry: boolean;
  /** Whether the server rejected the message itself, so that sending it again would not help. */
  readonly isRefused?: boolean;
}
export interface Progress {
  readonly text: string;
  readonly icon: string | undefined;
}
/** Cursor of the next older page; `undefined` if there is none. */
export type OlderPage = {readonly after: string | undefined} | undefined;

export interface ThreadState {
  readonly thread: Thread | undefined;
  readonly entries: readonly Entry[];
  readonly older: OlderPage;
  readonly isResponding: boolean;
  readonly canCancel: boolean;
  /** Whether the connection is lost and being re-established; the answer continues on the server. */
  readonly isReconnecting: boolean;
  readonly progress: Progress | undefined;
  readonly notices: readonly Notice[];
  readonly failure: Failure | undefined;
  /** Key of the optimistic bubble that the server has not echoed yet. */
  readonly unconfirmedKey: string | undefined;
  /** The user’s ratings of answers, by item id. */
  readonly ratings: Ratings;
  /** Counter that makes local keys unique. */
  readonly sequence: number;
  /** Whether no turn has started since the thread was loaded. */
  readonly isAsLoaded: boolean;
}

/** A thread as loaded from the server: its newest items, oldest first. */
export interface Snapshot {
  readonly thread: Thread | undefined;
  readonly items: readonly ThreadItem[];
  readonly older: OlderPage;
  readonly ratings?: Ratings;
}

export type LocalEvent =
  | ({readonly type: 'local.opened'} & Snapshot)
  | {
      readonly type: 'local.older_loaded';
      readonly items: readonly ThreadItem[];
      readonly older: OlderPage;
      readonly ratings?: Ratings;
    }
  /** `keepsTurn`: keeps items of the running turn that the server has not stored yet. */
  | ({readonly type: 'local.refreshed'; readonly keepsTurn?: boolean} & Snapshot)
  | {readonly type: 'local.turn_started'; readonly message: Omit<UserMessage, 'id'> | undefined}
  /** `isStopped`: the user stopped the turn before its end. */
  | {readonly type: 'local.turn_ended'; readonly isStopped?: boolean}
  | {readonly type: 'local.failed'; readonly failure: Failure}
  | {readonly type: 'local.cut_after'; readonly itemId: string}
  /** `entries`: the entries before the cut. */
  | {readonly type: 'local.cut_undone'; readonly entries: readonly Entry[]}
  | {readonly type: 'local.unconfirmed_dropped'}
  | {readonly type: 'local.connection'; readonly isLost: boolean}
  | {readonly type: 'local.tool_answered'; readonly itemId: string}
  /** `input`: the answers; `undefined` removes them again. */
  | {readonly type: 'local.input_answered'; readonly itemId: string; readonly input: StructuredAnswers | undefined}
  | {readonly type: 'local.rated'; readonly itemIds: readonly string[]; readonly kind: FeedbackKind}
  | {readonly type: 'local.notice_dismissed'; readonly key: string};

export const EMPTY_THREAD: ThreadState = {
  thread: undefined,
  entries: [],
  older: undefined,
  isResponding: false,
  canCancel: true,
  isReconnecting: false,
  progress: undefined,
  notices: [],
  failure: undefined,
  unconfirmedKey: undefined,
  ratings: new Map(),
  sequence: 0,
  isAsLoaded: false,
};

export function reduce(state: ThreadState, event: StreamEvent | LocalEvent): ThreadState {
  switch (event.type) {
    case 'thread.created':
    case 'thread.updated':
      return {...state, thread: event.thread};
    case 'thread.item.added':
      return upsert(state, event.item, true);
    case 'thread.item.done':
      return upsert(confirmMessage(state, event.item), event.item, false);
    case 'thread.item.replaced':
      return upsert(state, event.item, isStreamingItem(state, event.item.id));
    case 'thread.item.updated':
      return mapEntry(state, event.itemId, entry => ({...entry, item: reduceItem(entry.item, event.update)}));
    case 'thread.item.removed':
      return {...state, entries: state.entries.filter(({item}) => item.id !== event.itemId)};
    case 'stream_options':
      return {...state, canCancel: event.allowCancel};
    case 'progress_update':
      return {...state, progress: {text: event.text, icon: event.icon}};
    case 'client_effect':
    case 'run.gap':
      return state;
    case 'notice':
      return addNotice(state, event);
    case 'error':
      return {...state, progress: undefined, failure: {message: event.message, canRetry: event.allowRetry}};
    case 'local.opened':
      return {
        ...EMPTY_THREAD,
        thread: event.thread,
        entries: event.items.map(toEntry),
        older: event.older,
        ratings: event.ratings ?? EMPTY_THREAD.ratings,
        isAsLoaded: true,
      };
    case 'local.older_loaded':
      return {
        ...state,
        entries: [...filterUnknown(state, event.items).map(toEntry), ...state.entries],
        older: event.older,
        ratings: mergeRatings(state.ratings, event.ratings),
      };
    case 'local.refreshed':
      return refresh(state, event, event.keepsTurn === true);
    case 'local.turn_started':
      return startTurn(state, event.message);
    case 'local.turn_ended':
      return {
        ...state,
        isResponding: false,
        canCancel: true,
        isReconnecting: false,
        progress: undefined,
        entries: [...state.entries.map(finishEntry), ...(event.isStopped ? [buildStopEntry(state)] : [])],
        sequence: state.sequence + 1,
      };
    case 'local.failed':
      return {...state, progress: undefined, failure: event.failure};
    case 'local.cut_after': {
      const at = state.entries.findIndex(({item}) => item.id === event.itemId);
      return at < 0 ? state : {...state, entries: state.entries.slice(0, at + 1)};
    }
    case 'local.cut_undone':
      return {...state, entries: event.entries};
    case 'local.unconfirmed_dropped':
      return {
        ...state,
        entries: state.entries.filter(({key}) => key !== state.unconfirmedKey),
        unconfirmedKey: undefined,
        failure: undefined,
      };
    case 'local.connection':
      return state.isReconnecting === event.isLost ? state : {...state, isReconnecting: event.isLost};
    case 'local.input_answered':
      return mapEntry(state, event.itemId, entry =>
        entry.item.type === 'structured_input' ? {...entry, item: withAnswers(entry.item, event.input)} : entry,
      );
    case 'local.rated':
      return {...state, ratings: mergeRatings(state.ratings, new Map(event.itemIds.map(id => [id, event.kind])))};
    case 'local.tool_answered':
      return mapEntry(state, event.itemId, entry =>
        entry.item.type === 'client_tool_call' ? {...entry, item: {...entry.item, status: 'completed'}} : entry,
      );
    case 'local.notice_dismissed':
      return {...state, notices: state.notices.filter(({key}) => key !== event.key)};
    default:
      return unreachable(event);
  }
}

/** Returns how an answer was cut short, if the item is a marker of that, stored by the server or set by this page. */
export function findCut(item: ThreadItem): 'interrupted' | 'stopped' | undefined {
  if (item.type !== 'task') return undefined;
  return item.id.startsWith('interrupted_') ? 'interrupted' : item.id.startsWith('stopped_') ? 'stopped' : undefined;
}

/** Finds the newest user message that the server has confirmed. */
export function findLastUserMessage(state: ThreadState): UserMessage | undefined {
  const entry = state.entries.findLast(({item, key}) => item.type === 'user_message' && key !== state.unconfirmedKey);
  return entry?.item.type === 'user_message' ? entry.item : undefined;
}

/** Finds questions that wait for an answer. A later user message counts as skipping them. */
export function findPendingInput(state: ThreadState): StructuredInput | undefined {
  const item = state.entries.findLast(
    entry => entry.item.type === 'user_message' || (entry.item.type === 'structured_input' && !entry.isStreaming),
  )?.item;
  return item?.type === 'structured_input' && item.status === 'pending' && item.inputs.length > 0 ? item : undefined;
}

function withAnswers(item: StructuredInput, input: StructuredAnswers | undefined): StructuredInput {
  const answerOf = (id: string) => (input && Object.hasOwn(input.answers, id) ? input.answers[id] : undefined);
  return {
    ...item,
    status: input?.status ?? 'pending',
    inputs: item.inputs.map(question => ({...question, answer: answerOf(question.id)})),
  };
}

function mergeRatings(ratings: Ratings, more: Ratings | undefined): Ratings {
  return more && more.size > 0 ? new Map([...ratings, ...more]) : ratings;
}

function toEntry(item: ThreadItem): Entry {
  return {key: item.id, item, isStreaming: false};
}

/** Builds the marker of a stopped answer, in the form in which Parlor servers store it. */
function buildStopEntry({sequence}: ThreadState): Entry {
  const id = `stopped_local:${sequence}`;
  const task = {
    type: 'custom',
    title: undefined,
    icon: undefined,
    content: undefined,
    status: 'none',
    queries: [],
    sources: [],
  } as const;
  return {key: id, item: {type: 'task', id, task}, isStreaming: false};
}

function finishEntry(entry: Entry): Entry {
  return entry.isStreaming ? {...entry, isStreaming: false} : entry;
}

function isStreamingItem(state: ThreadState, id: string): boolean {
  return state.entries.some(entry => entry.item.id === id && entry.isStreaming);
}

function mapEntry(state: ThreadState, id: string, change: (entry: Entry) => Entry): ThreadState {
  const at = state.entries.findLastIndex(({item}) => item.id === id);
  const entry = state.entries[at];
  if (!entry) return state;
  return {...state, entries: state.entries.with(at, change(entry))};
}

/** Replaces the optimistic message by the first user message that the server echoes, whatever its id. */
function confirmMessage(state: ThreadState, item: ThreadItem): ThreadState {
  if (item.type !== 'user_message' || state.unconfirmedKey === undefined) return state;
  const entries = state.entries.map(entry => (entry.key === state.unconfirmedKey ? {...entry, item} : entry));
  return {...state, entries, unconfirmedKey: undefined};
}

function upsert(state: ThreadState, item: ThreadItem, isStreaming: boolean): ThreadState {
  const isVisible = item.type !== 'user_message' && item.type !== 'end_of_turn' && item.type !== 'client_tool_call';
  const progress = isVisible ? undefined : state.progress;
  if (state.entries.some(entry => entry.item.id === item.id)) {
    return {...mapEntry(state, item.id, entry => ({...entry, item, isStreaming})), progress};
  }
  return {...state, progress, entries: [...state.entries, {key: item.id, item, isStreaming}]};
}

function filterUnknown(state: ThreadState, items: readonly ThreadItem[]): readonly ThreadItem[] {
  const known = new Set(state.entries.map(({item}) => item.id));
  return items.filter(({id}) => !known.has(id));
}

/** Merges the newest page into the entries: applies changes, additions and removals; older entries stay. */
function refresh(state: ThreadState, {thread, items, older, ratings}: Snapshot, keepsTurn: boolean): ThreadState {
  const known = new Map(state.entries.map(entry => [entry.item.id, entry]));
  const fresh = items.map(item => {
    const entry = known.get(item.id);
    // An equal item keeps its identity, so that its view does not render again.
    if (entry && JSON.stringify(entry.item) === JSON.stringify(item)) return entry;
    return {key: entry?.key ?? item.id, item, isStreaming: false};
  });
  const firstId = items[0]?.id;
  const from = state.entries.findIndex(({item}) => item.id === firstId);
  const above = from < 0 ? [] : state.entries.slice(0, from);
  const freshIds = new Set(items.map(({id}) => id));
  const turn = keepsTurn ? state.entries.slice(findLastQuestion(state)) : [];
  const below = [...turn, ...state.entries.filter(({key}) => key === state.unconfirmedKey)];
  const kept = [...new Set(below)].filter(entry => !freshIds.has(entry.item.id) && !above.includes(entry));
  return {
    ...state,
    thread: thread ?? state.thread,
    entries: [...above, ...fresh, ...kept],
    // Older entries are kept only if there is no gap between them and the page.
    older: from < 0 ? older : state.older,
    ratings: mergeRatings(state.ratings, ratings),
  };
}

function findLastQuestion(state: ThreadState): number {
  return Math.max(
    state.entries.findLastIndex(({item}) => item.type === 'user_message'),
    0,
  );
}

function startTurn(state: ThreadState, message: Omit<UserMessage, 'id'> | undefined): ThreadState {
  const started = {
    ...state,
    isAsLoaded: false,
    isResponding: true,
    canCancel: true,
    isReconnecting: false,
    progress: undefined,
    failure: undefined,
    notices: [],
  };
  if (!message) return started;
  const key = `local:${state.sequence}`;
  return {
    ...started,
    sequence: state.sequence + 1,
    unconfirmedKey: key,
    entries: [...state.entries, {key, item: {...message, id: key}, isStreaming: false}],
  };
}

function addNotice(state: ThreadState, notice: Omit<Notice, 'key'>): ThreadState {
  const {level, title, message} = notice;
  const notices = [...state.notices, {key: `notice:${state.sequence}`, level, title, message}];
  return {...state, sequence: state.sequence + 1, notices: notices.slice(-MAX_NOTICES)};
}
