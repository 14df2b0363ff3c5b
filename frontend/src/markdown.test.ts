import './happy-dom.js';
import DOMPurify from 'dompurify';
import {describe, expect, it} from 'vitest';
import {closeOpenMarks, MarkdownBlocks, renderMarkdown} from './markdown.js';

function draw(text: string, imageDomains?: readonly string[]): HTMLElement {
  const host = document.createElement('div');
  host.append(renderMarkdown(text, {imageDomains}));
  return host;
}

describe('Markdown', () => {
  it('is sanitised after it is drawn, should the parser ever let something through', () => {
    expect(DOMPurify.sanitize('<p>a</p><p onclick="x()">b<script>1</script></p>')).toBe('<p>a</p><p>b</p>');
  });

  it.each([
    '<img src=x onerror=alert(1)>',
    '<svg><script>alert(1)</script></svg>',
    '<math><mtext><style><img src=x onerror=alert(1)>',
    '<template><script>1</script></template>',
    '<a href="javascript:alert(1)">x</a>',
    '<iframe srcdoc="<script>1</script>">',
    '<form id=x><input name=y>',
  ])('shows HTML as text: %s', html => {
    const host = draw(html);
    expect(host.querySelector('img, svg, script, math, style, iframe, form, template, a')).toBeNull();
    expect(host.textContent).toContain('<');
  });

  it.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java&#10;script:alert(1))',
    '[x](&#x6A;avascript:alert(1))',
    '[x](vbscript:x)',
    '[x](data:text/html,<script>1</script>)',
    '[x](file:///etc/passwd)',
    '<javascript:alert(1)>',
    '[x]: javascript:alert(1)\n\n[x]',
  ])('makes no link of %s', text => {
    expect(draw(text).querySelector('a[href]')).toBeNull();
  });

  it.each(['https://a.example/x', 'mailto:a@b.example', 'tel:+4144', '/relative', '#part', 'chatkit-link://open?id=7'])(
    'makes a link of %s that opens apart and tells nothing',
    href => {
      const link = draw(`[x](${href})`).querySelector('a');
      expect(link?.getAttribute('href')).toBe(href);
      expect(link?.getAttribute('target')).toBe('_blank');
      expect(link?.getAttribute('rel')).toContain('noopener');
    },
  );

  it('starts headings below those of the turns', () => {
    const host = draw('# One\n\n#### Four');
    expect([...host.querySelectorAll('h1, h2, h3')]).toEqual([]);
    expect(host.querySelector('h4')?.className).toBe('h1');
    expect(host.querySelector('h6')?.className).toBe('h4');
  });

  it('writes no style attribute, which a strict policy would refuse', () => {
    const host = draw('| a | b |\n|:--|--:|\n| 1 | 2 |');
    expect(host.querySelector('[style]')).toBeNull();
    expect(host.querySelector('td.align-right')?.textContent).toBe('2');
  });

  it('draws task lists, tables with a box of their own, and code with its language', () => {
    const host = draw('- [x] done\n- [ ] open\n\n| a |\n|---|\n| 1 |\n\n```py\n<b>\n```');
    expect(host.querySelectorAll('input[type=checkbox][disabled]')).toHaveLength(2);
    expect(host.querySelector('.table > table')).not.toBeNull();
    expect(host.querySelector('.code')?.getAttribute('data-language')).toBe('py');
    expect(host.querySelector('code')?.textContent).toBe('<b>\n');
  });

  it('shows images only from hosts that the thread allows', () => {
    const domains = ['img.example'];
    expect(draw('![a](https://img.example/x.png)', domains).querySelector('img')).not.toBeNull();
    for (const url of [
      'https://evil.example/x.png',
      '//evil.example/x',
      'https://img.example.evil.example/x',
      'https://img.example@evil.example/x',
    ]) {
      const host = draw(`![alt text](${url})`, domains);
      expect(host.querySelector('img')).toBeNull();
      expect(host.textContent).toContain('alt text');
    }
  });
});

describe('growing Markdown', () => {
  const text =
    '# Title\n\nA paragraph with **bold** and `code`.\n\n- one\n- two\n\n```py\nprint(1)\nprint(2)\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nThe [end](https://a.example).';

  it('ends as the whole text would be drawn at once', () => {
    for (const step of [1, 3, 11]) {
      const host = document.createElement('div');
      const blocks = new MarkdownBlocks(host);
      for (let length = step; length < text.length; length += step) blocks.render(text.slice(0, length), true, {});
      blocks.render(text, false, {});
      const html = (element: HTMLElement) => element.outerHTML.replaceAll(/>\s+</g, '><').trim();
      expect(html(host)).toBe(html(draw(text)));
    }
  });

  it('never touches a finished block again', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host);
    blocks.render('First.\n\nSec', true, {});
    const first = host.querySelector('p');
    blocks.render('First.\n\nSecond.\n\nThird', true, {});
    blocks.render('First.\n\nSecond.\n\nThird.', false, {});
    expect(host.querySelector('p')).toBe(first);
    expect(host.querySelectorAll('p')).toHaveLength(3);
  });

  it('grows a code block in place', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host);
    blocks.render('```py\na = 1\n', true, {});
    const code = host.querySelector('code');
    blocks.render('```py\na = 1\nb = 2\n', true, {});
    expect(host.querySelector('code')).toBe(code);
    expect(code?.textContent).toBe('a = 1\nb = 2\n');
  });

  it('starts anew when the text is another one', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host);
    blocks.render('Old.\n\nOld too.', true, {});
    blocks.render('New.', true, {});
    expect(host.textContent?.trim()).toBe('New.');
  });

  it('asks for no image while its address may be half', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host);
    const whole = '![map](https://img.example/map.png)';
    for (let length = 1; length <= whole.length; length += 1) {
      blocks.render(whole.slice(0, length), true, {});
      expect(host.querySelector('img')).toBeNull();
    }
    blocks.render(whole, false, {});
    expect(host.querySelector('img')?.getAttribute('src')).toBe('https://img.example/map.png');
  });

  it('resolves a link whose definition came later', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host);
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
    ['a [link](https://exa', 'a link'],
    ['a ![pic](https://exa', 'a pic'],
    ['~~gone', '~~gone~~'],
    ['a line\n-', 'a line'],
    ['2 * 3 = 6', '2 * 3 = 6'],
    ['**done** and *done*', '**done** and *done*'],
  ])('closes what is open for now: %j', (open, closed) => {
    expect(closeOpenMarks(open)).toBe(closed);
  });
});
