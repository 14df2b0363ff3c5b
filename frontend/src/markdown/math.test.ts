import '../testing/happy-dom.js';
import {describe, expect, it} from 'vitest';
import type {Slices} from '../frames.js';
import {LazyPart} from '../lazy-parts.js';
import {buildFormula} from '../parts/math.js';
import {Formulas} from './formulas.js';
import {type MathPart, Typesetter} from './math.js';
import {renderMarkdown} from './render.js';

function formulasOf(text: string): readonly string[] {
  const host = document.createElement('div');
  host.append(renderMarkdown(text));
  return [...host.querySelectorAll('.math')].map(formula => formula.textContent ?? '');
}

describe('formulas in Markdown', () => {
  it.each([
    ['so \\(a_1 * b_2 * c\\) it is', ['\\(a_1 * b_2 * c\\)']],
    ['so $x^2$ and $y$', ['$x^2$', '$y$']],
    ['a $\\frac{1}{2}$.', ['$\\frac{1}{2}$']],
    ['$$\nx = 1\n$$', ['$$x = 1$$']],
    ['$$x = 1$$', ['$$x = 1$$']],
    ['\\[\nx\n\\]', ['\\[x\\]']],
    ['text\n\\[ x \\]\nmore', ['\\[x\\]']],
    ['inline $$x$$ here', ['$$x$$']],
    ['- item\n  $$\n  x\n  $$', ['$$x$$']],
    ['> \\(q\\)', ['\\(q\\)']],
    ['| $a$ | b |\n|---|---|\n| \\(c\\) | d |', ['$a$', '\\(c\\)']],
  ])('are found in %j', (text, formulas) => {
    expect(formulasOf(text)).toEqual(formulas);
  });

  it.each([
    'costs $5 and $10',
    '$20/month and saves US$',
    'from $5-$10 a day',
    'a $ b $ c',
    'use `$x$` or `\\(y\\)`',
    '```\n$$x$$\n```',
    'PRE$x$ and 3$y$',
    '\\$x\\$',
    '$$',
    '\\( \\)',
    'a $$ b',
    '$HOME and $PATH',
  ])('are not made of %j', text => {
    expect(formulasOf(text)).toEqual([]);
  });
});

/** On a busy machine the time of a frame may be over before the first formula. */
const ALL_THE_TIME: Slices = {
  hasTime: () => true,
  schedule: () => {
    throw new Error('There is time now.');
  },
};

function typeset(text: string, part: LazyPart<MathPart>): {host: ShadowRoot; done: Promise<void> | undefined} {
  const host = document.createElement('div').attachShadow({mode: 'open'});
  host.append(renderMarkdown(text));
  return {host, done: new Typesetter(part, ALL_THE_TIME).typeset(host, host)};
}

describe('typesetting', () => {
  const formulas = new Formulas(buildFormula, '.katex{color:red}@font-face{font-family:A}');
  const part = new LazyPart<MathPart>(async () => ({formulas}));

  it('makes formulas with a text alternative, and brings the style sheet along', async () => {
    const {host, done} = typeset('\\(x^2\\) and $$y$$', part);
    await done;
    expect(host.querySelectorAll('.math.typeset math')).toHaveLength(2);
    expect(host.querySelector('.math.display .katex-display')).not.toBeNull();
    expect(host.adoptedStyleSheets).toHaveLength(1);
  });

  it('happens at once when the part is there', async () => {
    await part.load();
    const {host, done} = typeset('\\(x^2\\)', part);
    expect(done).toBeUndefined();
    expect(host.querySelector('math')).not.toBeNull();
  });

  it('of many formulas goes on when there is time, without those that are gone', async () => {
    await part.load();
    const waiting: (() => void)[] = [];
    let left = 2;
    const slices: Slices = {
      hasTime: () => {
        left -= 1;
        return left >= 0;
      },
      schedule: run => {
        waiting.push(run);
        return () => {};
      },
    };
    const host = document.createElement('div').attachShadow({mode: 'open'});
    host.append(renderMarkdown(Array.from({length: 6}, (_, at) => `\\(x_${at}\\)`).join(' ')));
    const done = new Typesetter(part, slices).typeset(host, host);
    expect(host.querySelectorAll('math')).toHaveLength(2);
    host.querySelectorAll('.math')[5]?.remove();
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      left = 2;
      next();
    }
    await done;
    expect(host.querySelectorAll('math')).toHaveLength(5);
  });

  it.each([
    '\\(\\frac{\\)',
    '\\(\\nosuchcommand\\)',
    '\\(\\def\\a{\\a\\a}\\a\\)',
    `\\(${'{'.repeat(4_000)}\\)`,
    `\\(${'x'.repeat(6_000)}\\)`,
  ])('leaves what KaTeX refuses as it was written', async source => {
    const {host, done} = typeset(source, part);
    await done;
    expect(host.querySelector('math')).toBeNull();
    expect(host.querySelector('.math')?.textContent).toBe(source);
  });

  it.each([
    '\\(\\href{javascript:alert(1)}{x}\\)',
    '\\(\\url{javascript:alert(1)}\\)',
    '\\(\\includegraphics{https://evil.example/x.png}\\)',
    '\\(\\htmlStyle{position:fixed}{x}\\)',
    '\\(\\htmlClass{evil}{x}\\)',
    '\\(\\htmlData{a=b}{x}\\)',
    '\\(\\text{<img src=x onerror=alert(1)>}\\)',
  ])('gives commands no power over the page: %s', async source => {
    const {host, done} = typeset(source, part);
    await done;
    expect(host.querySelector('a, img, script, .evil, [data-a], [onerror]')).toBeNull();
    expect(host.querySelector('[style*="position"]')).toBeNull();
  });

  it('draws nothing larger than the limit', async () => {
    const {host, done} = typeset('\\(\\rule{9999em}{9999em}\\)', part);
    await done;
    expect(host.querySelector('.katex-html')?.innerHTML).not.toContain('9999');
  });

  it('shows the source while the part cannot be had', async () => {
    const {host, done} = typeset('\\(x^2\\)', new LazyPart<MathPart>(() => Promise.reject(new Error('offline'))));
    await done;
    expect(host.querySelector('.math')?.textContent).toBe('\\(x^2\\)');
  });
});
