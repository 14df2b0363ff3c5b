/** The lazy part that typesets formulas: KaTeX with its style sheet. */
import katex, {type KatexOptions} from 'katex';
import styles from 'katex/dist/katex.min.css?raw';
import {Formulas} from '../markdown/formulas.js';

/** An export of KaTeX that is missing in its types. */
interface DomTreeBuilder {
  readonly __renderToDomTree: (tex: string, options: KatexOptions) => {toNode(): Node};
}

/** Builds a formula's DOM like `katex.render`, which rejects pages in quirks mode although shadow roots are safe. */
export function buildFormula(tex: string, options: KatexOptions): Node {
  return (katex as unknown as DomTreeBuilder).__renderToDomTree(tex, options).toNode();
}

export const formulas = new Formulas(buildFormula, styles);
