import '../testing/happy-dom.js';
import {afterEach, beforeAll, describe, expect, it} from 'vitest';
import '../define.js';
import type {FileDetails} from '../composer/file-details.js';
import type {Intent, IntentEvent} from '../intents.js';
import {lazyElements} from '../lazy-elements.js';
import type {Attachment} from '../protocol/types.js';
import type {AttachedFiles} from './attached-files.js';
import type {Lightbox} from './lightbox.js';

beforeAll(async () => {
  await Promise.all([lazyElements.load('parlor-attached-files'), lazyElements.load('parlor-lightbox')]);
});
afterEach(() => document.body.replaceChildren());

const image = (id: string): Attachment => ({
  ...{type: 'image', id, name: `${id}.png`, mimeType: 'image/png', previewUrl: `/${id}/preview`},
});
const REPORT: Attachment = {type: 'file', id: 'r', name: 'r.csv', mimeType: 'text/csv', previewUrl: undefined};

/** Files of a message; the server says `details` of each, or nothing. */
async function mount(files: readonly Attachment[], details?: FileDetails) {
  const view = document.createElement('parlor-attached-files') as AttachedFiles;
  view.files = files;
  const intents: Intent[] = [];
  view.addEventListener('parlor-intent', event => {
    const {intent} = event as IntentEvent;
    intents.push(intent);
    if (intent.type === 'file-details') intent.done(Promise.resolve(details));
  });
  document.body.append(view);
  await settle(view);
  const button = (name: string) => view.shadowRoot?.querySelector<HTMLElement>(`button[aria-label^="${name}"]`);
  return {view, intents, button};
}

async function settle(view: AttachedFiles): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await view.updateComplete;
    await Promise.resolve();
  }
}

async function open(view: AttachedFiles): Promise<Lightbox> {
  await settle(view);
  const box = view.shadowRoot?.querySelector<Lightbox>('parlor-lightbox');
  if (!box) throw new Error('no lightbox');
  await box.updateComplete;
  await box.updateComplete;
  return box;
}

describe('a file of a message', () => {
  it('has its kind and size, and is downloaded from an address that is asked for then', async () => {
    const {intents, button} = await mount([REPORT], {size: 2048, url: '/api/r/file?expires=1'});
    expect(button('Download r.csv, CSV · 2 KB')).toBeTruthy();
    button('Download')?.click();
    expect(intents.filter(({type}) => type === 'file-details')).toHaveLength(2);
  });

  it('is its name alone where the server says nothing of it', async () => {
    const {view, button} = await mount([REPORT]);
    expect(button('Download')).toBeNull();
    expect(view.shadowRoot?.querySelector('.words')?.textContent).toMatch(/r\.csv\s+CSV/);
  });

  it('that is gone meanwhile says so', async () => {
    const {view, intents, button} = await mount([REPORT], {size: 1, url: '/r'});
    view.addEventListener(
      'parlor-intent',
      event => {
        const {intent} = event as IntentEvent;
        event.stopImmediatePropagation();
        if (intent.type === 'file-details') intent.done(Promise.resolve(undefined));
      },
      {capture: true, once: true},
    );
    button('Download')?.click();
    await settle(view);
    expect(intents.at(-1)).toMatchObject({type: 'report', isShown: true});
  });
});

it('a picture whose preview cannot be had is shown as other files are', async () => {
  const {view, button} = await mount([image('a')], {size: 1024, url: '/a'});
  view.shadowRoot?.querySelector('img')?.dispatchEvent(new Event('error'));
  await settle(view);
  expect(view.shadowRoot?.querySelector('img')).toBeNull();
  expect(button('Download a.png, PNG · 1 KB')).toBeTruthy();
});

describe('the lightbox', () => {
  const press = async (box: Lightbox, key: string) => {
    const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true});
    box.dialog?.dispatchEvent(event);
    await box.updateComplete;
  };

  it('shows the picture that was pressed in its full size, and turns with arrows to either end', async () => {
    const {view, button} = await mount([image('a'), REPORT, image('b')], {size: 9, url: '/whole'});
    button('Open b.png')?.click();
    const box = await open(view);
    expect(box.shadowRoot?.querySelector('img')?.getAttribute('src')).toBe('/whole');
    expect(box.shadowRoot?.querySelector('a')?.getAttribute('href')).toBe('/whole?download=1');
    const caption = () => box.shadowRoot?.querySelector('.caption')?.textContent;
    expect(caption()).toBe('Picture 2 of 2: b.png');
    await press(box, 'ArrowRight');
    expect(caption()).toBe('Picture 2 of 2: b.png');
    await press(box, 'ArrowLeft');
    expect(caption()).toBe('Picture 1 of 2: a.png');
  });

  it('zooms between what fits and eight times as much, and goes when it is closed', async () => {
    const {view, button} = await mount([image('a')]);
    button('Open a.png')?.click();
    const box = await open(view);
    expect(box.shadowRoot?.querySelector('img')?.getAttribute('src')).toBe('/a/preview');
    for (let turn = 0; turn < 9; turn += 1) await press(box, '+');
    expect(box.zoom).toBe(8);
    await press(box, '-');
    await press(box, '0');
    expect(box.zoom).toBe(1);
    box.dialog?.dispatchEvent(new Event('close'));
    await settle(view);
    expect(view.shadowRoot?.querySelector('parlor-lightbox')).toBeNull();
  });

  it('that is closed stays closed, whatever the server says of its picture later', async () => {
    let answer: (details: FileDetails) => void = () => undefined;
    const {view, button} = await mount([image('a')]);
    view.addEventListener(
      'parlor-intent',
      event => {
        const {intent} = event as IntentEvent;
        event.stopImmediatePropagation();
        if (intent.type === 'file-details') intent.done(new Promise(resolve => (answer = resolve)));
      },
      {capture: true},
    );
    button('Open a.png')?.click();
    const box = await open(view);
    box.dialog?.close();
    answer({size: 9, url: '/whole'});
    await settle(view);
    await box.updateComplete;
    expect(box.details?.url).toBe('/whole');
    expect(box.dialog?.open).toBe(false);
  });
});
