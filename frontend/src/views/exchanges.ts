/** Groups the items of a thread into exchanges: a question and what was answered. */
import type {Entry} from '../thread/thread-state.js';

export interface Exchange {
  readonly key: string;
  readonly question: Entry | undefined;
  readonly answer: readonly Entry[];
}

/**
 * A new exchange starts with every message of the person.
 *
 * @param before The exchanges of the last time: what has not changed is given again, and need not be drawn again.
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
  const known = new Map(before.map(exchange => [exchange.key, exchange]));
  return exchanges.map(exchange => {
    const same = known.get(exchange.key);
    return same && isSame(same, exchange) ? same : exchange;
  });
}

function isSame(a: Exchange, b: Exchange): boolean {
  return (
    a.question === b.question &&
    a.answer.length === b.answer.length &&
    a.answer.every((entry, at) => entry === b.answer[at])
  );
}
