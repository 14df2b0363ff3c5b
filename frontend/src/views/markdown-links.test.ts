import '../testing/happy-dom.js';
import {afterEach, describe, expect, it, vi} from 'vitest';
import type {FileDetails} from '../composer/file-details.js';
import type {IntentEvent} from '../intents.js';
import '../define.js';
import type {ThreadItem} from '../protocol/types.js';
import type {WidgetView} from '../widgets/widget-view.js';
import type {MarkdownView} from './markdown-view.js';
import type {MessageView} from './message.js';

const ID = `atc_${'0a'.repeat(16)}`;
const OURS = `https://chat.example/api/attachments/${ID}/file?expires=1&signature=old`;

afterEach(() => {
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

/** Clicks the link of a text; the server says `details` of every file, or nothing. */
async function click(href: string, details?: FileDetails, init: MouseEventInit = {}) {
  const followed: string[] = [];
  // What a browser does with a click that nobody prevents, here without going anywhere.
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    followed.push(this.href);
  });
  const view = document.createElement('parlor-markdown') as MarkdownView;
  view.text = `[Download](${href})`;
  const asked: string[] = [];
  view.addEventListener('parlor-intent', event => {
    const {intent} = event as IntentEvent;
    if (intent.type !== 'file-details') return;
    asked.push(intent.id);
    intent.done(Promise.resolve(details));
  });
  document.body.append(view);
  await view.updateComplete;
  const link = view.shadowRoot?.querySelector('a');
  const event = new MouseEvent('click', {bubbles: true, cancelable: true, composed: true, ...init});
  view.addEventListener('click', last => {
    if (!last.defaultPrevented) followed.push('by the browser');
    last.preventDefault();
  });
  link?.dispatchEvent(event);
  await new Promise(resolve => setTimeout(resolve));
  return {asked, followed};
}

it('a widget in a message hands on what a link of its Markdown asks for', async () => {
  const message = document.createElement('parlor-message') as MessageView;
  const heard: string[] = [];
  message.addEventListener('parlor-intent', event => heard.push((event as IntentEvent).intent.type));
  const widget = {type: 'Card', children: [{type: 'Markdown', value: '[Go](chatkit-link://there)'}]};
  const item = {type: 'widget', id: 'msg_1', widget} as unknown as ThreadItem;
  message.entry = {key: 'msg_1', item, isStreaming: false};
  document.body.append(message);
  await message.updateComplete;
  const view = message.shadowRoot?.querySelector<WidgetView>('parlor-widget');
  await view?.updateComplete;
  const markdown = view?.shadowRoot?.querySelector<MarkdownView>('parlor-markdown');
  await markdown?.updateComplete;
  markdown?.shadowRoot?.querySelector('a')?.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
  expect(heard).toEqual(['deeplink']);
});

describe('a link to a file of ours', () => {
  it('is followed to an address that is asked for then: its own ends after some minutes', async () => {
    const fresh = 'https://chat.example/api/attachments/x/file?signature=new';
    expect(await click(OURS, {size: 1, url: fresh})).toEqual({asked: [ID], followed: [`${fresh}&download=1`]});
  });

  it('is followed as it is where the server knows no such file', async () => {
    expect(await click(OURS)).toEqual({asked: [ID], followed: [OURS]});
  });

  it('opens a tab of its own where that is asked for', async () => {
    expect(await click(OURS, undefined, {ctrlKey: true})).toEqual({asked: [], followed: ['by the browser']});
  });

  it.each([
    'https://chat.example/api/attachments/atc_1/file',
    `https://chat.example/api/attachments/${ID}/preview`,
    `https://chat.example/api/attachments/${ID}/files`,
    'https://other.example/',
  ])('is not %s', async href => {
    expect(await click(href)).toEqual({asked: [], followed: ['by the browser']});
  });
});
