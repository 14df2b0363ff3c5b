import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {lazyElements} from '../lazy-elements.js';
import {created, done, FakeServer, OpenStream, page, THREAD, user} from '../testing/fake-server.js';
import {eventDetails, find, mount, one, textOf} from '../testing/mounted-element.js';
import type {ComposerView} from '../views/composer.js';
import {DraftStorage} from './draft-storage.js';
import type {Draft} from './draft-text.js';

const draft = (text: string, quotedText?: string): Draft => ({content: [{type: 'input_text', text}], quotedText});
const TAGGED: Draft = {
  content: [
    {type: 'input_text', text: ' for '},
    {type: 'input_tag', id: 'c1', text: 'Ada', data: {a: '1'}, interactive: true},
  ],
  quotedText: 'Before.',
};

function configureStorage(url: string | undefined = '/chatkit') {
  const log = vi.fn();
  const drafts = new DraftStorage(log);
  drafts.configure(url);
  return {drafts, log};
}

beforeEach(() => sessionStorage.clear());
afterEach(() => vi.unstubAllGlobals());

describe('drafts', () => {
  it('are kept by server and thread, with their mentions and quote', () => {
    configureStorage().drafts.save('thr_1', TAGGED);
    configureStorage().drafts.save(undefined, draft('new'));
    const {drafts} = configureStorage();
    expect([drafts.load('thr_1'), drafts.load(undefined), drafts.load('thr_2')]).toEqual([
      TAGGED,
      draft('new'),
      undefined,
    ]);
    expect(configureStorage('/other').drafts.load('thr_1')).toBeUndefined();
  });

  it('are not kept where the page has not asked for it', () => {
    const {drafts} = configureStorage(undefined);
    drafts.configure(undefined);
    drafts.save('thr_1', TAGGED);
    expect([drafts.load('thr_1'), sessionStorage.length]).toEqual([undefined, 0]);
  });

  it('leave nothing when they are empty, and move with a thread that gets its id', () => {
    const {drafts} = configureStorage();
    drafts.save(undefined, draft('meanwhile'));
    drafts.move(undefined, 'thr_1');
    expect([drafts.load(undefined), drafts.load('thr_1')]).toEqual([undefined, draft('meanwhile')]);
    drafts.save('thr_1', {content: [], quotedText: undefined});
    expect(sessionStorage.length).toBe(0);
  });

  it('are twenty at most, of any length that a person types', () => {
    const {drafts} = configureStorage();
    for (let at = 0; at < 21; at += 1) drafts.save(`thr_${at}`, draft(`${at}`));
    expect([drafts.load('thr_0'), drafts.load('thr_1'), drafts.load('thr_20')]).toEqual([
      undefined,
      draft('1'),
      draft('20'),
    ]);
    vi.useFakeTimers();
    const long = draft('x'.repeat(400_000));
    drafts.save('thr_20', long);
    vi.advanceTimersByTime(1_000);
    vi.useRealTimers();
    expect(configureStorage().drafts.load('thr_20')).toEqual(long);
  });

  it('make room for the newest where there is little, and else are asked about before the page goes', () => {
    const real = sessionStorage;
    let room = 200;
    const kept = new Map<string, string>();
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      removeItem: (key: string) => kept.delete(key),
      setItem: (key: string, value: string) => {
        if (value.length > room) throw new DOMException('full', 'QuotaExceededError');
        kept.set(key, value);
      },
    });
    const {drafts} = configureStorage();
    drafts.save('thr_1', draft('x'.repeat(100)));
    drafts.save('thr_2', draft('y'.repeat(90)));
    expect([...kept.values()].join()).toMatch(/^(?!.*xx).*yy/);
    // In this page nothing is lost.
    expect(drafts.load('thr_1')).toEqual(draft('x'.repeat(100)));
    const leaves = (): boolean => dispatchEvent(new Event('beforeunload', {cancelable: true}));
    room = 0;
    drafts.save('thr_2', draft('y'));
    expect(leaves()).toBe(false);
    room = 1_000;
    drafts.save('thr_2', draft('y'));
    expect(leaves()).toBe(true);
    expect(real.length).toBe(0);
  });

  it.each(['{', '7', '[[1]]', '[["a b", null]]', '[["/chatkit thr_1", {"content": 7}]]'])(
    'read what they do not know as nothing: %s',
    stored => {
      sessionStorage.setItem('parlor.drafts', stored);
      expect(configureStorage().drafts.load('thr_1')).toBeUndefined();
    },
  );

  it('say once that they cannot be kept, and stop nobody', () => {
    const refuse = (): never => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    vi.stubGlobal('sessionStorage', {getItem: () => null, setItem: refuse});
    const {drafts, log} = configureStorage();
    drafts.save('thr_1', draft('a'));
    drafts.save('thr_1', draft('b'));
    expect(log.mock.calls).toEqual([['drafts.unavailable']]);
  });
});

