/** Typesetting of formulas in rendered Markdown by KaTeX, which is fetched when the first one appears. */
import type {KatexOptions} from 'katex';
import {frameSlices, type Slices} from '../frames.js';
import {addressOf, fetchPart, LazyPart} from '../lazy-parts.js';
import {parseFormula} from './math-syntax.js';

export interface MathPart {
  /** The nodes of a formula; throws what KaTeX throws. */
  readonly buildFormula: (tex: string, options: KatexOptions) => Node;
  /** KaTeX's style sheet. */
  readonly styles: string;
}

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

/** The source that each formula was typeset from. */
const sources = new WeakMap<Node, string>();

export const sourceOfFormula = (node: Node): string | undefined => sources.get(node);

const mathPart = new LazyPart<MathPart>(attempt => fetchPart<MathPart>('math', attempt));

export class Typesetter {
  readonly #part: LazyPart<MathPart>;
  readonly #slices: Slices;
  readonly #kept = new Map<string, readonly Node[]>();
  #sheet: CSSStyleSheet | undefined;

  constructor(part: LazyPart<MathPart> = mathPart, slices: Slices = frameSlices) {
    this.#part = part;
    this.#slices = slices;
  }

  /**
   * Typesets every formula in `drawn`, which is or will be in `root`. Without KaTeX they stay as they were written.
   *
   * @param isFinished Of what still grows every formula is done at once: it is drawn again with the next word.
   * @returns A promise for what could not be done at once, `undefined` when there is nothing to wait for.
   */
  typeset(drawn: ParentNode, root: DocumentOrShadowRoot & Node, isFinished = true): Promise<void> | undefined {
    const formulas = [...drawn.querySelectorAll<HTMLElement>('.math:not(.typeset)')];
    if (drawn instanceof HTMLElement && drawn.matches('.math:not(.typeset)')) formulas.push(drawn);
    if (formulas.length === 0) return undefined;
    const part = this.#part.value;
    if (part) return this.#typesetAll(part, formulas, root, !isFinished);
    return this.#part.load().then(loaded => {
      const shown = formulas.filter(formula => formula.getRootNode() === root);
      return loaded && this.#typesetAll(loaded, shown, root, false);
    });
  }

  #typesetAll(
    part: MathPart,
    formulas: readonly HTMLElement[],
    root: DocumentOrShadowRoot & Node,
    isUrgent: boolean,
  ): Promise<void> | undefined {
    this.#style(part, root);
    const late: HTMLElement[] = [];
    for (const formula of formulas) {
      if (isUrgent || this.#kept.has(formula.textContent ?? '') || this.#slices.hasTime())
        this.#typesetOne(part, formula);
      else late.push(formula);
    }
    return late.length === 0 ? undefined : new Promise(resolve => this.#typesetLate(part, late, root, resolve));
  }

  #typesetLate(part: MathPart, formulas: readonly HTMLElement[], root: Node, done: () => void): void {
    this.#slices.later(() => {
      // What was drawn anew meanwhile is no longer there.
      const waiting = formulas.filter(formula => formula.getRootNode() === root);
      while (waiting.length > 0 && this.#slices.hasTime()) {
        const formula = waiting.shift();
        if (formula) this.#typesetOne(part, formula);
      }
      if (waiting.length > 0) this.#typesetLate(part, waiting, root, done);
      else done();
    });
  }

  #typesetOne(part: MathPart, formula: HTMLElement): void {
    const source = formula.textContent ?? '';
    const parsed = parseFormula(source);
    if (!parsed || parsed.tex.length > MAX_TEX_CHARS) return;
    const kept = this.#kept.get(source);
    if (kept) {
      formula.replaceChildren(...kept.map(node => node.cloneNode(true)));
    } else {
      try {
        formula.replaceChildren(part.buildFormula(parsed.tex, {...LIMITS, displayMode: parsed.isDisplay}));
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
    sources.set(formula, source);
    formula.classList.add('typeset');
    if (parsed.isDisplay) {
      formula.classList.add('display');
      formula.setAttribute('tabindex', '0');
    }
  }

  #style(part: MathPart, root: DocumentOrShadowRoot): void {
    if (!this.#sheet) {
      this.#sheet = new CSSStyleSheet();
      this.#sheet.replaceSync(part.styles.replace(FONT_FACE, ''));
      addFonts(part.styles);
    }
    if (!root.adoptedStyleSheets.includes(this.#sheet)) root.adoptedStyleSheets.push(this.#sheet);
  }
}

const FONT_FACE = /@font-face\s*\{[^}]*\}/g;

/** Fonts are known to a whole document only, and are fetched when a glyph needs them. */
function addFonts(styles: string): void {
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
