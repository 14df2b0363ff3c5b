import '../testing/happy-dom.js';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import '../define.js';
import type {EntityRef} from '../composer/composer-options.js';
import type {Intent, IntentEvent} from '../intents.js';
import type {JSONObject} from '../protocol/types.js';
import type {WidgetView} from '../widgets/widget-view.js';
import type {EntityTag} from './entity-tag.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

const ADA: EntityRef = {id: 'p1', title: '<b>Ada</b>', interactive: true};
const CARD = {type: 'Card', children: []};

/** @param preview `null` for none. */
async function mount(entity: EntityRef, preview: JSONObject | null = CARD) {
  const tag = document.createElement('parlor-entity-tag') as EntityTag;
  tag.entity = entity;
  const intents: Intent[] = [];
  tag.addEventListener('parlor-intent', event => {
    const {intent} = event as IntentEvent;
    intents.push(intent);
    if (intent.type === 'entity-preview') intent.done(Promise.resolve(preview ?? undefined));
  });
  document.body.append(tag);
  await tag.updateComplete;
  const button = () => tag.shadowRoot?.querySelector('button');
  const box = () => tag.shadowRoot?.querySelector<HTMLElement>('.preview');
  const wait = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    await tag.updateComplete;
    await box()?.querySelector<WidgetView>('parlor-widget')?.updateComplete;
  };
  const point = (name: string, at = button()) => at?.dispatchEvent(new Event(name));
  return {tag, intents, button, box, wait, point};
}

describe('an entity in the transcript', () => {
  it('is only words when it is not interactive', async () => {
    const {tag, button, intents, wait} = await mount({...ADA, interactive: false});
    expect(button()).toBeNull();
    tag.shadowRoot?.querySelector('.tag')?.dispatchEvent(new Event('pointerenter'));
    await wait(1000);
    expect(intents).toEqual([]);
    expect(tag.shadowRoot?.textContent).toContain('<b>Ada</b>');
  });

  it('is a button for the page', async () => {
    const {button, intents} = await mount(ADA);
    button()?.click();
    expect(intents).toEqual([{type: 'entity-click', entity: ADA}]);
  });

  it('shows its preview after a pause, lets the pointer into it, and goes when both are left', async () => {
    const {box, wait, point} = await mount(ADA);
    point('pointerenter');
    await wait(249);
    expect(box()).toBeNull();
    await wait(1);
    expect(box()?.getAttribute('aria-label')).toBe('Preview of <b>Ada</b>');
    expect(box()?.querySelector<HTMLElement & {widget: unknown}>('parlor-widget')?.widget).toEqual(CARD);
    point('pointerleave');
    await wait(100);
    box()?.dispatchEvent(new Event('pointerenter'));
    await wait(1000);
    expect(box()).not.toBeNull();
    box()?.dispatchEvent(new Event('pointerleave'));
    await wait(200);
    expect(box()).toBeNull();
  });

  it('shows nothing to a pointer that only passes by, or when there is no preview', async () => {
    const passing = await mount(ADA);
    passing.point('pointerenter');
    await passing.wait(100);
    passing.point('pointerleave');
    await passing.wait(1000);
    expect(passing.intents).toEqual([]);
    const empty = await mount(ADA, null);
    empty.point('pointerenter');
    await empty.wait(1000);
    expect(empty.intents).toHaveLength(1);
    expect(empty.box()).toBeNull();
  });

  it('shows its preview after a tap, until the next one elsewhere', async () => {
    const {box, button, wait, intents} = await mount(ADA);
    const touch = (name: string) => Object.assign(new Event(name), {pointerType: 'touch'});
    for (const name of ['pointerenter', 'pointerleave', 'click']) button()?.dispatchEvent(touch(name));
    await wait(300);
    expect(intents.map(({type}) => type)).toEqual(['entity-click', 'entity-preview']);
    expect(box()).not.toBeNull();
    document.dispatchEvent(touch('pointerdown'));
    await wait(0);
    expect(box()).toBeNull();
  });

  it('closes its preview with Escape, when the transcript scrolls, and when it goes', async () => {
    const {tag, box, wait, point, button} = await mount(ADA);
    const open = async () => {
      point('pointerenter');
      await wait(250);
      expect(box()).not.toBeNull();
    };
    await open();
    button()?.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
    await wait(0);
    expect(box()).toBeNull();
    expect(tag.shadowRoot?.activeElement).toBe(button());
    // happy-dom cannot say what has the focus in one shadow root while it is in another.
    button()?.blur();
    await open();
    document.dispatchEvent(new Event('scroll'));
    await wait(0);
    expect(box()).toBeNull();
    await open();
    tag.remove();
    expect(tag.isOpen).toBe(false);
  });

  it('hands on the actions of a preview', async () => {
    const {box, intents, wait, point} = await mount(ADA);
    point('pointerenter');
    await wait(250);
    const detail = {action: {type: 'x'}, itemId: '', widget: CARD, done: () => {}};
    box()?.firstElementChild?.dispatchEvent(new CustomEvent('widget-action', {detail, bubbles: true}));
    expect(intents.at(-1)).toEqual({type: 'widget-action', detail});
  });
});
