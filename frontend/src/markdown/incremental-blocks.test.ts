import '../testing/happy-dom.js';
import {describe, expect, it} from 'vitest';
import type {Slices} from '../frames.js';
import {MarkdownBlocks, type Marker} from './incremental-blocks.js';
import {renderMarkdown} from './render.js';
import {closeOpenMarks} from './unfinished-marks.js';

function draw(text: string): HTMLElement {
  const host = document.createElement('div');
  host.append(renderMarkdown(text));
  return host;
}

/** Frames by hand: each has time for so many pieces, and the next one comes when it is told to. */
function manualSlices(pieces: number): Slices & {readonly waiting: (() => void)[]; nextFrame(): void} {
  let left = pieces;
  const waiting: (() => void)[] = [];
  return {
    waiting,
    hasTime: () => {
      left -= 1;
      return left >= 0;
    },
    schedule: run => {
      waiting.push(run);
      return () => void waiting.splice(waiting.indexOf(run), 1);
    },
    nextFrame: () => {
      left = pieces;
      waiting.pop()?.();
    },
  };
}

const ALL_AT_ONCE = Number.POSITIVE_INFINITY;

function grow(text: string, step: number, blocks: MarkdownBlocks): void {
  for (let length = step; length < text.length; length += step) blocks.render(text.slice(0, length), true, {});
  blocks.render(text, false, {});
}

function marker(index: number, name: string): Marker {
  return {
    index,
    key: name,
    build: () => {
      const node = document.createElement('sup');
      node.textContent = name;
      return node;
    },
  };
}

