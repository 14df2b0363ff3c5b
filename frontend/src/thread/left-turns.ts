/** Turns that go on while another thread is shown, where a server would take a reader who leaves for a wish to stop. */
import type {Turn} from './turn.js';

/** More at once are more than a person has asked for; the oldest is given up. */
const MAX_LEFT = 8;

export class LeftTurns {
  readonly #turns = new Set<Turn>();

  add(turn: Turn): void {
    turn.isLeft = true;
    this.#turns.add(turn);
    const [oldest] = this.#turns;
    if (this.#turns.size > MAX_LEFT && oldest) this.#drop(oldest);
  }

  /** The turn of a thread. It stays among them. */
  find(threadId: string): Turn | undefined {
    return [...this.#turns].find(turn => turn.threadId === threadId);
  }

  /** Somebody looks at it again, or it is over. */
  remove(turn: Turn): void {
    turn.isLeft = false;
    this.#turns.delete(turn);
  }

  /** Ends the turn of a thread that is no more. */
  stop(threadId: string): void {
    const turn = this.find(threadId);
    if (turn) this.#drop(turn);
  }

  close(): void {
    for (const turn of this.#turns) this.#drop(turn);
  }

  #drop(turn: Turn): void {
    this.#turns.delete(turn);
    turn.abort('Nobody waits for this answer.');
  }
}
