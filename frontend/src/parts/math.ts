/** The lazy part that typesets formulas: KaTeX with its style sheet. */
import katex, {type KatexOptions} from 'katex';
import styles from 'katex/dist/katex.min.css?raw';
import {Formulas} from '../markdown/formulas.js';

/** Not in KaTeX's types. */
interface Tree {
  readonly __renderToDomTree: (tex: string, options: KatexOptions) => {toNode(): Node};
}

/** Builds a formula as `katex.render` does, which refuses pages in quirks mode; in a shadow root they do no harm. */
export function buildFormula(tex: string, options: KatexOptions): Node {
  return (katex as unknown as Tree).__renderToDomTree(tex, options).toNode();
}

export const formulas = new Formulas(buildFormula, styles);
