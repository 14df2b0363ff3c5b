/** Typesets formulas in rendered Markdown; KaTeX is fetched with the first formula. */
import {frameSlices, type Slices} from '../frames.js';
import {assetUrl, fetchPart, LazyPart} from '../lazy-parts.js';
import type {Formulas} from './formulas.js';

export interface MathPart {
  readonly formulas: Formulas;
}

const mathPart = new LazyPart<MathPart>(attempt => fetchPart<MathPart>('math', attempt));

/** Returns the source of a typeset formula; `undefined` for any other node. */
export const sourceOfFormula = (node: Node): string | undefined => mathPart.value?.formulas.sourceOf(node);

export class Typesetter {
  readonly #part: LazyPart<MathPart>;
  readonly #slices: Slices;

  constructor(part: LazyPart<MathPart> = mathPart, slices: Slices = frameSlices) {
    this.#part = part;
    this.#slices = slices;
  }

  /**
   * Typesets every formula in `drawn`, which is or will be in `root`. Without KaTeX they stay as source text.
   *
   * @param isFinished False while the text may grow: then all formulas are typeset at once, since the next delta
   *   renders them again.
   * @returns A promise for the formulas that were deferred; `undefined` if there are none.
   */
  typeset(drawn: ParentNode, root: DocumentOrShadowRoot & Node, isFinished = true): Promise<void> | undefined {
    const formulas = [...drawn.querySelectorAll<HTMLElement>('.math:not(.typeset)')];
    if (drawn instanceof HTMLElement && drawn.matches('.math:not(.typeset)')) formulas.push(drawn);
    if (formulas.length === 0) return undefined;
    const services = {slices: this.#slices, assetUrl};
    const part = this.#part.value;
    if (part) return part.formulas.typeset(formulas, root, !isFinished, services);
    return this.#part.load().then(loaded => {
      const shown = formulas.filter(formula => formula.getRootNode() === root);
      return loaded?.formulas.typeset(shown, root, false, services);
    });
  }
}
