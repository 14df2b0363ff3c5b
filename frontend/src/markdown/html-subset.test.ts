import '../testing/happy-dom.js';
import {describe, expect, it} from 'vitest';
import {renderMarkdown} from './render.js';

function draw(text: string): HTMLElement {
  const host = document.createElement('div');
  host.append(renderMarkdown(text));
  return host;
}
const cells = (text: string) => [...draw(text).querySelectorAll('td')].map(cell => cell.textContent?.trim());

describe('a line break', () => {
  it.each(['<br>', '<br/>', '<BR />'])('%s breaks the line in a cell', tag => {
    const host = draw(`| a |\n|---|\n| x${tag}y |`);
    expect(host.querySelectorAll('td br')).toHaveLength(1);
    expect(host.textContent).not.toContain('<');
  });

  it('is text in code, and with anything in it', () => {
    const host = draw('`<br>` <br onclick=x>');
    expect(host.querySelector('br')).toBeNull();
  });
});

describe('a formula in a table', () => {
  it.each([
    ['| a | b |\n|---|---|\n| $|x|$ | $P(A|B)$ |', ['$|x|$', '$P(A|B)$']],
    ['| a | b |\n|---|---|\n| \\(|x|\\) | y |', ['\\(|x|\\)', 'y']],
    ['a | b\n---|---\n$$|x|$$ | y', ['$$|x|$$', 'y']],
    ['| a | b |\n|---|---|\n| $5 | $6 |', ['$5', '$6']],
    ['| a | b |\n|---|---|\n| $x$ | a\\|b |', ['$x$', 'a|b']],
  ])('keeps its bars: %s', (text, expected) => {
    expect(cells(text)).toEqual(expected);
  });

  it('keeps them in the head as well', () => {
    expect([...draw('| $|x|$ | b |\n|---|---|\n| 1 | 2 |').querySelectorAll('th')].map(th => th.textContent)).toEqual([
      '$|x|$',
      'b',
    ]);
  });
});

describe('details', () => {
  it.each([
    '<details>\n<summary>More **here**</summary>\n\nInside\n\n</details>\n---\nBehind',
    '<details><summary>More **here**</summary>\nInside\n</details>\n---\nBehind',
    '<details><summary>More **here**</summary>Inside</details>\n---\nBehind',
    'Before\n<details>\n<summary>More **here**</summary>\nInside\n</details>\n\n---\n\nBehind',
  ])('fold what is in them, and a line below is a line: %j', text => {
    const host = draw(text);
    expect(host.querySelector('details > summary')?.innerHTML).toBe('More <strong>here</strong>');
    expect(host.querySelector('details')?.textContent).toContain('Inside');
    expect(host.querySelectorAll('hr')).toHaveLength(1);
    expect(host.querySelectorAll('h2, h3, h4, h5, h6')).toHaveLength(0);
    expect(host.querySelector('details')?.textContent).not.toMatch(/Behind|<\//);
  });

  it('show their tags in code, end with the text, and may be in a list and in one another', () => {
    expect(
      draw('<details>\n\n```\n</details>\n```\n</details>\n\nEnd').querySelector('details')?.textContent,
    ).toContain('</details>');
    expect(draw('<details open>\n<summary>S</summary>\n- cut').querySelectorAll('details[open] li')).toHaveLength(1);
    expect(draw('- a\n- <details>\n  in\n  </details>\n- b').querySelectorAll('ul > li')).toHaveLength(3);
    const nested = '<details>\n<details>\nx\n</details>\n</details>\n'.replace('x', 'deep');
    expect(draw(nested).querySelectorAll('details details')).toHaveLength(1);
    expect(() => draw('<details>\n'.repeat(5_000))).not.toThrow();
  });

  it('take no attributes but one', () => {
    expect(draw('<details ontoggle=alert(1) open>\nx\n</details>').querySelector('details')).toBeNull();
  });
});
