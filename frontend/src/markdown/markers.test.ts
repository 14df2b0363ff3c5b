import '../testing/happy-dom.js';
import {describe, expect, it} from 'vitest';
import {renderMarkdown} from './render.js';

/** The text that is shown, with a bar where the marker stands. `¦` in the source says where it is asked for. */
function place(source: string): string {
  const offset = source.indexOf('¦');
  const host = document.createElement('div');
  host.append(
    renderMarkdown(
      source.replace('¦', ''),
      {},
      {markers: [{offset, number: 0}], buildMarker: () => document.createTextNode('|')},
    ),
  );
  return (host.textContent ?? '').replaceAll(/\s+/g, ' ').trim();
}

describe('a marker', () => {
  it.each([
    ['plain¦ text', 'plain| text'],
    ['¦at the start', '|at the start'],
    ['at the end¦', 'at the end|'],
    ['in **bo¦ld** text', 'in bo|ld text'],
    ['line one\nline¦ two', 'line one line| two'],
    ['# Head¦ing', 'Head|ing'],
    ['- item¦ one\n- item two', 'item| one item two'],
    ['> quoted¦ text', 'quoted| text'],
    ['| a¦ | b |\n|---|---|\n| 1 | 2 |', 'a| b 1 2'],
    ['| a | b |\n|---|---|\n| 1 | 2¦ |', 'a b 1 2|'],
    ['one\n¦\ntwo', 'one| two'],
    ['1. one\n   - two¦ deep', 'one two| deep'],
    ['the same the¦ same', 'the same the| same'],
    ['a &amp; b¦ c', 'a & b| c'],
  ])('stands in its place in %j', (source, shown) => {
    expect(place(source)).toBe(shown);
  });

  it.each([
    ['see `co¦de` here', 'see code| here'],
    ['see [the la¦bel](https://a.example) here', 'see the label| here'],
    ['see [label](https://a.ex¦ample) here', 'see label| here'],
    ['see https://a.ex¦ample/x here', 'see https://a.example/x| here'],
    ['see \\(x^¦2\\) here', 'see \\(x^2\\)| here'],
    ['see $x^¦2$ here', 'see $x^2$| here'],
    ['a &a¦mp; b', 'a &| b'],
    ['a \\¦* b', 'a *| b'],
    ['![a pic¦ture](/x.png) here', '| here'],
  ])('moves behind what it must not be in: %j', (source, shown) => {
    expect(place(source)).toBe(shown);
  });

  it.each([
    ['```py\nx =¦ 1\n```\n\nafter', 'pyx = 1 |after'],
    ['$$\nx ¦= 1\n$$\n\nafter', '$$x = 1$$|after'],
  ])('stands below a block that it must not be in: %j', (source, shown) => {
    expect(place(source)).toBe(shown);
  });

  it('keeps its place when its neighbours are markers too', () => {
    const host = document.createElement('div');
    const markers = [3, 3, 7].map((offset, number) => ({offset, number}));
    const buildMarker = (number: number) => document.createTextNode(`<${number}>`);
    host.append(renderMarkdown('one two three', {}, {markers, buildMarker}));
    expect(host.textContent?.trim()).toBe('one<0><1> two<2> three');
  });
});
