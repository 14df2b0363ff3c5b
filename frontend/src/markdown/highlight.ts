/** Syntax highlighting of code blocks, in slices while the page is idle; highlight.js comes with the first block. */
import type {HighlightResult, HLJSApi} from 'highlight.js';
import {fetchPart, LazyPart} from '../lazy-parts.js';
import {keepSelection} from './kept-selection.js';

export interface HighlightPart {
  readonly hljs: Pick<HLJSApi, 'getLanguage' | 'highlight'>;
}

/** Longer code stays plain: nobody reads it for its colours. */
const MAX_CODE_CHARS = 300_000;
/** How many lines are coloured in one slice; a slice grows while it would end inside a comment or string. */
const SLICE_LINES = 80;
const MAX_SLICE_LINES = 400;

/** Runs each function in a task of its own, when there is nothing better to do. */
export type Idle = (run: () => void) => void;

const whenIdle: Idle = run => {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(run, {timeout: 1_000});
  else setTimeout(run, 16);
};

const highlightPart = new LazyPart<HighlightPart>(attempt => fetchPart<HighlightPart>('highlight', attempt));

interface Job {
  readonly code: Element;
  readonly language: string;
  readonly lines: readonly string[];
  line: number;
}

export class Highlighter {
  readonly #part: LazyPart<HighlightPart>;
  readonly #idle: Idle;
  readonly #jobs: Job[] = [];
  #isRunning = false;

  constructor(part: LazyPart<HighlightPart> = highlightPart, idle: Idle = whenIdle) {
    this.#part = part;
    this.#idle = idle;
  }

  /** Colours every code block in `drawn` that names a known language; without the part they stay plain. */
  async highlight(drawn: ParentNode): Promise<void> {
    const blocks = [...drawn.querySelectorAll('.code')];
    if (drawn instanceof Element && drawn.matches('.code')) blocks.push(drawn);
    const wanted = blocks.filter(block => block.getAttribute('data-language'));
    if (wanted.length === 0) return;
    const part = this.#part.value ?? (await this.#part.load());
    if (!part) return;
    for (const block of wanted) {
      const code = block.querySelector('code');
      const language = (block.getAttribute('data-language') ?? '').toLowerCase();
      const text = code?.textContent ?? '';
      if (!code || text.length > MAX_CODE_CHARS || !part.hljs.getLanguage(language)) continue;
      this.#jobs.push({code, language, lines: text.split(/(?<=\n)/), line: 0});
    }
    if (!this.#isRunning && this.#jobs.length > 0) this.#schedule(part);
  }

  #schedule(part: HighlightPart): void {
    this.#isRunning = true;
    this.#idle(() => {
      this.#step(part);
      if (this.#jobs.length > 0) this.#schedule(part);
      else this.#isRunning = false;
    });
  }

  #step({hljs}: HighlightPart): void {
    const [job] = this.#jobs;
    if (!job) return;
    const {code, language, lines, line} = job;
    // The plain rest of the code is its last node; a block that was drawn anew has none of ours.
    const rest = code.lastChild;
    if (!code.isConnected || !(rest instanceof Text)) {
      this.#jobs.shift();
      return;
    }
    let end = Math.min(lines.length, line + SLICE_LINES);
    let slice = lines.slice(line, end).join('');
    let result: HighlightResult;
    try {
      result = hljs.highlight(slice, {language, ignoreIllegals: true});
      while (isInsideSomething(result) && end < lines.length && end - line < MAX_SLICE_LINES) {
        end = Math.min(lines.length, end + SLICE_LINES);
        slice = lines.slice(line, end).join('');
        result = hljs.highlight(slice, {language, ignoreIllegals: true});
      }
    } catch {
      this.#jobs.shift();
      return;
    }
    const coloured = buildSpans(result.value);
    if (coloured.textContent !== slice || !rest.data.startsWith(slice)) {
      this.#jobs.shift();
      return;
    }
    keepSelection(code, () => {
      rest.before(coloured);
      rest.deleteData(0, slice.length);
    });
    job.line = end;
    if (end >= lines.length) this.#jobs.shift();
  }
}

/** Whether the text has ended within something, for example a comment over several lines. */
function isInsideSomething({_top: top}: HighlightResult): boolean {
  return top !== undefined && 'parent' in top && top.parent !== undefined;
}

const ENTITIES: Readonly<Record<string, string>> = {amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'"};

/** The nodes of what highlight.js wrote: only its spans and five entities are read, all else is text. */
export function buildSpans(html: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let parent: ParentNode & Node = fragment;
  for (const [part] of html.matchAll(/<span class="[\w\s-]*">|<\/span>|[^<]+|</g)) {
    const classes = /^<span class="([\w\s-]*)">$/.exec(part)?.[1];
    if (classes !== undefined) {
      const span = document.createElement('span');
      span.className = classes;
      parent.append(span);
      parent = span;
    } else if (part === '</span>') {
      parent = parent.parentNode ?? fragment;
    } else {
      parent.append(part.replace(/&(amp|lt|gt|quot|#x27);/g, (whole, name: string) => ENTITIES[name] ?? whole));
    }
  }
  return fragment;
}