describe('growing Markdown', () => {
  const text =
    '# Title\n\nA paragraph with **bold** and `code`.\n\n- one\n- two\n\n```py\nprint(1)\nprint(2)\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nThe [end](https://a.example).';

  it('ends as the whole text would be drawn at once', () => {
    for (const step of [1, 3, 11]) {
      const host = document.createElement('div');
      const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
      for (let length = step; length < text.length; length += step) blocks.render(text.slice(0, length), true, {});
      blocks.render(text, false, {});
      const html = (element: HTMLElement) => element.outerHTML.replaceAll(/>\s+</g, '><').trim();
      expect(html(host)).toBe(html(draw(text)));
    }
  });

  it('never touches a finished block again', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    blocks.render('First.\n\nSec', true, {});
    const first = host.querySelector('p');
    blocks.render('First.\n\nSecond.\n\nThird', true, {});
    blocks.render('First.\n\nSecond.\n\nThird.', false, {});
    expect(host.querySelector('p')).toBe(first);
    expect(host.querySelectorAll('p')).toHaveLength(3);
  });

  it('grows a code block in place', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    blocks.render('```py\na = 1\n', true, {});
    const code = host.querySelector('code');
    blocks.render('```py\na = 1\nb = 2\n', true, {});
    expect(host.querySelector('code')).toBe(code);
    expect(code?.textContent).toBe('a = 1\nb = 2\n');
  });

  it('starts anew when the text is another one', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    blocks.render('Old.\n\nOld too.', true, {});
    blocks.render('New.', true, {});
    expect(host.textContent?.trim()).toBe('New.');
  });

  it('asks for no image while its address may be half', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    const whole = '![map](https://img.example/map.png)';
    for (let length = 1; length <= whole.length; length += 1) {
      blocks.render(whole.slice(0, length), true, {imageDomains: ['img.example']});
      expect(host.querySelector('img')).toBeNull();
    }
    blocks.render(whole, false, {imageDomains: ['img.example']});
    expect(host.querySelector('img')?.getAttribute('src')).toBe('https://img.example/map.png');
  });

  it('resolves a link whose definition came later', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    const whole = 'See [docs].\n\nMore.\n\n[docs]: https://a.example\n';
    for (let length = 1; length < whole.length; length += 1) blocks.render(whole.slice(0, length), true, {});
    blocks.render(whole, false, {});
    expect(host.querySelector('a')?.getAttribute('href')).toBe('https://a.example');
  });

  it.each([
    ['some **bold te', 'some **bold te**'],
    ['some **', 'some '],
    ['an *italic wo', 'an *italic wo*'],
    ['code `x = ', 'code `x = `'],
    ['code `', 'code '],
    ['前**`', '前'],
    ['a [link](https://exa', 'a link'],
    ['a ![pic](https://exa', 'a pic'],
    ['~~gone', '~~gone~~'],
    ['a line\n-', 'a line'],
    ['2 * 3 = 6', '2 * 3 = 6'],
    ['**done** and *done*', '**done** and *done*'],
  ])('closes what is open for now: %j', (open, closed) => {
    expect(closeOpenMarks(open)).toBe(closed);
  });

  it.each([
    ['list', Array.from({length: 120}, (_, at) => `- item **${at}** with ${'text '.repeat(8)}\n`).join(''), 'li'],
    [
      'numbered list',
      Array.from({length: 120}, (_, at) => `${at + 1}. item *${at}* with ${'text '.repeat(8)}\n`).join(''),
      'li',
    ],
    [
      'table',
      `| a | b |\n|---|---|\n${Array.from({length: 120}, (_, at) => `| ${at} | ${'text '.repeat(8)} |\n`).join('')}`,
      'tr',
    ],
  ])('draws a long %s in parts that make one', (_name, text, tag) => {
    const whole = draw(text);
    for (const step of [text.length, 499]) {
      const host = document.createElement('div');
      grow(text, step, new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE)));
      expect(host.querySelectorAll('ul, ol, table')).toHaveLength(1);
      expect([...host.querySelectorAll(tag)].map(node => node.textContent)).toEqual(
        [...whole.querySelectorAll(tag)].map(node => node.textContent),
      );
    }
  });

  it('leaves finished items of a long list alone', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    const text = Array.from({length: 400}, (_, at) => `- item ${at}\n`).join('');
    blocks.render(text, true, {});
    const first = host.querySelector('li');
    blocks.render(`${text}- one more\n`, true, {});
    expect(host.querySelector('li')).toBe(first);
    expect(host.querySelectorAll('li')).toHaveLength(401);
  });

  it('draws a long text over several frames, and stops when it is told to', () => {
    const slices = manualSlices(3);
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, slices);
    const text = Array.from({length: 60}, (_, at) => `Paragraph ${at} ${'x'.repeat(600)}\n\n`).join('');
    blocks.render(text, false, {});
    const inFirstFrame = host.querySelectorAll('p').length;
    expect(inFirstFrame).toBeLessThan(10);
    blocks.pause();
    expect(slices.waiting).toHaveLength(0);
    blocks.resume();
    while (slices.waiting.length > 0) slices.nextFrame();
    expect(host.querySelectorAll('p')).toHaveLength(60);
  });

  it('puts a long text into sections, and leaves the finished ones alone', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    const text = Array.from({length: 40}, (_, at) => `Paragraph ${at} ${'x'.repeat(600)}\n\n`).join('');
    grow(text, 500, blocks);
    const sections = [...host.querySelectorAll(':scope > .section')];
    expect(sections.length).toBeGreaterThan(5);
    expect(sections.map(section => section.matches('.finished'))).toEqual(
      sections.map(each => each !== sections.at(-1)),
    );
    expect([...host.querySelectorAll('p')].map(({textContent}) => textContent?.split(' x')[0])).toEqual(
      Array.from({length: 40}, (_, at) => `Paragraph ${at}`),
    );
  });

  it('reads a text that is there as a whole in parts, too', () => {
    const slices = manualSlices(1);
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, slices);
    const text = `| a |\n|---|\n${Array.from({length: 3_000}, (_, at) => `| row ${at} |\n`).join('')}`;
    blocks.render(text, false, {});
    while (!blocks.isWhole) slices.nextFrame();
    expect(host.querySelectorAll('table')).toHaveLength(1);
    expect([...host.querySelectorAll('td')].map(cell => cell.textContent)).toEqual(
      Array.from({length: 3_000}, (_, at) => `row ${at}`),
    );
  });

  it('shows what it can of a code fence that is not closed, and not its half end', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    for (const text of ['```py\na', '```py\na\n`', '```py\na\n``', '```py\na\n``x', '```py\na\n``x\n```']) {
      blocks.render(text, true, {});
      expect(host.querySelectorAll('.code')).toHaveLength(1);
      expect(host.querySelector('code')?.textContent).not.toMatch(/`$/);
    }
    blocks.render('```py\na\n``x\n```\n\nEnd.', false, {});
    expect(host.querySelector('code')?.textContent).toBe('a\n``x\n');
  });

  it('tells what is finished apart from what may grow', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    const finished: string[] = [];
    const enhance = (drawn: ParentNode, isFinished: boolean) => {
      if (isFinished) finished.push((drawn as Node).textContent?.trim() ?? '');
    };
    for (const text of ['One.', 'One.\n\nTwo', 'One.\n\nTwo.']) blocks.render(text, true, {enhance});
    expect(finished).toEqual(['One.']);
    blocks.render('One.\n\nTwo.', false, {enhance});
    expect(finished).toEqual(['One.', 'Two.']);
  });

  it.each([
    ['Some words and **bold ones** to', 'Some words and **bold ones** to select.\n\nMore', 'p, strong'],
    ['- one\n- two **bo', '- one\n- two **bold**\n- three\n\nEnd', 'ul, li, strong'],
    ['| a |\n|---|\n| x |', '| a |\n|---|\n| x |\n| y |\n\nEnd', 'table, td'],
    ['```js\na = 1', '```js\na = 1\nb\n```\n\nEnd', 'pre, code'],
    ['> quo', '> quoted\n> more\n\nEnd', 'blockquote, p'],
    [`${'x '.repeat(1_200)}\n\nThe be`, `${'x '.repeat(1_200)}\n\nThe beginning.\n\nEnd`, '.section p'],
  ])('keeps the nodes of what grows: %j', (before, after, selector) => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    blocks.render(before, true, {});
    const nodes = [...host.querySelectorAll(selector)];
    const texts = nodes.flatMap(node => [...node.childNodes].filter(child => child.nodeType === 3));
    expect(nodes.length).toBeGreaterThan(0);
    for (let length = before.length; length < after.length; length += 1)
      blocks.render(after.slice(0, length), true, {});
    blocks.render(after, true, {});
    blocks.render(after, false, {});
    expect([...host.querySelectorAll(selector)]).toEqual(expect.arrayContaining(nodes));
    for (const node of [...nodes, ...texts]) expect(host.contains(node)).toBe(true);
  });

  it('keeps the nodes when the whole answer has lost the spaces at its end', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    blocks.render('One.\n\nTwo.\n\n', true, {});
    const [first, second] = host.querySelectorAll('p');
    blocks.render('One.\n\nTwo.', false, {});
    expect([...host.querySelectorAll('p')]).toEqual([first, second]);
  });

  it('leaves half a formula out', () => {
    expect(closeOpenMarks('so \\(x^')).toBe('so ');
    expect(closeOpenMarks('so \\(x\\) and **b')).toBe('so \\(x\\) and **b**');
    expect(closeOpenMarks('so $$x')).toBe('so ');
  });

  it('closes marks in the last block only', () => {
    expect(closeOpenMarks('- two ** stars\n- **bo')).toBe('- two ** stars\n- **bo**');
  });
});

