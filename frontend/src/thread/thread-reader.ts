/** Loads a thread and pages of its items from the server, newest page first. */
import {isObject, parseItem, parsePage, parseRatings, parseThread} from '../protocol/parsing.js';
import type {Thread} from '../protocol/types.js';
import type {ChatKitClient} from '../server/client.js';
import type {Snapshot} from './thread-state.js';

/** Items per page: enough to fill a tall screen. */
const PAGE_SIZE = 30;
/** Servers filter hidden items after paging, so that a page may be empty; stop after this many empty pages. */
const MAX_EMPTY_PAGES = 20;

export type ItemPage = Required<Pick<Snapshot, 'items' | 'older' | 'ratings'>>;

/**
 * Loads a thread with its newest items.
 *
 * The items in the response of `threads.get_by_id` are the oldest ones, and are ignored.
 *
 * @throws RequestError
 */
export async function readThread(
  client: ChatKitClient,
  threadId: string,
  signal?: AbortSignal,
): Promise<Required<Snapshot> & {readonly thread: Thread}> {
  const [answer, page] = await Promise.all([
    client.send({type: 'threads.get_by_id', params: {thread_id: threadId}}, signal),
    readItems(client, threadId, undefined, signal),
  ]);
  const thread = parseThread(answer);
  if (!thread) throw new Error('The server sent no thread.');
  const threadRatings = isObject(answer) ? [parseRatings(answer), parseRatings(answer.items)] : [];
  return {thread, ...page, ratings: new Map([...threadRatings, page.ratings].flatMap(ratings => [...ratings]))};
}

/** Loads the page before the cursor `after`, oldest item first; the newest page for `undefined`. */
export async function readItems(
  client: ChatKitClient,
  threadId: string,
  after: string | undefined,
  signal?: AbortSignal,
): Promise<ItemPage> {
  let cursor = after;
  for (let round = 0; ; round += 1) {
    const params = {
      thread_id: threadId,
      limit: PAGE_SIZE,
      order: 'desc',
      ...(cursor === undefined ? {} : {after: cursor}),
    } as const;
    const answer = await client.send({type: 'items.list', params}, signal);
    const page = parsePage(answer, parseItem);
    const isLast = !page.hasMore || page.after === undefined || page.after === cursor || round === MAX_EMPTY_PAGES;
    if (page.data.length > 0 || isLast) {
      const hasOlder = page.hasMore && page.after !== undefined && page.after !== cursor;
      return {
        items: page.data.toReversed(),
        older: hasOlder ? {after: page.after} : undefined,
        ratings: parseRatings(answer),
      };
    }
    cursor = page.after;
  }
}
