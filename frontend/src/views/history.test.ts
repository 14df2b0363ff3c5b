import type {LitElement} from 'lit';
import {describe, expect, it, vi} from 'vitest';
import {lazyElements} from '../lazy-elements.js';
import {type Call, FakeServer} from '../testing/fake-server.js';
import {all, eventDetails, find, mount, one, waitForCount, waitForElement} from '../testing/mounted-element.js';

const TITLES = ['Rain', 'A trip to Zürich', 'Snow', 'Cake', 'Bread', 'Tea', 'Wine', 'Salt', '<b>Zurich</b>'];

/** A server with these titles, newest first, so many a page. */
function serverWith(titles: readonly (string | null)[], perPage = 50, handlers: object = {}) {
  const threads = titles.map((title, at) => ({id: `thr_${at}`, title, status: {type: 'active'}}));
  return new FakeServer({
    'threads.list': ({params}: Call) => {
      const start = threads.findIndex(({id}) => id === params.after) + 1;
      const data = threads.slice(start, start + perPage);
      return {data, has_more: start + perPage < threads.length, after: data.at(-1)?.id};
    },
    ...handlers,
  });
}

async function open(server: FakeServer) {
  await lazyElements.load('parlor-history');
  const {element, events} = mount(server);
  await element.showHistory();
  await vi.waitFor(() => expect(one(element, '.list').getAttribute('aria-busy')).toBe('false'));
  const field = () => one<HTMLInputElement>(element, '.query');
  return {
    element,
    events,
    field,
    type: async (query: string) => {
      field().value = query;
      field().dispatchEvent(new Event('input'));
      await one<LitElement>(element, 'parlor-history').updateComplete;
      await vi.waitFor(() => expect(one(element, '.found').textContent).not.toBe('Searching…'));
    },
    titles: () => all(element, '.open').map(({textContent}) => textContent?.trim()),
    found: () => one(element, '.found').textContent,
    focused: () => find(element, 'parlor-history')?.shadowRoot?.activeElement,
  };
}
const press = (target: Element | null | undefined, key: string, more: KeyboardEventInit = {}): KeyboardEvent => {
  const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more});
  target?.dispatchEvent(event);
  return event;
};

describe('the search field', () => {
  it('is there when there is more than a person sees at once', async () => {
    expect(find((await open(serverWith(TITLES.slice(1)))).element, '.query')).toBeUndefined();
    const {element, field, found} = await open(serverWith(TITLES));
    expect(field().getAttribute('aria-label')).toBe('Search chats');
    expect([one(element, '.found').getAttribute('role'), found()]).toEqual(['status', '']);
    expect(find((await open(serverWith(TITLES.slice(0, 3), 2))).element, '.query')).toBeDefined();
  });

  it('shows what matches while one types, how many there are, and what it was by', async () => {
    const {element, type, titles, found} = await open(serverWith(TITLES));
    await type('zurich');
    expect(titles()).toEqual(['A trip to Zürich', '<b>Zurich</b>']);
    expect(all(element, 'mark').map(({textContent}) => textContent)).toEqual(['Zürich', 'Zurich']);
    expect(found()).toBe('2 chats found');
    await type('zurich tr');
    expect([titles(), found()]).toEqual([['A trip to Zürich'], '1 chat found']);
    await type('rome');
    expect([titles(), found()]).toEqual([[], 'No chats found']);
    await type(' ');
    expect([titles(), found()]).toEqual([TITLES, '']);
    expect(find(element, 'mark')).toBeUndefined();
  });

  it('is cleared by Escape first, which closes the panel then, and by its button', async () => {
    const {element, field, type, titles, focused} = await open(serverWith(TITLES));
    await type('rain');
    one(element, '.open').focus();
    expect(press(focused(), 'Escape', {isComposing: true}).defaultPrevented).toBe(false);
    expect(press(focused(), 'Escape').defaultPrevented).toBe(true);
    await vi.waitFor(() => expect([field().value, titles()]).toEqual(['', TITLES]));
    expect(focused()).toBe(field());
    await type('rain');
    (await waitForElement(element, '.clear')).click();
    await vi.waitFor(() => expect(titles()).toEqual(TITLES));
    expect([focused(), find(element, '.clear')]).toEqual([field(), undefined]);
    press(field(), 'Escape');
    await vi.waitFor(() => expect(find(element, 'parlor-history')).toBeUndefined());
  });

  it('leads into the list by arrow keys, and back', async () => {
    const {element, field, type, focused} = await open(serverWith(TITLES));
    await type('zurich');
    const [first, last] = all(element, '.open');
    field().focus();
    expect(press(field(), 'ArrowUp').defaultPrevented).toBe(false);
    press(field(), 'ArrowDown');
    expect(focused()).toBe(first);
    press(first, 'ArrowDown');
    press(last, 'ArrowDown');
    expect(focused()).toBe(last);
    expect(press(last, 'Enter').defaultPrevented).toBe(false);
    one(element, '[aria-label^="Delete “<b>"]').focus();
    press(focused(), 'ArrowUp');
    press(focused(), 'ArrowUp');
    expect(focused()).toBe(field());
    press(field(), 'Enter');
    expect(focused()).toBe(first);
    one(element, '.panel').focus();
    press(focused(), 'ArrowDown');
    expect(focused()).toBe(first);
  });

  it('leaves renaming and deleting as they are, and a renamed chat in sight until the next search', async () => {
    const server = serverWith(TITLES);
    const {element, type, titles, found} = await open(server);
    await type('zurich');
    one(element, '[aria-label="Rename “A trip to Zürich”"]').click();
    const editor = await waitForElement<HTMLInputElement>(element, '.rename');
    editor.value = 'A trip to Rome';
    press(editor, 'Enter');
    await vi.waitFor(() => expect(titles()).toEqual(['A trip to Rome', '<b>Zurich</b>']));
    one(element, '[aria-label="Delete “<b>Zurich</b>”"]').click();
    (await waitForElement(element, '.danger')).click();
    await vi.waitFor(() => expect(found()).toBe('1 chat found'));
    expect(titles()).toEqual(['A trip to Rome']);
    expect(server.types().slice(-2)).toEqual(['threads.update', 'threads.delete']);
    await type('zuric');
    expect([titles(), found()]).toEqual([[], 'No chats found']);
  });

  it('takes a question about deleting back when one types on', async () => {
    const {element, type} = await open(serverWith(TITLES));
    one(element, '[aria-label="Delete “Rain”"]').click();
    await waitForElement(element, '.danger');
    await type('rain');
    await waitForCount(element, '.danger', 0);
  });
});

