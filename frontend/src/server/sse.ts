/** The parser of server-sent events (SSE): any chunking, any line ending, any split inside a character. */
import {strings} from '../strings.js';

/** A frame beyond this is an attack or a fault; inline images stay well below. Counted in UTF-16 units. */
const MAX_FRAME_CHARS = 64 * 1024 * 1024;

/** One event: its `data`, and its own `id` line if it had one. */
export interface ServerSentEvent {
  readonly data: string;
  readonly id: string | undefined;
}

/** Feeds on decoded text and gives each complete event that has data. Source: WHATWG HTML, 9.2.6. */
export class EventStreamParser {
  #rest = '';
  #data: string[] = [];
  #id: string | undefined;
  #size = 0;
  #endedInCarriageReturn = false;

  /** Every event that `text` completes, in order. */
  push(text: string): ServerSentEvent[] {
    let chunk = text;
    // A CRLF may be cut between its two characters; the LF then belongs to the line already taken.
    if (this.#endedInCarriageReturn && chunk.startsWith('\n')) chunk = chunk.slice(1);
    if (text !== '') this.#endedInCarriageReturn = text.endsWith('\r');
    const lines = chunk.split(/\r\n|\r|\n/);
    lines[0] = this.#rest + (lines[0] ?? '');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length + this.#size > MAX_FRAME_CHARS) throw new RangeError(strings.eventTooLarge);
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      const event = this.#take(line);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  /** A last event that has no blank line after it. */
  end(): ServerSentEvent[] {
    return [...this.push('\n'), ...this.push('\n')];
  }

  #take(line: string): ServerSentEvent | undefined {
    if (line === '') {
      const event = this.#data.length > 0 ? {data: this.#data.join('\n'), id: this.#id} : undefined;
      this.#data = [];
      this.#id = undefined;
      this.#size = 0;
      return event;
    }
    if (line.startsWith('data:')) {
      const value = line.slice(line.charAt(5) === ' ' ? 6 : 5);
      this.#data.push(value);
      this.#size += value.length;
    } else if (line === 'data') {
      this.#data.push('');
    } else if (line.startsWith('id:')) {
      this.#id = line.slice(3).trim();
    }
    return undefined;
  }
}

/** The events of a response body. Ending the iteration early cancels the body. */
export async function* readEventStream(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => {},
): AsyncGenerator<ServerSentEvent, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventStreamParser();
  let isExhausted = false;
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) break;
      onBytes();
      yield* parser.push(decoder.decode(value, {stream: true}));
    }
    isExhausted = true;
    yield* parser.push(decoder.decode());
    yield* parser.end();
  } finally {
    // The failure that ends the stream is already on its way up; a second one from here would hide it.
    if (!isExhausted) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}
