/** Highlights code blocks with highlight.js, in slices while the page is idle. */
import type {HighlightResult, HLJSApi} from 'highlight.js';
import {keepSelection} from './selection.js';

/** Longer code is not highlighted. */
const MAX_CODE_CHARS = 300_000;
/** Lines per slice; a slice is extended while it would end inside a comment or string. */
const SLICE_LINES = 80;
const MAX_SLICE_LINES = 400;

/** Schedules a function for when the page is idle. */
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

  /** Highlights the blocks whose language highlight.js knows. */
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
    // The code that is not highlighted yet is the last node; a block that was rendered again has no such text.
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
      while (endsInsideConstruct(result) && end < lines.length && end - line < MAX_SLICE_LINES) {
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

/** Whether the text has ended inside a construct, for example a comment of several lines. */
function endsInsideConstruct({_top: top}: HighlightResult): boolean {
  return top !== undefined && 'parent' in top && top.parent !== undefined;
}

const ENTITIES: Readonly<Record<string, string>> = {amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'"};

/** Builds DOM from the HTML of highlight.js: only its spans and five entities are interpreted, the rest is text. */
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