describe('chats', () => {
  it('keep the order of the server, whatever its clocks say', async () => {
    const clocks = ['2026-11-20T09:00:00', '2026-11-20T12:00:00', null, 'never', '2026-11-19T23:00:00'];
    const data = clocks.map((created_at, at) => ({id: `thr_${at}`, title: `Chat ${at}`, created_at}));
    const {titles} = await open(new FakeServer({'threads.list': () => ({data, has_more: false})}));
    expect(titles()).toEqual(['Chat 0', 'Chat 1', 'Chat 2', 'Chat 3', 'Chat 4']);
  });
});

describe('older chats', () => {
  const MANY = Array.from({length: 200}, (_, at) => (at === 150 ? 'The needle' : `Hay ${at}`));
  const pagesOf = (server: FakeServer): number => server.of('threads.list').length;

  it('are searched page by page, one request at a time, until there are no more', async () => {
    let open_ = 0;
    let most = 0;
    const server = serverWith(MANY);
    const fetch = async (...call: Parameters<typeof server.fetch>): Promise<Response> => {
      open_ += 1;
      most = Math.max(most, open_);
      const answer = await server.fetch(...call);
      open_ -= 1;
      return answer;
    };
    const {type, titles, found, element} = await open(Object.assign(Object.create(server), {fetch}));
    expect(pagesOf(server)).toBe(1);
    await type('needle');
    expect([titles(), found()]).toEqual([['The needle'], '1 chat found']);
    expect([pagesOf(server), most]).toEqual([4, 1]);
    await type('nothing');
    expect([found(), pagesOf(server), find(element, '.more')]).toEqual(['No chats found', 4, undefined]);
  });

  it('are not asked for when there are enough hits, but when the person wants them', async () => {
    const server = serverWith(MANY, 30);
    const {element, type, titles, found} = await open(server);
    await type('hay');
    expect([titles().length, found(), pagesOf(server)]).toEqual([30, '30 chats found so far', 1]);
    expect(one(element, '.more').textContent?.trim()).toBe('Search older chats');
    one(element, '.more').click();
    await vi.waitFor(() => expect(found()).toBe('60 chats found so far'));
    expect(pagesOf(server)).toBe(2);
  });

  it('are asked for 20 times at most, which is said', async () => {
    const server = serverWith(MANY, 2);
    const {element, type, found} = await open(server);
    await type('needle');
    expect([found(), pagesOf(server)]).toEqual(['No chats found so far', 21]);
    one(element, '.more').click();
    await vi.waitFor(() => expect(pagesOf(server)).toBe(41));
  });

  it('are not asked for any more when the field is cleared or the panel is closed', async () => {
    const answers: (() => void)[] = [];
    const plain = serverWith(MANY, 2);
    let isSlow = false;
    const fetch = async (...call: Parameters<typeof plain.fetch>): Promise<Response> => {
      if (isSlow) await new Promise<void>(done => answers.push(done));
      return plain.fetch(...call);
    };
    const {element, field} = await open(Object.assign(Object.create(plain), {fetch}));
    isSlow = true;
    const begin = async (): Promise<void> => {
      field().value = 'needle';
      field().dispatchEvent(new Event('input'));
      await vi.waitFor(() => expect(answers).toHaveLength(1));
      expect(one(element, '.found').textContent).toBe('Searching…');
    };
    await begin();
    press(field(), 'Escape');
    answers.pop()?.();
    await waitForCount(element, '.open', 4);
    expect([answers.length, pagesOf(plain)]).toEqual([0, 2]);
    await begin();
    await element.hideHistory();
    answers.pop()?.();
    await waitForCount(element, 'parlor-history', 0);
    expect(answers).toEqual([]);
  });

  it('that cannot be read are said to be missing, and asked for again where they were', async () => {
    let isBroken = true;
    const plain = serverWith(MANY, 60);
    const server = serverWith(MANY, 60, {
      'threads.list': (call: Call) =>
        isBroken && call.params.after
          ? new Response('', {status: 500})
          : plain.fetch('', {body: JSON.stringify(call)} as RequestInit),
    });
    const {element, events, type, titles, found} = await open(server);
    await type('needle');
    const again = await waitForElement(element, '[role=alert] button');
    expect(found()).toBe('No chats found so far');
    const alerts = all(element, '[role=alert]').map(({textContent}) => textContent?.trim().split('\n')[0]);
    expect(alerts.filter(Boolean)).toEqual(['The chats could not be loaded.']);
    await vi.waitFor(() => expect(eventDetails(events, 'error')).toHaveLength(1));
    isBroken = false;
    again.click();
    await vi.waitFor(() => expect([titles(), found()]).toEqual([['The needle'], '1 chat found']));
    expect(server.of('threads.list').map(({params}) => params.after)).toEqual([
      undefined,
      'thr_59',
      'thr_59',
      'thr_119',
      'thr_179',
    ]);
  });
});
