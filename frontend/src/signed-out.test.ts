import {beforeEach, describe, expect, it, vi} from 'vitest';
import type {OpenAIChatKitElement} from './element.js';
import {
  added,
  assistant,
  type Call,
  delta,
  done,
  FakeServer,
  OpenStream,
  page,
  stored,
  THREAD,
  user,
} from './testing/fake-server.js';
import {
  all,
  eventDetails,
  find,
  mount,
  one,
  textOf,
  waitForCount,
  waitForElement,
  waitForEvent,
} from './testing/mounted-element.js';

const refusal = () =>
  Response.json({error: {code: 'secret.expired', message: 'This client secret has expired.'}}, {status: 401});

/** A page whose sign-in runs out and is renewed as a test says, and a server that takes the newest secret only. */
class Account {
  valid = 'first';
  canRenew = true;
  readonly asked: (string | null)[] = [];

  readonly getClientSecret = async (current: string | null): Promise<string> => {
    this.asked.push(current);
    if (!this.canRenew) throw new Error('{"error":"signed out"}');
    return this.valid;
  };

  /** The person is signed out at the server and at the page. */
  end(): void {
    this.valid = 'second';
    this.canRenew = false;
  }

  guard(answer: (call: Call) => object): (call: Call) => never {
    return ((call: Call) =>
      call.headers.Authorization === `Bearer ${this.valid}` ? answer(call) : refusal()) as never;
  }
}

function start(handlers: Record<string, (call: Call) => object>, options: object = {}) {
  const account = new Account();
  const guarded = Object.entries(handlers).map(([type, answer]) => [type, account.guard(answer)]);
  const server = new FakeServer(Object.fromEntries(guarded));
  const api = {url: '/chatkit', fetch: server.fetch, getClientSecret: account.getClientSecret};
  const mounted = mount(server, {api, ...options});
  return {account, server, ...mounted};
}

const answering = {
  'threads.add_user_message': () => [done(user('More')), done(assistant('a_2', 'Here I am.'))],
};
/** Writes and sends, as a person does. */
async function write(element: OpenAIChatKitElement, text: string): Promise<HTMLElement> {
  await element.setComposerValue({text});
  const send = await waitForElement(element, 'button[aria-label="Send message"]');
  send.click();
  return send;
}

const tryAgain = (element: Element) =>
  vi.waitFor(() => {
    const button = all(element, '.text-button').find(each => textOf(each).includes('Try again'));
    if (!button) throw new Error('no button to try again');
    return button;
  });

beforeEach(() => sessionStorage.clear());