describe('the element', () => {
  const threads = {
    'threads.get_by_id': ({params}: {params: Readonly<Record<string, unknown>>}) => ({...THREAD, id: params.thread_id}),
    'items.list': () => page(user('Hi')),
  };
  const text = (element: Element): string | undefined => find<HTMLTextAreaElement>(element, 'textarea')?.value;
  const shows = (element: Element, expected: string): Promise<void> =>
    vi.waitFor(() => expect(text(element)).toBe(expected));
  /** As a person does. */
  const write = async (element: Element, words: string): Promise<void> => {
    const field = await vi.waitFor(() => one<HTMLTextAreaElement>(element, 'textarea'));
    field.value = words;
    field.setSelectionRange(words.length, words.length);
    field.dispatchEvent(new Event('input', {bubbles: true}));
    await one<ComposerView>(element, 'parlor-composer').updateComplete;
  };
  const options = (more: object = {}) => ({parlor: {drafts: true}, ...more});

  it('brings each thread its own draft, after a reload too', async () => {
    const first = mount(new FakeServer(threads), options()).element;
    await write(first, 'for a new one');
    await first.setThreadId('thr_1');
    await shows(first, '');
    await write(first, 'for the first');
    await first.setThreadId('thr_2');
    await shows(first, '');
    await first.setThreadId(null);
    await shows(first, 'for a new one');
    first.remove();
    await shows(mount(new FakeServer(threads), options()).element, 'for a new one');
    await shows(mount(new FakeServer(threads), options({initialThread: 'thr_1'})).element, 'for the first');
  });

  it('forgets what was sent, and what was written to a chat that is deleted', async () => {
    const stream = new OpenStream();
    const {element} = mount(new FakeServer({...threads, 'threads.create': () => stream.response}), options());
    await write(element, 'Hello');
    expect(sessionStorage.length).toBe(1);
    one(element, '[part=send-button]').click();
    await shows(element, '');
    // Nobody has said yet that it has arrived.
    expect(sessionStorage.getItem('parlor.drafts')).toContain('Hello');
    // Written while the new thread has no id yet.
    await write(element, 'And more');
    stream.send(created, done(user('Hello'))).end();
    await vi.waitFor(() => expect(sessionStorage.getItem('parlor.drafts')).toContain('thr_1'));
    expect(text(element)).toBe('And more');
    await shows(mount(new FakeServer(threads), options({initialThread: 'thr_1'})).element, 'And more');
    await lazyElements.load('parlor-history');
    const server = new FakeServer({...threads, 'threads.list': () => ({data: [THREAD], has_more: false})});
    const again = mount(server, options({initialThread: 'thr_1'})).element;
    await again.showHistory();
    (await vi.waitFor(() => one(again, '[aria-label="Delete “Trip”"]'))).click();
    (await vi.waitFor(() => one(again, '.danger'))).click();
    await vi.waitFor(() => expect(sessionStorage.length).toBe(0));
  });

  it('gives a first thread that is not there the draft of a new one', async () => {
    const first = mount(new FakeServer(threads), options()).element;
    await write(first, 'kept');
    const gone = new FakeServer({'threads.get_by_id': () => new Response('', {status: 404})});
    const {element, events} = mount(gone, options({initialThread: 'thr_9'}));
    await shows(element, 'kept');
    await vi.waitFor(() => expect(eventDetails(events, 'thread.change')).toEqual([{threadId: null}]));
  });

  it('keeps nothing and leaves the draft where it is unless the page asks', async () => {
    const {element} = mount(new FakeServer(threads));
    await write(element, 'Hello');
    await element.setThreadId('thr_1');
    await vi.waitFor(() => expect(textOf(element)).toContain('Hi'));
    expect([text(element), sessionStorage.length]).toEqual(['Hello', 0]);
  });
});
