import {describe, expect, it} from 'vitest';
import {EventStreamParser, readEventStream, type ServerSentEvent} from './sse.js';

function bodyOf(bytes: Uint8Array, size: number, onCancel: () => void = () => {}): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
    cancel: onCancel,
  });
}

async function readEvents(text: string, size: number): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of readEventStream(bodyOf(new TextEncoder().encode(text), size))) events.push(event);
  return events;
}

async function read(text: string, size: number): Promise<string[]> {
  return (await readEvents(text, size)).map(({data}) => data);
}

describe('the event stream', () => {
  const stream = 'data: {"a":"Zürich ☀️ 🌧"}\n\n: comment\n\nevent: x\nid: 7\ndata: one\ndata: two\n\ndata:bare\n\n';
  const events = ['{"a":"Zürich ☀️ 🌧"}', 'one\ntwo', 'bare'];

  it.each([1, 2, 3, 5, 7, 1000])('reads the same events in chunks of %i bytes', async size => {
    expect(await read(stream, size)).toEqual(events);
  });

  it.each(['\r\n', '\r'])('takes %j for a line ending, wherever it is cut', async ending => {
    for (const size of [1, 2, 1000]) expect(await read(stream.replaceAll('\n', ending), size)).toEqual(events);
  });

  it('gives each event its own id line and no other, wherever it is cut', async () => {
    for (const size of [1, 4, 1000]) {
      expect(await readEvents('id: 7\ndata: a\n\ndata: b\n\nid: 9\n\ndata: c\nid:10\n\n', size)).toEqual([
        {data: 'a', id: '7'},
        {data: 'b', id: undefined},
        {data: 'c', id: '10'},
      ]);
    }
  });

  it('gives a last event that lacks its blank line', async () => {
    expect(await read('data: {"last":true}', 4)).toEqual(['{"last":true}']);
  });

  it('takes a line without a colon for a field without a value', async () => {
    expect(await read('data\ndata: a\nevent\n\n', 3)).toEqual(['\na']);
  });

  it('gives nothing for an empty body', async () => {
    expect(await read('', 1)).toEqual([]);
  });

  it('cancels the body when the reader stops early', async () => {
    let isCancelled = false;
    const body = bodyOf(new TextEncoder().encode(stream), 30, () => {
      isCancelled = true;
    });
    for await (const _ of readEventStream(body)) break;
    expect(isCancelled).toBe(true);
  });

  it('refuses an event without end', () => {
    const parser = new EventStreamParser();
    const piece = 'x'.repeat(16 * 1024 * 1024);
    expect(() => {
      for (let round = 0; round < 5; round += 1) parser.push(piece);
    }).toThrow(RangeError);
  });
});
