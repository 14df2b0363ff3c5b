/** For tests only: mounts the element, records its events, and queries across its shadow roots. */
import './happy-dom.js';
import type {ChatKitOptions} from '@openai/chatkit';
import {afterEach, expect, vi} from 'vitest';
import '../define.js';
import type {OpenAIChatKitElement} from '../element.js';
import type {FakeServer} from './fake-server.js';

const NAMES = [
  ...['ready', 'error', 'log', 'effect', 'deeplink', 'response.start', 'response.end', 'tool.change'],
  ...['thread.change', 'thread.load.start', 'thread.load.end', 'history.open', 'history.close'],
];
/** The events that an element has dispatched: names without `chatkit.`, and their details. */
export type DispatchedEvents = readonly [string, unknown][];

const mounted: Element[] = [];
afterEach(() => {
  for (const element of mounted.splice(0)) element.remove();
});

/** Creates an element that is removed after the test; it is not in the page yet. */
export function create(): OpenAIChatKitElement {
  const element = document.createElement('openai-chatkit') as OpenAIChatKitElement;
  mounted.push(element);
  return element;
}

export function listen(element: Element): DispatchedEvents {
  const events: [string, unknown][] = [];
  for (const name of NAMES) {
    element.addEventListener(`chatkit.${name}`, event => events.push([name, (event as CustomEvent).detail]));
  }
  return events;
}

export function optionsFor(server: Pick<FakeServer, 'fetch'>, options: object = {}): ChatKitOptions {
  return {api: {url: '/chatkit', domainKey: 'k', fetch: server.fetch}, ...options} as unknown as ChatKitOptions;
}

export function mount(server: Pick<FakeServer, 'fetch'>, options: object = {}) {
  const element = create();
  const events = listen(element);
  element.setOptions(optionsFor(server, options));
  document.body.append(element);
  return {element, events};
}

export const eventDetails = (events: DispatchedEvents, name: string): readonly unknown[] =>
  events.filter(([type]) => type === name).map(([, detail]) => detail);

export const waitForEvent = (events: DispatchedEvents, name: string, count = 1): Promise<void> =>
  vi.waitFor(() => expect(eventDetails(events, name)).toHaveLength(count));

/** Returns all text, including that in shadow roots, in order. */
export function textOf(node: Node): string {
  if (node instanceof Element && node.shadowRoot) return [...node.shadowRoot.childNodes].map(textOf).join('');
  if (node.nodeType === 3) return node.nodeValue ?? '';
  return node.nodeName === 'STYLE' ? '' : [...node.childNodes].map(textOf).join('');
}

export function* rootsOf(element: Element): Generator<ShadowRoot> {
  const root = element.shadowRoot;
  if (!root) return;
  yield root;
  for (const child of root.querySelectorAll('*')) yield* rootsOf(child);
}

export const all = <T extends Element = HTMLElement>(element: Element, selector: string): readonly T[] =>
  [...rootsOf(element)].flatMap(root => [...root.querySelectorAll<T>(selector)]);

export const find = <T extends Element = HTMLElement>(element: Element, selector: string): T | undefined =>
  all<T>(element, selector)[0];

export function one<T extends Element = HTMLElement>(element: Element, selector: string): T {
  const match = find<T>(element, selector);
  if (!match) throw new Error(`no ${selector}`);
  return match;
}

/** Waits until exactly `count` elements match. */
export const waitForCount = (element: Element, selector: string, count = 1): Promise<void> =>
  vi.waitFor(() => expect(all(element, selector)).toHaveLength(count));

/** Waits until an element matches, and returns it. */
export const waitForElement = <T extends Element = HTMLElement>(element: Element, selector: string): Promise<T> =>
  vi.waitFor(() => one<T>(element, selector));
