/** Syntax highlighting of code blocks; what colours them comes with the first one. */
import {fetchPart, LazyPart} from '../lazy-parts.js';

export interface HighlightPart {
  /** Colours code blocks, as far as their language is known. */
  readonly colour: (blocks: readonly Element[]) => void;
}

const highlightPart = new LazyPart<HighlightPart>(attempt => fetchPart<HighlightPart>('highlight', attempt));

export class Highlighter {
  readonly #part: LazyPart<HighlightPart>;

  constructor(part: LazyPart<HighlightPart> = highlightPart) {
    this.#part = part;
  }

  /** Colours every code block in `drawn` that names a known language; without the part they stay plain. */
  async highlight(drawn: ParentNode): Promise<void> {
    const blocks = [...drawn.querySelectorAll('.code')];
    if (drawn instanceof Element && drawn.matches('.code')) blocks.push(drawn);
    const wanted = blocks.filter(block => block.getAttribute('data-language'));
    if (wanted.length === 0) return;
    const part = this.#part.value ?? (await this.#part.load());
    part?.colour(wanted);
  }
}
