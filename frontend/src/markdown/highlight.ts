/** Syntax highlighting of code blocks; highlight.js is fetched with the first block. */
import {fetchPart, LazyPart} from '../lazy-parts.js';

export interface HighlightPart {
  /** Highlights code blocks whose language is known. */
  readonly colour: (blocks: readonly Element[]) => void;
}

const highlightPart = new LazyPart<HighlightPart>(attempt => fetchPart<HighlightPart>('highlight', attempt));

export class Highlighter {
  readonly #part: LazyPart<HighlightPart>;

  constructor(part: LazyPart<HighlightPart> = highlightPart) {
    this.#part = part;
  }

  /** Highlights the code blocks in `drawn` that name a known language; without the lazy part they stay plain. */
  async highlight(drawn: ParentNode): Promise<void> {
    const blocks = [...drawn.querySelectorAll('.code')];
    if (drawn instanceof Element && drawn.matches('.code')) blocks.push(drawn);
    const wanted = blocks.filter(block => block.getAttribute('data-language'));
    if (wanted.length === 0) return;
    const part = this.#part.value ?? (await this.#part.load());
    part?.colour(wanted);
  }
}
