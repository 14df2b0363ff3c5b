import {describe, expect, it} from 'vitest';
import {ChatKitClient} from '../server/client.js';
import {type Call, FakeServer} from '../testing/fake-server.js';
import {ThreadList} from './thread-list.js';

const thread = (id: string) => ({id, title: id, created_at: '2026-11-20T10:00:00', status: {type: 'active'}});

function list(answer: (call: Call) => object | Response) {
  const server = new FakeServer({'threads.list': answer as never, 'threads.delete': () => ({})});
  const client = new ChatKitClient();
  client.configure({url: '/chatkit', locale: 'en', fetch: server.fetch as typeof fetch});
  const threads = new ThreadList(client, () => {});
  return {threads, cursors: () => server.of('threads.list').map(({params}) => params.after)};
}

describe('the cursor of the list of threads', () => {
  it('is no thread that was deleted here', async () => {
    const {threads, cursors} = list(({params}) =>
      params.after === undefined
        ? {data: [thread('a'), thread('b')], has_more: true, after: 'b'}
        : {data: [thread('c')], has_more: false},
    );
    await threads.load();
    await threads.remove('b');
    await threads.loadMore();
    expect(cursors()).toEqual([undefined, 'a']);
    expect(threads.state.threads.map(({id}) => id)).toEqual(['a', 'c']);
  });

  it('is read anew when every thread of the page is gone, and when it was deleted elsewhere', async () => {
    let isGone = false;
    const {threads, cursors} = list(({params}) => {
      if (params.after !== undefined) return Response.json({error: {message: 'no'}}, {status: 404});
      return isGone ? {data: [thread('z')], has_more: false} : {data: [thread('a')], has_more: true, after: 'a'};
    });
    await threads.load();
    isGone = true;
    await threads.loadMore();
    expect(cursors()).toEqual([undefined, 'a', undefined]);
    expect(threads.state).toMatchObject({threads: [{id: 'z'}], hasFailed: false, after: undefined});
    isGone = false;
    await threads.load();
    await threads.remove('a');
    expect(cursors()).toHaveLength(5);
  });
});