describe('a person who is signed out', () => {
  it('is told so, keeps the message, and goes on in the same conversation once signed in', async () => {
    const {account, server, element, events} = start(
      {...stored(user('Hi'), assistant('a_1', 'Hello.')), ...answering},
      {initialThread: 'thr_1'},
    );
    await waitForEvent(events, 'thread.load.end');
    account.end();
    await element.sendUserMessage({text: 'More'});
    await vi.waitFor(() => expect(textOf(one(element, '.failure'))).toContain('You are signed out.'));
    expect(textOf(element)).toContain('More');
    expect(textOf(element)).not.toContain('{"error"');
    expect(account.asked).toEqual([null, 'first']);
    expect(eventDetails(events, 'log')).toContainEqual({
      name: 'client_secret.not_renewed',
      data: {reason: 'The option api.getClientSecret failed: {"error":"signed out"}'},
    });
    const [failure] = eventDetails(events, 'error') as {error: Error}[];
    expect(failure?.error.message).toBe('You are signed out.');
    expect(failure?.error).toMatchObject({cause: {message: expect.stringContaining('signed out')}});

    account.canRenew = true;
    (await tryAgain(element)).click();
    await vi.waitFor(() => expect(textOf(element)).toContain('Here I am.'));
    const sent = server.of('threads.add_user_message').at(-1);
    expect(sent?.params.thread_id).toBe('thr_1');
    expect(sent?.headers.Authorization).toBe('Bearer second');
    await waitForCount(element, '.failure', 0);
  });

  it('finds the message in the composer after leaving the page to sign in, until it was sent', async () => {
    const parlor = {drafts: true};
    const handlers = {...stored(user('Hi')), ...answering};
    const first = start(handlers, {initialThread: 'thr_1', parlor});
    await waitForEvent(first.events, 'thread.load.end');
    first.account.end();
    await write(first.element, 'More');
    await waitForCount(first.element, '.failure');
    first.element.remove();

    const second = start(handlers, {initialThread: 'thr_1', parlor});
    await waitForEvent(second.events, 'thread.load.end');
    await vi.waitFor(() => expect(find<HTMLTextAreaElement>(second.element, 'textarea')?.value).toBe('More'));
    second.account.end();
    await write(second.element, 'More');
    await waitForCount(second.element, '.failure');
    second.account.canRenew = true;
    (await tryAgain(second.element)).click();
    await vi.waitFor(() => expect(textOf(second.element)).toContain('Here I am.'));
    await vi.waitFor(() => expect(sessionStorage.getItem('parlor.drafts')).toBeNull());
  });

  it('is led back to the conversation that could not be opened', async () => {
    const {account, element, events} = start(
      {...stored(user('Hi'), assistant('a_1', 'Hello.')), 'threads.list': () => page()},
      {},
    );
    await vi.waitFor(() => expect(account.asked).toEqual([null]));
    account.end();
    await expect(element.setThreadId('thr_1')).rejects.toThrow('You are signed out.');
    // The page forgets no thread of somebody who may come back.
    expect(eventDetails(events, 'thread.change')).toEqual([]);
    account.canRenew = true;
    await element.setThreadId('thr_1');
    await vi.waitFor(() => expect(textOf(element)).toContain('Hello.'));
  });

  it('signs in again beside the composer, and sees the conversation that the page began with', async () => {
    const {account, element, events} = await startSignedOut();
    expect(eventDetails(events, 'thread.change')).toEqual([]);
    account.canRenew = true;
    (await tryAgain(element)).click();
    await vi.waitFor(() => expect(textOf(element)).toContain('Hello.'));
    await waitForCount(element, '.notice', 0);
  });

  it('writes into the conversation that the page began with, and loses no word while that is not there', async () => {
    const {account, server, element} = await startSignedOut();
    const send = await write(element, 'More');
    await vi.waitFor(() => expect(account.asked.length).toBeGreaterThan(2));
    await vi.waitFor(() => expect(find<HTMLTextAreaElement>(element, 'textarea')?.value).toBe('More'));
    expect(server.types()).not.toContain('threads.create');
    account.canRenew = true;
    send.click();
    await vi.waitFor(() => expect(textOf(element)).toContain('Here I am.'));
    expect(server.of('threads.add_user_message').at(-1)?.params.thread_id).toBe('thr_1');
    expect(server.types()).not.toContain('threads.create');
  });

  async function startSignedOut() {
    const account = new Account();
    account.valid = 'second';
    const server = new FakeServer({
      'threads.get_by_id': account.guard(() => THREAD),
      'items.list': account.guard(() => page(user('Hi'), assistant('a_1', 'Hello.'))),
      'threads.add_user_message': account.guard(answering['threads.add_user_message']),
    });
    const getClientSecret = async (current: string | null) => {
      if (current !== null) return account.getClientSecret(current);
      account.asked.push(null);
      return 'first';
    };
    account.canRenew = false;
    const api = {url: '/chatkit', fetch: server.fetch, getClientSecret};
    const mounted = mount(server, {api, initialThread: 'thr_1'});
    await vi.waitFor(() => expect(textOf(one(mounted.element, '.notice'))).toContain('You are signed out.'));
    return {account, server, ...mounted};
  }

  it('joins the answer again that went on meanwhile', async () => {
    const stream = new OpenStream(1, undefined, {'parlor-run': 'run_1'});
    const {account, server, element, events} = start(
      {
        ...stored(user('Hi')),
        'threads.add_user_message': () => stream.response,
        'runs.attach': () =>
          new OpenStream(4).send(delta('a_2', ' two'), done(assistant('a_2', 'one two'))).end().response,
      },
      {initialThread: 'thr_1', parlor: {resume: false}},
    );
    await waitForEvent(events, 'thread.load.end');
    void element.sendUserMessage({text: 'More'});
    await vi.waitFor(() => expect(server.types()).toContain('threads.add_user_message'));
    stream.send(done(user('More')), added(assistant('a_2', '')), delta('a_2', 'one'));
    await vi.waitFor(() => expect(textOf(element)).toContain('one'));
    account.end();
    stream.cut();
    await vi.waitFor(() => expect(textOf(one(element, '.failure'))).toContain('You are signed out.'));
    account.canRenew = true;
    (await tryAgain(element)).click();
    await vi.waitFor(() => expect(textOf(element)).toMatch(/one\s+two/));
    expect(server.types()).not.toContain('threads.retry_after_item');
  });
});
