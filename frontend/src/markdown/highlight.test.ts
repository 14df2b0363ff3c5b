import '../testing/happy-dom.js';
import {describe, expect, it} from 'vitest';
import {LazyPart} from '../lazy-parts.js';
import {hljs} from '../parts/highlight.js';
import {buildSpans, CodeColours} from './code-colours.js';
import {Highlighter, type HighlightPart} from './highlight.js';
import {renderMarkdown} from './render.js';

/** Draws code, and gives it with what has to be done when the page is idle. */
async function show(code: string, language: string, isThere = true) {
  const host = document.createElement('div');
  document.body.append(host);
  host.append(renderMarkdown(`\`\`\`${language}\n${code}\`\`\``));
  const idle: (() => void)[] = [];
  const colours = new CodeColours(hljs, run => idle.push(run));
  const part = new LazyPart<HighlightPart>(() =>
    isThere ? Promise.resolve({colour: blocks => colours.colour(blocks)}) : Promise.reject(new Error('offline')),
  );
  await new Highlighter(part).highlight(host);
  const element = host.querySelector('code');
  const finish = () => {
    let slices = 0;
    for (let run = idle.shift(); run; run = idle.shift()) {
      run();
      slices += 1;
    }
    return slices;
  };
  return {host, element, idle, finish};
}

describe('colours of code', () => {
  it('come in slices, and leave every character in its place', async () => {
    const code = Array.from({length: 2_000}, (_, at) => `const a${at} = "<${at}>"; // note\n`).join('');
    const {element, finish} = await show(code, 'js');
    expect(element?.querySelector('span')).toBeNull();
    expect(finish()).toBeGreaterThan(10);
    expect(element?.querySelectorAll('.hljs-keyword')).toHaveLength(2_000);
    expect(element?.textContent).toBe(code);
  });

  it('do not lose a comment that is longer than a slice', async () => {
    const code = `${'a();\n'.repeat(75)}/*\n${'x = "1";\n'.repeat(20)}*/\nb();\n${'c();\n'.repeat(90)}`;
    const {element, finish} = await show(code, 'js');
    finish();
    expect(element?.querySelectorAll('.hljs-comment')).toHaveLength(1);
    expect(element?.querySelectorAll('.hljs-string')).toHaveLength(0);
  });

  it('are left off for languages that nobody knows, and when the part cannot be had', async () => {
    expect((await show('x = 1\n', 'nosuch')).idle).toHaveLength(0);
    const {element, idle} = await show('x = 1\n', 'js', false);
    expect(idle).toHaveLength(0);
    expect(element?.textContent).toBe('x = 1\n');
  });

  it('stop for a block that was drawn anew', async () => {
    const {host, finish} = await show(`${'a();\n'.repeat(500)}`, 'js');
    host.remove();
    expect(finish()).toBe(1);
  });

  it('make no element but spans of what the highlighter writes', () => {
    const host = document.createElement('div');
    host.append(buildSpans('<span class="hljs-string">&lt;b&gt;</span><img src=x onerror="alert(1)"> &amp;amp;'));
    expect(host.querySelectorAll('*')).toHaveLength(1);
    expect(host.textContent).toBe('<b><img src=x onerror="alert(1)"> &amp;');
  });
});
