/** The composer's options and methods as a page sees them, through the whole element. */
import './testing/happy-dom.js';
import type {ChatKitOptions} from '@openai/chatkit';
import {afterEach, describe, expect, it, vi} from 'vitest';
import './define.js';
import type {OpenAIChatKitElement} from './element.js';

interface Call {
  readonly url: string;
  readonly type: string | undefined;
  readonly params: Record<string, unknown>;
}

afterEach(() => document.body.replaceChildren());

const THREAD = {id: 'thr_1', title: 'Trip', status: {type: 'active'}, items: {data: [], has_more: false}};
const QUESTIONS = {
  id: 's_1',
  type: 'structured_input',
  status: 'pending',
  inputs: [{id: 'q', type: 'freeform', question: 'Why?'}],
};
const isCreated = {type: 'file', id: 'atc_1', name: 'a.txt', mime_type: 'text/plain', upload_url: '/up/1'};

function streamOf(...frames: readonly object[]): Response {
  const body = frames.map(frame => `data: ${JSON.stringify(frame)}\n\n`).join('');
  return new Response(body, {headers: {'Content-Type': 'text/event-stream'}});
}

/** A server that echoes messages, takes uploads, and has one thread with `items`. */
function mount(options: Record<string, unknown> = {}, items: readonly object[] = []) {
  const calls: Call[] = [];
  const fetching = async (url: string, init: RequestInit): Promise<Response> => {
    const {type, params} = typeof init.body === 'string' ? JSON.parse(init.body) : {type: undefined, params: {}};
    calls.push({url, type, params});
    const [, status, code] = /^refused (\d+) ?(.*)/.exec(params.input?.content?.[0]?.text ?? '') ?? [];
    if (status) return Response.json({error: {code, message: 'This file lies.'}}, {status: Number(status)});
    switch (type) {
      case undefined:
        if (url.endsWith('/api/attachments/atc_1')) {
          return Response.json({error: {code: 'not_found', message: 'This file does not exist.'}}, {status: 404});
        }
        return new Response('');
      case 'attachments.create': {
        const count = calls.filter(call => call.type === type).length;
        return Response.json({...isCreated, id: `atc_${count}`, name: params.name});
      }
      case 'threads.get_by_id':
        return Response.json(THREAD);
      case 'items.list':
        return Response.json({data: items, has_more: false});
      case 'threads.create':
      case 'threads.add_user_message':
        return streamOf(
          {type: 'thread.created', thread: THREAD},
          {
            type: 'thread.item.done',
            item: {id: 'u', type: 'user_message', content: params.input.content, attachments: []},
          },
        );
      case 'threads.add_structured_input':
        return streamOf({type: 'thread.item.replaced', item: {...QUESTIONS, status: params.input.status}});
      default:
        return Response.json({data: [], has_more: false});
    }
  };
  const element = document.createElement('openai-chatkit') as OpenAIChatKitElement;
  const errors: string[] = [];
  element.addEventListener('chatkit.error', event => errors.push((event as CustomEvent).detail.error.message));
  const api = {
    url: '/chatkit/desk',
    domainKey: 'k',
    fetch: fetching as typeof fetch,
    uploadStrategy: {type: 'two_phase'} as const,
  };
  element.setOptions({api, ...options} as ChatKitOptions);
  document.body.append(element);
  const called = (type: string) => calls.filter(call => call.type === type).map(({params}) => params);
  return {element, calls, called, errors};
}

/** The first match anywhere inside the element. */
function find<T extends Element>(element: Element, selector: string): T | undefined {
  const scope = element.shadowRoot;
  const own = scope?.querySelector<T>(selector);
  if (own) return own;
  for (const child of scope?.querySelectorAll('*') ?? []) {
    const found = child.shadowRoot ? find<T>(child, selector) : undefined;
    if (found) return found;
  }
  return undefined;
}

async function send(element: OpenAIChatKitElement): Promise<void> {
  const button = await vi.waitFor(() => {
    const found = find<HTMLButtonElement>(element, 'button.send');
    expect(found?.disabled).toBe(false);
    return found;
  });
  button?.click();
}

const ADA = {type: 'input_tag' as const, id: 'p1', text: 'Ada', data: {role: 'author'}, interactive: true};

