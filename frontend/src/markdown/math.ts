/** Typesetting of formulas in rendered Markdown; KaTeX and what goes with it are fetched when the first one appears. */
import {frameSlices, type Slices} from '../frames.js';
import {addressOf, fetchPart, LazyPart} from '../lazy-parts.js';
import type {Formulas} from './formulas.js';

export interface MathPart {
  readonly formulas: Formulas;
}

const mathPart = new LazyPart<MathPart>(attempt => fetchPart<MathPart>('math', attempt));

/** The source that a formula was typeset from; `undefined` for any other node. */
export const sourceOfFormula = (node: Node): string | undefined => mathPart.value?.formulas.sourceOf(node);

export class Typesetter {
  readonly #part: LazyPart<MathPart>;
  readonly #slices: Slices;

  constructor(part: LazyPart<MathPart> = mathPart, slices: Slices = frameSlices) {
    this.#part = part;
    this.#slices = slices;
  }

  /**
   * Typesets every formula in `drawn`, which is or will be in `root`. Without KaTeX they stay as they were written.
   *
   * @param isFinished False for what still grows: there every formula is done at once, as the next word draws it again.
   * @returns A promise for what could not be done at once, `undefined` when there is nothing to wait for.
   */
  typeset(drawn: ParentNode, root: DocumentOrShadowRoot & Node, isFinished = true): Promise<void> | undefined {
    const formulas = [...drawn.querySelectorAll<HTMLElement>('.math:not(.typeset)')];
    if (drawn instanceof HTMLElement && drawn.matches('.math:not(.typeset)')) formulas.push(drawn);
    if (formulas.length === 0) return undefined;
    const surroundings = {slices: this.#slices, addressOf};
    const part = this.#part.value;
    if (part) return part.formulas.typeset(formulas, root, !isFinished, surroundings);
    return this.#part.load().then(loaded => {
      const shown = formulas.filter(formula => formula.getRootNode() === root);
      return loaded?.formulas.typeset(shown, root, false, surroundings);
    });
  }
}
