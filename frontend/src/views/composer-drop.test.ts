import '../testing/happy-dom.js';
import {afterEach, beforeAll, describe, expect, it} from 'vitest';
import '../define.js';
import type {Intent, IntentEvent} from '../intents.js';
import {lazyElements} from '../lazy-elements.js';
import type {DropZone} from './composer-drop.js';

beforeAll(() => lazyElements.load('parlor-drop-zone'));

afterEach(() => document.body.replaceChildren());

const FILE = new File(['x'], 'a.txt');

async function mount(properties: Partial<DropZone> = {}) {
  const chat = document.createElement('div');
  const zone = document.createElement('parlor-drop-zone') as DropZone;
  Object.assign(zone, properties);
  chat.attachShadow({mode: 'open'}).append(zone);
  document.body.append(chat);
  const intents: Intent[] = [];
  zone.addEventListener('parlor-intent', event => intents.push((event as IntentEvent).intent));
  const drag = async (type: string, more: object = {dataTransfer: {types: ['Files'], files: [FILE]}}) => {
    const event = Object.assign(new Event(type, {cancelable: true}), more);
    chat.dispatchEvent(event);
    await zone.updateComplete;
    return event;
  };
  const isShown = () => zone.shadowRoot?.textContent?.includes('Drop files') ?? false;
  return {zone, chat, intents, drag, isShown};
}

describe('files over the chat', () => {
  it('show where they can go, and are taken when they are dropped', async () => {
    const {drag, isShown, intents} = await mount();
    expect((await drag('dragover')).defaultPrevented).toBe(true);
    expect(isShown()).toBe(true);
    expect((await drag('drop')).defaultPrevented).toBe(true);
    expect(isShown()).toBe(false);
    expect(intents).toEqual([{type: 'add-files', files: [FILE]}]);
  });

  it('leave no trace when they are taken away', async () => {
    const {drag, isShown} = await mount();
    await drag('dragenter');
    await drag('dragleave', {relatedTarget: document.body});
    expect(isShown()).toBe(false);
  });

  it('are left to the page while nothing can be attached', async () => {
    const {drag, isShown, intents} = await mount({disabled: true});
    expect((await drag('dragover')).defaultPrevented).toBe(false);
    expect((await drag('drop')).defaultPrevented).toBe(false);
    expect([isShown(), intents]).toEqual([false, []]);
  });

  it('beside it are taken as well where the page is there for it, and refused with a word where none are taken', async () => {
    const drop = async () => {
      const event = Object.assign(new Event('drop', {cancelable: true}), {
        dataTransfer: {types: ['Files'], files: [FILE]},
      });
      document.dispatchEvent(event);
      return event.defaultPrevented;
    };
    const {zone, intents} = await mount({onPage: true});
    expect(await drop()).toBe(true);
    zone.disabled = true;
    expect(await drop()).toBe(true);
    expect(intents).toEqual([
      {type: 'add-files', files: [FILE]},
      {type: 'report', error: new Error('Files cannot be attached here.'), isShown: true},
    ]);
  });

  it('that are folders are left out, and that is said', async () => {
    const {drag, intents} = await mount();
    const folder = new File([], 'folder');
    const items = [false, true].map(isDirectory => ({kind: 'file', webkitGetAsEntry: () => ({isDirectory})}));
    await drag('drop', {dataTransfer: {types: ['Files'], files: [FILE, folder], items}});
    expect(intents).toMatchObject([
      {type: 'add-files', files: [FILE]},
      {type: 'report', isShown: true},
    ]);
  });

  it('are not words that are dragged', async () => {
    const {drag, isShown} = await mount();
    const event = await drag('dragover', {dataTransfer: {types: ['text/plain'], files: []}});
    expect([isShown(), event.defaultPrevented]).toEqual([false, false]);
  });

  it('are not listened for after the view has gone', async () => {
    const {zone, drag} = await mount();
    zone.remove();
    expect((await drag('dragover')).defaultPrevented).toBe(false);
  });
});
