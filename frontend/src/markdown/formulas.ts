/** Formulas typeset by KaTeX, a few in each frame, with the style sheet and the fonts that they need. */
import type {KatexOptions} from 'katex';
import type {Slices} from '../frames.js';
import {parseFormula} from './math-syntax.js';

const MAX_TEX_CHARS = 5_000;
const MAX_KEPT = 300;
const LIMITS: KatexOptions = {
  output: 'htmlAndMathml',
  // Commands that would make links, load images or set attributes stay inert.
  trust: false,
  strict: 'ignore',
  throwOnError: true,
  maxExpand: 300,
  maxSize: 20,
};

type Root = DocumentOrShadowRoot & Node;

/** The core around the formulas. */
export interface Surroundings {
  readonly slices: Slices;
  /** Returns the address of a file that lies beside our script. */
  readonly addressOf: (file: string) => string | undefined;
}

export class Formulas {
  readonly #build: (tex: string, options: KatexOptions) => Node;
  readonly #styles: string;
  readonly #kept = new Map<string, readonly Node[]>();
  readonly #sources = new WeakMap<Node, string>();
  #sheet: CSSStyleSheet | undefined;

  /**
   * @param build Gives the nodes of a formula; throws what KaTeX throws.
   * @param styles KaTeX's style sheet.
   */
  constructor(build: (tex: string, options: KatexOptions) => Node, styles: string) {
    this.#build = build;
    this.#styles = styles;
  }

  /** The source that a formula was typeset from; `undefined` for any other node. */
  sourceOf(node: Node): string | undefined {
    return this.#sources.get(node);
  }

  /**
   * Typesets formulas that are or will be in `root`. What KaTeX refuses stays as it was written.
   *
   * @param isUrgent All is done at once, whatever time there is.
   * @returns A promise for what could not be done at once, `undefined` when there is nothing to wait for.
   */
  typeset(
    formulas: readonly HTMLElement[],
    root: Root,
    isUrgent: boolean,
    {slices, addressOf}: Surroundings,
  ): Promise<void> | undefined {
    this.#style(root, addressOf);
    const late: HTMLElement[] = [];
    for (const formula of formulas) {
      if (isUrgent || this.#kept.has(formula.textContent ?? '') || slices.hasTime()) this.#typesetOne(formula);
      else late.push(formula);
    }
    return late.length === 0 ? undefined : new Promise(resolve => this.#typesetLate(late, root, slices, resolve));
  }

  #typesetLate(formulas: readonly HTMLElement[], root: Node, slices: Slices, done: () => void): void {
    slices.later(() => {
      // What was drawn anew meanwhile is no longer there.
      const waiting = formulas.filter(formula => formula.getRootNode() === root);
      while (waiting.length > 0 && slices.hasTime()) {
        const formula = waiting.shift();
        if (formula) this.#typesetOne(formula);
      }
      if (waiting.length > 0) this.#typesetLate(waiting, root, slices, done);
      else done();
    });
  }

  #typesetOne(formula: HTMLElement): void {
    const source = formula.textContent ?? '';
    const parsed = parseFormula(source);
    if (!parsed || parsed.tex.length > MAX_TEX_CHARS) return;
    const kept = this.#kept.get(source);
    if (kept) {
      formula.replaceChildren(...kept.map(node => node.cloneNode(true)));
    } else {
      try {
        formula.replaceChildren(this.#build(parsed.tex, {...LIMITS, displayMode: parsed.isDisplay}));
      } catch {
        return;
      }
      // While an answer grows, its last block is drawn again and again.
      if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
      this.#kept.set(
        source,
        [...formula.childNodes].map(node => node.cloneNode(true)),
      );
    }
    this.#sources.set(formula, source);
    formula.classList.add('typeset');
    if (parsed.isDisplay) {
      formula.classList.add('display');
      formula.setAttribute('tabindex', '0');
    }
  }

  #style(root: DocumentOrShadowRoot, addressOf: Surroundings['addressOf']): void {
    if (!this.#sheet) {
      this.#sheet = new CSSStyleSheet();
      this.#sheet.replaceSync(this.#styles.replace(FONT_FACE, ''));
      addFonts(this.#styles, addressOf);
    }
    if (!root.adoptedStyleSheets.includes(this.#sheet)) root.adoptedStyleSheets.push(this.#sheet);
  }
}

const FONT_FACE = /@font-face\s*\{[^}]*\}/g;

/** Fonts are known to a whole document only, and are fetched when a glyph needs them. */
function addFonts(styles: string, addressOf: Surroundings['addressOf']): void {
  if (typeof FontFace === 'undefined') return;
  for (const [rule] of styles.matchAll(FONT_FACE)) {
    const family = /font-family:\s*["']?([\w-]+)/.exec(rule)?.[1];
    const file = /url\(["']?(fonts\/[\w-]+\.woff2)/.exec(rule)?.[1];
    const address = file && addressOf(file);
    if (!family || !address) continue;
    const weight = /font-weight:\s*(\w+)/.exec(rule)?.[1] ?? 'normal';
    const style = /font-style:\s*(\w+)/.exec(rule)?.[1] ?? 'normal';
    document.fonts.add(new FontFace(family, `url(${JSON.stringify(address)})`, {weight, style, display: 'swap'}));
  }
}