describe('markers in growing Markdown', () => {
  const text = 'Bern 😀 is old.\n\nIt has **bears** and `code`.\n\nEnd.';

  it('stand behind so many characters as a server counts, emoji or not', () => {
    const host = document.createElement('div');
    new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE)).render(text, false, {}, [marker(6, 'a'), marker(14, 'b')]);
    expect(host.querySelector('p')?.textContent).toBe('Bern 😀a is old.b');
  });

  it('count a carriage return like a server does', () => {
    const host = document.createElement('div');
    new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE)).render('One.\r\n\r\nTwo.', false, {}, [marker(12, 'a')]);
    expect(host.querySelectorAll('p')[1]?.textContent).toBe('Two.a');
  });

  it('come into a finished block without touching the others', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    const long = `${'First paragraph. '.repeat(100)}\n\n${'Second paragraph. '.repeat(100)}\n\nThird`;
    blocks.render(long, true, {});
    const [first, second] = host.querySelectorAll('p');
    blocks.render(long, true, {}, [marker(1_710, 'b')]);
    const [firstNow, secondNow] = host.querySelectorAll('p');
    expect(firstNow).toBe(first);
    expect(secondNow).toBe(second);
    expect(secondNow?.querySelector('sup')?.textContent).toBe('b');
  });

  it('beyond the end stand at the end', () => {
    for (const isStreaming of [true, false]) {
      const host = document.createElement('div');
      new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE)).render(text, isStreaming, {}, [marker(9_999, 'z')]);
      expect(host.querySelector('p:last-of-type')?.textContent).toBe('End.z');
    }
  });

  it('are the same however the text arrives', () => {
    const markers = [marker(3, 'a'), marker(30, 'b'), marker(48, 'c')];
    const whole = document.createElement('div');
    new MarkdownBlocks(whole, manualSlices(ALL_AT_ONCE)).render(text, false, {}, markers);
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, manualSlices(ALL_AT_ONCE));
    for (let length = 1; length < text.length; length += 1) blocks.render(text.slice(0, length), true, {}, markers);
    blocks.render(text, false, {}, markers);
    expect(host.textContent?.replaceAll(/\s+/g, ' ').trim()).toBe(whole.textContent?.replaceAll(/\s+/g, ' ').trim());
    expect(host.querySelectorAll('sup')).toHaveLength(3);
  });
});
