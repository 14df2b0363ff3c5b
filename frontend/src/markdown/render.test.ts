import '../testing/happy-dom.js';
import DOMPurify from 'dompurify';
import {describe, expect, it} from 'vitest';
import {renderMarkdown} from './render.js';

function draw(text: string, imageDomains?: readonly string[]): HTMLElement {
  const host = document.createElement('div');
  host.append(renderMarkdown(text, {imageDomains}));
  return host;
}

describe('Markdown', () => {
  it('gives lists, quotations and tables a direction of their own, markers and columns included', () => {
    const host = draw('Hi\n\n- مرحبا\n  - x\n\n1. a\n\n> b\n\n| c |\n| - |\n| d |\n\n```\ne\n```');
    const directed = [...host.querySelectorAll('[dir=auto]')];
    expect(directed.map(({tagName, className}) => className || tagName)).toEqual(['UL', 'OL', 'BLOCKQUOTE', 'table']);
  });

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
    '<img/src="x"/onerror=alert(1)>',
    '<svg onload=alert(1)><animate onbegin=alert(1)>',
    '<math><mi xlink:href="data:x,<script>alert(1)</script>">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    '<xmp><svg><b><template>`</template>"`-alert(1)',
    '<object data="javascript:alert(1)"><embed src=x><base href=//evil.example>',
    '<details open ontoggle=alert(1)>',
    '<!--><script>alert(1)</script>-->',
    '<![CDATA[<script>alert(1)</script>]]>',
    '<?xml version="1.0"?><script>alert(1)</script>',
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
    '[x](javascript&colon;alert(1))',
    '[x](javascript&#x0003A;alert(1))',
    '[x](\u0001javascript:alert(1))',
    '[x](java\u200bscript:alert(1))',
    '[x](java&Tab;script:alert(1))',
    '[x](&NewLine;javascript:alert(1))',
    '[x](<javascript:alert(1)>)',
    '[x](blob:evil)',
    '[x](view-source:evil)',
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

  it('takes single line breaks as breaks, and finds addresses in text', () => {
    const host = draw('one\ntwo, see https://a.example/x_(y). Or www.b.example, or me@c.example!');
    expect(host.querySelectorAll('br')).toHaveLength(1);
    expect([...host.querySelectorAll('a')].map(link => link.getAttribute('href'))).toEqual([
      'https://a.example/x_(y)',
      'http://www.b.example',
      'mailto:me@c.example',
    ]);
  });

  it.each([
    ['https://a.example/x), and', 'https://a.example/x'],
    ['https://a.example/*', 'https://a.example/'],
    ['http://localhost:3000/x?a=1&b=2', 'http://localhost:3000/x?a=1&b=2'],
    ['https://a.example。Next', 'https://a.example'],
    ['https://a.example/ä b', 'https://a.example/%C3%A4'],
    ['[x](<https://a.example/a b%20c>)', 'https://a.example/a%20b%20c'],
  ])('ends the address where it ends: %s', (text, href) => {
    expect(draw(text).querySelector('a')?.getAttribute('href')).toBe(href);
  });

  it.each([
    ['&rarr; &amp;&#8594;&#x2192;', '→ &→→'],
    ['&lt;b&gt; &hellip;', '<b> …'],
    ['&notit; &nosuchname; &', '&notit; &nosuchname; &'],
  ])('decodes named characters: %s', (text, shown) => {
    expect(draw(text).textContent?.trim()).toBe(shown);
  });

  it('shows images only from hosts that the thread allows', () => {
    const domains = ['img.example'];
    expect(draw('![a](https://img.example/x.png)', domains).querySelector('img')).not.toBeNull();
    for (const url of [
      'https://evil.example/x.png',
      '//evil.example/x',
      'https:/\\evil.example/x',
      'https://img.example.evil.example/x',
      'https://sub.img.example/x',
      'https://img.example@evil.example/x',
      'https://img.example:443@evil.example/x',
      'https://user@img.example/x',
      'https://img.example./x',
      'https://evil.example/?https://img.example/x.png',
      'https://evil.example#img.example',
      'javascript:alert(1)',
      'data:text/html,x',
    ]) {
      const host = draw(`![alt text](${url})`, domains);
      expect(host.querySelector('img')).toBeNull();
      expect(host.textContent).toContain('alt text');
    }
  });
});
