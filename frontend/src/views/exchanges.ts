/** Groups the items of a thread into exchanges: a question and its answer. */
import type {Entry} from '../thread/thread-state.js';

export interface Exchange {
  readonly key: string;
  readonly question: Entry | undefined;
  readonly answer: readonly Entry[];
}

/**
 * Groups entries into exchanges; every user message starts a new one.
 *
 * @param before The previous exchanges; unchanged ones are returned as the same objects, and are not rendered again.
 */
export function toExchanges(entries: readonly Entry[], before: readonly Exchange[] = []): readonly Exchange[] {
  const exchanges: {key: string; question: Entry | undefined; answer: Entry[]}[] = [];
  for (const entry of entries) {
    const last = exchanges.at(-1);
    if (entry.item.type === 'user_message' || !last) {
      const isQuestion = entry.item.type === 'user_message';
      exchanges.push({key: entry.key, question: isQuestion ? entry : undefined, answer: isQuestion ? [] : [entry]});
    } else {
      last.answer.push(entry);
    }
  }
  const previous = new Map(before.map(exchange => [exchange.key, exchange]));
  return exchanges.map(exchange => {
    const old = previous.get(exchange.key);
    return old && isSame(old, exchange) ? old : exchange;
  });
}

function isSame(a: Exchange, b: Exchange): boolean {
  return (
    a.question === b.question &&
    a.answer.length === b.answer.length &&
    a.answer.every((entry, at) => entry === b.answer[at])
  );
}
