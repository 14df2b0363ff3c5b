import '../testing/happy-dom.js';
import {describe, expect, it} from 'vitest';
import {MarkdownBlocks} from './incremental-blocks.js';

const AT_ONCE = {hasTime: () => true, schedule: () => () => {}};

/** The shapes that a text goes through while it arrives one character at a time. */
function shapesOf(text: string): readonly string[] {
  const host = document.createElement('div');
  const blocks = new MarkdownBlocks(host, AT_ONCE);
  const shapes: string[] = [];
  for (let length = 1; length <= text.length; length += 1) {
    blocks.render(text.slice(0, length), length < text.length, {});
    const shape = [...host.querySelectorAll('*')].map(({tagName}) => tagName.toLowerCase()).join(' ');
    if (shape !== shapes.at(-1)) shapes.push(shape);
  }
  return shapes;
}

describe('a text that arrives', () => {
  it.each([
    ['1. one\n2. two', ['', 'ol li', 'ol li li']],
    ['- one\n- two', ['', 'ul li', 'ul li li']],
    ['Text\n- one', ['p', 'p ul li']],
    ['Text\n1. one', ['p', 'p ol li']],
    ['Text\n\n---\n\nMore', ['p', 'p hr', 'p hr p']],
    ['## Head\nText', ['', 'h4', 'h4 p']],
    ['Two words\n\n***\n\nEnd', ['p', 'p hr', 'p hr p']],
    ['> 1. one\n> 2. two', ['blockquote', 'blockquote ol li', 'blockquote ol li li']],
    ['<details>\n<summary>S</summary>\nx\n</details>', ['', 'details summary', 'details summary p']],
  ])('never turns into something else: %j', (text, shapes) => {
    expect(shapesOf(text)).toEqual(shapes);
  });

  it.each([
    'Text\n\n```js\nlet a = 1;\n```\n\nEnd',
    'Text\n\n~~~ js\nlet a = 1;\n~~~\n\nEnd',
    'Look: ![a map](https://a.example/b.png)',
    'One<br>two<br/>three<br />four',
    '<details><summary>S</summary>words</details>',
  ])('shows no mark that is gone with the next character: %j', text => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, AT_ONCE);
    const shown: string[] = [];
    for (let length = 1; length <= text.length; length += 1) {
      blocks.render(text.slice(0, length), true, {});
      shown.push(host.textContent);
    }
    expect(shown.filter(each => /[`~<>[\]]/.test(each))).toEqual([]);
  });

  it('makes one list of items with lines between them', () => {
    expect(shapesOf('1. one\n\n2. two\n\n3. three').every(shape => (shape.match(/\bol\b/g) ?? []).length < 2)).toBe(
      true,
    );
  });

  it('shows no row as text before it is a table', () => {
    const shapes = shapesOf('Text\n\n| a | b |\n|---|---|\n| c | d |');
    expect(shapes.filter(shape => /p.*p/.test(shape))).toEqual([]);
  });

  it('shows a number that stands alone once it is known to be one', () => {
    expect(shapesOf('The sum is\n42 in all.')).toEqual(['p', 'p br']);
    expect(shapesOf('42')).toEqual(['', 'p']);
  });
});
