/** The parser of server-sent events (SSE): any chunking, any line ending, any split inside a character. */
import {strings} from '../strings.js';

/** Larger frames are an attack or a bug; inline images stay well below. In UTF-16 code units. */
const MAX_FRAME_CHARS = 64 * 1024 * 1024;

/** One event: its `data`, and its `id` if it had one of its own. */
export interface ServerSentEvent {
  readonly data: string;
  readonly id: string | undefined;
}

/** Turns decoded text into events; events without data are dropped. Source: WHATWG HTML, 9.2.6. */
export class EventStreamParser {
  #partialLine = '';
  #data: string[] = [];
  #id: string | undefined;
  #size = 0;
  #endedInCarriageReturn = false;

  /** Returns the events that `text` completes, in order. */
  push(text: string): ServerSentEvent[] {
    let chunk = text;
    // A CRLF may be split across chunks; the LF then belongs to a line that was already read.
    if (this.#endedInCarriageReturn && chunk.startsWith('\n')) chunk = chunk.slice(1);
    if (text !== '') this.#endedInCarriageReturn = text.endsWith('\r');
    const lines = chunk.split(/\r\n|\r|\n/);
    lines[0] = this.#partialLine + (lines[0] ?? '');
    this.#partialLine = lines.pop() ?? '';
    if (this.#partialLine.length + this.#size > MAX_FRAME_CHARS) throw new RangeError(strings.eventTooLarge);
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      const event = this.#readLine(line);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  /** Returns the last event if no blank line followed it. */
  end(): ServerSentEvent[] {
    return [...this.push('\n'), ...this.push('\n')];
  }

  #readLine(line: string): ServerSentEvent | undefined {
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

/** Yields the events of a response body. Ending the iteration early cancels the body. */
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
    // An error that ended the stream is being thrown already; an error of `cancel` would hide it.
    if (!isExhausted) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}
