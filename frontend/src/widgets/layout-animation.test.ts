/** Animations of a Transition begin where things were. Elements say in `data-at` where a browser would lay them out. */
import {html, render} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {layoutAnimation} from './layout-animation.js';

type Places = Readonly<Record<string, string>>;

const played: {readonly element: Element; readonly frames: Keyframe[]; isCancelled: boolean}[] = [];
const reads = vi.fn();
let observed: (() => void)[] = [];
let isCalm = false;

beforeEach(() => {
  played.length = 0;
  observed = [];
  isCalm = false;
  reads.mockClear();
  vi.stubGlobal('matchMedia', () => ({matches: isCalm}));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(call: () => void) {
        observed.push(call);
      }
      observe() {}
      disconnect() {}
    },
  );
  Element.prototype.getBoundingClientRect = function (this: Element) {
    reads();
    const [x, y, width, height] = (this.getAttribute('data-at') ?? '0 0 0 0').split(' ').map(Number);
    return new DOMRect(x, y, width, height);
  };
  Element.prototype.animate = function (this: Element, frames) {
    const animation = {element: this, frames: frames as Keyframe[], isCancelled: false};
    played.push(animation);
    return {cancel: () => (animation.isCancelled = true)} as unknown as Animation;
  };
});

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

function draw(place: HTMLElement, box: string, rows: Places, node: unknown = {}, isStreaming = false): void {
  const inner = repeat(
    Object.entries(rows),
    ([name]) => name,
    ([name, at]) => html`<p id=${name} data-at=${at}><b id="${name}-inner" data-at=${at}></b></p>`,
  );
  render(
    html`<div ${layoutAnimation(node, isStreaming)}>${html`<section id="box" data-at=${box}>${inner}</section>`}</div>`,
    place,
  );
}

async function paint(): Promise<string[]> {
  await Promise.resolve();
  for (const call of observed.splice(0)) call();
  return played
    .splice(0)
    .map(({element, frames}) => `${element.id} ${frames[0]?.translate ?? `${frames[0]?.width} ${frames[0]?.height}`}`);
}

function drawInPage(box: string, rows: Places, node: unknown = {}): HTMLElement {
  const place = document.createElement('main');
  document.body.append(place);
  draw(place, box, rows, node);
  return place;
}

test('both sides of the box are animated, and what has moved in it, once and no deeper than it moved', async () => {
  const place = drawInPage('10 10 100 40', {a: '10 10 50 20', b: '10 30 50 20'});
  expect(await paint()).toEqual([]);
  draw(place, '10 90 160 60', {b: '10 90 50 20', a: '30 110 50 20', c: '10 130 50 20'});
  expect(await paint()).toEqual(['box 100px 40px', 'b 0px 20px', 'a -20px -20px']);
});

test('nothing is animated where nothing has changed but the place of the whole', async () => {
  const place = drawInPage('0 0 100 40', {a: '0 0 50 20'});
  await paint();
  draw(place, '0 300 100.3 40', {a: '0 300 50 20'});
  expect(await paint()).toEqual([]);
});

test('one that is overtaken ends, and the next begins where it was seen', async () => {
  const place = drawInPage('0 0 100 40', {a: '0 0 50 20'});
  await paint();
  draw(place, '0 0 100 80', {a: '0 20 50 20'});
  await Promise.resolve();
  for (const call of observed.splice(0)) call();
  const [size, move] = played;
  // Half-way, as the browser would tell it.
  place.querySelector('#box')?.setAttribute('data-at', '0 0 100 60');
  for (const id of ['#a', '#a-inner']) place.querySelector(id)?.setAttribute('data-at', '0 10 50 20');
  played.length = 0;
  draw(place, '0 0 100 90', {a: '0 20.5 50 20'});
  expect(await paint()).toEqual(['box 100px 60px', 'a 0px -10.5px']);
  expect([size?.isCancelled, move?.isCancelled]).toEqual([true, true]);
});

test('places are read once for any number of drawings before a frame, and not while something else is written', async () => {
  const node = {};
  const place = drawInPage('0 0 100 40', {a: '0 0 50 20'}, node);
  await paint();
  draw(place, '0 0 100 50', {a: '0 0 50 20'}, node, true);
  expect(await paint()).toEqual([]);
  expect(reads).not.toHaveBeenCalled();
  draw(place, '0 0 100 60', {a: '0 0 50 20'});
  draw(place, '0 0 100 90', {a: '0 0 50 20'});
  expect(reads).toHaveBeenCalledTimes(3);
  expect(await paint()).toEqual(['box 100px 50px']);
});

test('who wants no motion gets none', async () => {
  const place = drawInPage('0 0 100 40', {a: '0 0 50 20'});
  await paint();
  isCalm = true;
  draw(place, '0 0 200 90', {a: '0 30 50 20'});
  expect(await paint()).toEqual([]);
  expect(reads).not.toHaveBeenCalled();
});
