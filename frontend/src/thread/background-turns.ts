/** Turns that continue while another thread is shown, for servers that stop an answer when its reader disconnects. */
import type {Turn} from './turn.js';

/** More turns at once than a user would start; beyond it, the oldest one is aborted. */
const MAX_TURNS = 8;

export class BackgroundTurns {
  readonly #turns = new Set<Turn>();

  add(turn: Turn): void {
    turn.isInBackground = true;
    this.#turns.add(turn);
    const [oldest] = this.#turns;
    if (this.#turns.size > MAX_TURNS && oldest) this.#abort(oldest);
  }

  /** Returns the turn of a thread without removing it. */
  find(threadId: string): Turn | undefined {
    return [...this.#turns].find(turn => turn.threadId === threadId);
  }

  /** Removes a turn because its thread is shown again, or because it is over. */
  remove(turn: Turn): void {
    turn.isInBackground = false;
    this.#turns.delete(turn);
  }

  /** Aborts the turn of a deleted thread. */
  stop(threadId: string): void {
    const turn = this.find(threadId);
    if (turn) this.#abort(turn);
  }

  close(): void {
    for (const turn of this.#turns) this.#abort(turn);
  }

  #abort(turn: Turn): void {
    this.#turns.delete(turn);
    turn.abort('Nobody waits for this answer.');
  }
}
