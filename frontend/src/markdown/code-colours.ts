/** Colours of code blocks by highlight.js, in slices while the page is idle. */
import type {HighlightResult, HLJSApi} from 'highlight.js';
import {keepSelection} from './kept-selection.js';

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

interface Job {
  readonly code: Element;
  readonly language: string;
  readonly lines: readonly string[];
  line: number;
}

export class CodeColours {
  readonly #hljs: Pick<HLJSApi, 'getLanguage' | 'highlight'>;
  readonly #idle: Idle;
  readonly #jobs: Job[] = [];
  #isRunning = false;

  constructor(hljs: Pick<HLJSApi, 'getLanguage' | 'highlight'>, idle: Idle = whenIdle) {
    this.#hljs = hljs;
    this.#idle = idle;
  }

  /** Colours the blocks that name a language which highlight.js knows. */
  colour(blocks: readonly Element[]): void {
    for (const block of blocks) {
      const code = block.querySelector('code');
      const language = (block.getAttribute('data-language') ?? '').toLowerCase();
      const text = code?.textContent ?? '';
      if (!code || text.length > MAX_CODE_CHARS || !this.#hljs.getLanguage(language)) continue;
      this.#jobs.push({code, language, lines: text.split(/(?<=\n)/), line: 0});
    }
    if (!this.#isRunning && this.#jobs.length > 0) this.#schedule();
  }

  #schedule(): void {
    this.#isRunning = true;
    this.#idle(() => {
      this.#step();
      if (this.#jobs.length > 0) this.#schedule();
      else this.#isRunning = false;
    });
  }

  #step(): void {
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
      result = this.#hljs.highlight(slice, {language, ignoreIllegals: true});
      while (isInsideSomething(result) && end < lines.length && end - line < MAX_SLICE_LINES) {
        end = Math.min(lines.length, end + SLICE_LINES);
        slice = lines.slice(line, end).join('');
        result = this.#hljs.highlight(slice, {language, ignoreIllegals: true});
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
