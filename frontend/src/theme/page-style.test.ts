import {describe, expect, it, vi} from 'vitest';
import {FakeServer, stored, user} from '../testing/fake-server.js';
import {
  create,
  eventDetails,
  type listen,
  mount,
  optionsFor,
  rootsOf,
  waitForCount,
} from '../testing/mounted-element.js';

const RULE = '[part~="composer"] { outline: 77px solid; }';
const textsOf = (root: ShadowRoot): readonly string[] =>
  root.adoptedStyleSheets.map(sheet => [...sheet.cssRules].map(({cssText}) => cssText).join(''));
/** How many of the shadow roots have the rule, and how many there are. */
const countStyledRoots = (element: Element) => {
  const roots = [...rootsOf(element)];
  return [roots.filter(root => textsOf(root).at(-1)?.includes('77px')).length, roots.length];
};
const sheetOf = (text: string): CSSStyleSheet => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
};
const refusals = (events: ReturnType<typeof listen>) =>
  eventDetails(events, 'log').map(detail => (detail as {data: unknown}).data);

describe('a style sheet of the page', () => {
  it.each([
    ['text', RULE],
    ['a sheet', sheetOf(RULE)],
  ])(
    'given as %s reaches every shadow root, those that come later too, and goes with the option',
    async (_, stylesheet) => {
      const {element} = mount(new FakeServer(stored(user('Hi'))), {parlor: {stylesheet}});
      await element.updateComplete;
      const [reached = 0, count] = countStyledRoots(element);
      expect(reached).toBeGreaterThan(4);
      expect(reached).toBe(count);
      await element.setThreadId('thr_1');
      await waitForCount(element, '.exchange');
      const [now = 0, all] = countStyledRoots(element);
      expect(now).toBeGreaterThan(reached);
      expect(now).toBe(all);
      element.setOptions(optionsFor(new FakeServer()));
      expect(countStyledRoots(element)[0]).toBe(0);
    },
  );

  it('has the last word after the theme, and reaches no other chat', async () => {
    const {element} = mount(new FakeServer(), {parlor: {stylesheet: RULE}, theme: 'dark'});
    const other = mount(new FakeServer()).element;
    await element.updateComplete;
    element.setOptions(optionsFor(new FakeServer(), {parlor: {stylesheet: RULE}, theme: 'light'}));
    const [first] = [...rootsOf(element)];
    expect(textsOf(first as ShadowRoot).findIndex(text => text.includes('--chatkit-accent:'))).toBeGreaterThanOrEqual(
      0,
    );
    expect(textsOf(first as ShadowRoot).at(-1)).toContain('77px');
    expect(countStyledRoots(other)[0]).toBe(0);
  });

  it('may be set on the element, and stays when the element is moved', async () => {
    const element = create();
    element.dataset.parlorStylesheet = RULE;
    element.setOptions(optionsFor(new FakeServer()));
    document.body.append(element);
    await element.updateComplete;
    const place = document.createElement('div');
    document.body.append(place);
    place.append(element);
    const [reached, count] = countStyledRoots(element);
    expect(reached).toBe(count);
    place.remove();
  });

  it('is fetched from the page’s own origin only', async () => {
    const fetching = vi
      .spyOn(globalThis, 'fetch')
      .mockImplementation(
        async url =>
          new Response(RULE, {headers: {'Content-Type': String(url).endsWith('.css') ? 'text/css' : 'text/html'}}),
      );
    const {element, events} = mount(new FakeServer(), {parlor: {stylesheet: '/own.css'}});
    await vi.waitFor(() => expect(countStyledRoots(element)[0]).toBeGreaterThan(4));
    expect(fetching.mock.calls.map(([url, init]) => [String(url), init?.redirect])).toEqual([
      [new URL('/own.css', document.baseURI).href, 'error'],
    ]);
    element.setOptions(optionsFor(new FakeServer(), {parlor: {stylesheet: 'https://evil.example/x.css'}}));
    await vi.waitFor(() => expect(refusals(events)).toEqual([{reason: 'it has another origin than the page'}]));
    expect([fetching.mock.calls.length, countStyledRoots(element)[0]]).toEqual([1, 0]);
    element.setOptions(optionsFor(new FakeServer(), {parlor: {stylesheet: '/page'}}));
    await vi.waitFor(() => expect(refusals(events).at(-1)).toEqual({reason: 'the address gives no style sheet'}));
    fetching.mockRestore();
  });

  it('that is too long or no sheet at all is refused or as if it were not there', async () => {
    const {element, events} = mount(new FakeServer(), {parlor: {stylesheet: `${RULE}${' '.repeat(200_000)}`}});
    await vi.waitFor(() => expect(refusals(events)).toEqual([{reason: 'it is too long'}]));
    for (const stylesheet of [7, {}, '', null]) {
      element.setOptions(optionsFor(new FakeServer(), {parlor: {stylesheet}}));
      expect(countStyledRoots(element)[0]).toBe(0);
    }
    expect(refusals(events)).toHaveLength(1);
  });
});