describe('setComposerValue', () => {
  it('takes content with tags, which are sent as they came and clickable afterwards', async () => {
    const clicked: unknown[] = [];
    const {element, called} = mount({entities: {onClick: (entity: unknown) => clicked.push(entity)}});
    await element.setComposerValue({content: [{type: 'input_text', text: 'Ask '}, ADA], reply: 'before'});
    await send(element);
    expect(called('threads.create')).toMatchObject([
      {input: {content: [{type: 'input_text', text: 'Ask '}, ADA], quoted_text: 'before', attachments: []}},
    ]);
    const tag = await vi.waitFor(() => {
      const found = find(element, 'parlor-entity-tag')?.shadowRoot?.querySelector('button');
      expect(found).not.toBeUndefined();
      return found;
    });
    tag?.click();
    await vi.waitFor(() =>
      expect(clicked).toEqual([{id: 'p1', title: 'Ada', data: {role: 'author'}, interactive: true}]),
    );
  });

  it('uploads files by the same rules as a person’s, says what is wrong, and sends what arrived', async () => {
    const {element, called, errors, calls} = mount({composer: {attachments: {enabled: true, maxSize: 5}}});
    await element.setComposerValue({
      text: 'Look',
      files: [new File(['hello'], 'a.txt', {type: 'text/plain'}), new File(['too large'], 'b.txt')],
    });
    await vi.waitFor(() => expect(errors).toEqual(['“b.txt” is larger than 5 B.']));
    expect(find(element, '[role=alert]')?.textContent).toContain('larger than 5 B');
    await send(element);
    expect(calls.map(({url}) => url).slice(0, 2)).toEqual(['/chatkit/desk', '/up/1']);
    expect(called('threads.create')).toMatchObject([{input: {attachments: ['atc_1']}}]);
    await vi.waitFor(() => expect(find(element, '.uploads')).toBeUndefined());
  });

  it.each(['400', '415', '409 attachments.not_uploaded'])(
    'has the text and the files again after a refusal (%s)',
    async refusal => {
      const {element} = mount({composer: {attachments: {enabled: true}}});
      await element.setComposerValue({
        text: `refused ${refusal}`,
        files: [new File(['hello'], 'a.txt', {type: 'text/plain'})],
      });
      await send(element);
      await vi.waitFor(() => expect(find(element, '[role=alert]')?.textContent).toContain('This file lies.'));
      expect(find<HTMLTextAreaElement>(element, 'textarea')?.value).toBe(`refused ${refusal}`);
      await vi.waitFor(() => expect(find(element, '.uploads')?.textContent).toContain('a.txt'));
    },
  );

  it('shows which of the files the server has refused with the message, and sends it anew on request', async () => {
    const {element, called} = mount({composer: {attachments: {enabled: true}}});
    // `atc_1` is gone from the server by the time the message comes.
    const files = ['a.txt', 'b.txt'].map(name => new File(['hello'], name, {type: 'text/plain'}));
    await element.setComposerValue({text: 'refused 415', files});
    await send(element);
    const retry = await vi.waitFor(() => {
      const found = find<HTMLButtonElement>(element, 'button.retry');
      expect(found?.title).toBe('This file lies.');
      return found;
    });
    const states = () =>
      [...(find(element, '.uploads')?.children ?? [])].map(({className}) => className.split(' ').at(-1));
    expect(states()).toEqual(['failed', 'done']);
    expect(find<HTMLButtonElement>(element, 'button.send')?.disabled).toBe(true);
    retry?.click();
    await vi.waitFor(() => expect(states()).toEqual(['done', 'done']));
    await element.setComposerValue({text: 'Look'});
    await send(element);
    await vi.waitFor(() =>
      expect(called('threads.create').at(-1)).toMatchObject({input: {attachments: ['atc_3', 'atc_2']}}),
    );
    expect(called('attachments.delete')).toEqual([]);
  });

  it('leaves alone what it does not name, and replaces what it does', async () => {
    const {element} = mount();
    await element.setComposerValue({text: 'One', reply: 'quote'});
    await element.setComposerValue({text: 'Two'});
    await vi.waitFor(() => expect(find<HTMLTextAreaElement>(element, 'textarea')?.value).toBe('Two'));
    expect(find(element, '.quote')?.textContent).toContain('quote');
    await element.setComposerValue({reply: ''});
    await vi.waitFor(() => expect(find(element, '.quote')).toBeUndefined());
  });
});

it('the same options again do not disturb what is being written', async () => {
  const {element} = mount({composer: {attachments: {enabled: true}}, entities: {onTagSearch: async () => []}});
  await element.setComposerValue({text: 'Draft', files: [new File(['x'], 'a.txt')]});
  const field = await vi.waitFor(() => {
    const found = find<HTMLTextAreaElement>(element, 'textarea');
    expect(found?.value).toBe('Draft');
    return found;
  });
  element.setOptions({...(element.options as ChatKitOptions)});
  await element.updateComplete;
  expect(find(element, 'textarea')).toBe(field);
  expect(field?.value).toBe('Draft');
  expect(find(element, '.uploads')?.textContent).toContain('a.txt');
});

it('a file dropped anywhere on the chat is uploaded; without attachments it is left to the page', async () => {
  const drop = (element: Element) => {
    const dataTransfer = {types: ['Files'], files: [new File(['hello'], 'a.txt', {type: 'text/plain'})]};
    const event = Object.assign(new Event('drop', {cancelable: true}), {dataTransfer});
    element.dispatchEvent(event);
    return event.defaultPrevented;
  };
  const {element, called} = mount({composer: {attachments: {enabled: true}}});
  await element.updateComplete;
  expect(drop(element)).toBe(true);
  await vi.waitFor(() => expect(called('attachments.create')).toHaveLength(1));
  const plain = mount();
  await plain.element.updateComplete;
  expect(drop(plain.element)).toBe(false);
});

it('questions that were open before a reload are asked again, and answered', async () => {
  const {element, called} = mount({initialThread: 'thr_1'}, [QUESTIONS]);
  const questions = await vi.waitFor(() => {
    const found = find(element, 'parlor-structured-input');
    expect(found?.shadowRoot?.textContent).toContain('Why?');
    return found;
  });
  expect(find(element, 'parlor-composer-field')).toBeUndefined();
  const skip = [...(questions?.shadowRoot?.querySelectorAll('button') ?? [])].find(
    button => button.textContent?.trim() === 'Skip',
  );
  skip?.click();
  await vi.waitFor(() => expect(find(element, 'parlor-composer-field')).toBeDefined());
  expect(called('threads.add_structured_input')).toEqual([
    {thread_id: 'thr_1', item_id: 's_1', input: {status: 'skipped', answers: {q: {values: [], skipped: true}}}},
  ]);
});
