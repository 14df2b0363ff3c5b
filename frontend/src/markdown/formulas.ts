/** Typesets formulas with KaTeX, a few per frame, and adds its style sheet and fonts. */
import type {KatexOptions} from 'katex';
import type {Slices} from '../frames.js';
import {parseFormula} from './math-syntax.js';

const MAX_TEX_CHARS = 5_000;
const MAX_CACHED = 300;
const LIMITS: KatexOptions = {
  output: 'htmlAndMathml',
  // Commands that create links, load images or set attributes are disabled.
  trust: false,
  strict: 'ignore',
  throwOnError: true,
  maxExpand: 300,
  maxSize: 20,
};

type Root = DocumentOrShadowRoot & Node;

/** Services of the core. */
export interface CoreServices {
  readonly slices: Slices;
  /** Returns the address of a file in the folder of our script. */
  readonly assetUrl: (file: string) => string | undefined;
}

export class Formulas {
  readonly #build: (tex: string, options: KatexOptions) => Node;
  readonly #styles: string;
  readonly #cache = new Map<string, readonly Node[]>();
  readonly #sources = new WeakMap<Node, string>();
  #sheet: CSSStyleSheet | undefined;

  /**
   * @param build Builds the DOM of a formula; throws the errors of KaTeX.
   * @param styles KaTeX's style sheet.
   */
  constructor(build: (tex: string, options: KatexOptions) => Node, styles: string) {
    this.#build = build;
    this.#styles = styles;
  }

  /** Returns the source of a typeset formula; `undefined` for any other node. */
  sourceOf(node: Node): string | undefined {
    return this.#sources.get(node);
  }

  /**
   * Typesets formulas that are or will be in `root`. Formulas that KaTeX rejects stay as source text.
   *
   * @param isUrgent Whether to typeset all formulas at once, regardless of the time budget.
   * @returns A promise for the formulas that were deferred; `undefined` if there are none.
   */
  typeset(
    formulas: readonly HTMLElement[],
    root: Root,
    isUrgent: boolean,
    {slices, assetUrl}: CoreServices,
  ): Promise<void> | undefined {
    this.#adoptStyles(root, assetUrl);
    const deferred: HTMLElement[] = [];
    for (const formula of formulas) {
      if (isUrgent || this.#cache.has(formula.textContent ?? '') || slices.hasTime()) this.#typesetOne(formula);
      else deferred.push(formula);
    }
    if (deferred.length === 0) return undefined;
    return new Promise(resolve => this.#typesetDeferred(deferred, root, slices, resolve));
  }

  #typesetDeferred(formulas: readonly HTMLElement[], root: Node, slices: Slices, done: () => void): void {
    slices.schedule(() => {
      // Formulas that were rendered again meanwhile are no longer in the document.
      const waiting = formulas.filter(formula => formula.getRootNode() === root);
      while (waiting.length > 0 && slices.hasTime()) {
        const formula = waiting.shift();
        if (formula) this.#typesetOne(formula);
      }
      if (waiting.length > 0) this.#typesetDeferred(waiting, root, slices, done);
      else done();
    });
  }

  #typesetOne(formula: HTMLElement): void {
    const source = formula.textContent ?? '';
    const parsed = parseFormula(source);
    if (!parsed || parsed.tex.length > MAX_TEX_CHARS) return;
    const cached = this.#cache.get(source);
    if (cached) {
      formula.replaceChildren(...cached.map(node => node.cloneNode(true)));
    } else {
      try {
        formula.replaceChildren(this.#build(parsed.tex, {...LIMITS, displayMode: parsed.isDisplay}));
      } catch {
        return;
      }
      // While an answer grows, its last block is rendered again and again.
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
      this.#cache.set(
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

  #adoptStyles(root: DocumentOrShadowRoot, assetUrl: CoreServices['assetUrl']): void {
    if (!this.#sheet) {
      this.#sheet = new CSSStyleSheet();
      this.#sheet.replaceSync(this.#styles.replace(FONT_FACE, ''));
      addFonts(this.#styles, assetUrl);
    }
    if (!root.adoptedStyleSheets.includes(this.#sheet)) root.adoptedStyleSheets.push(this.#sheet);
  }
}

const FONT_FACE = /@font-face\s*\{[^}]*\}/g;

/** Registers the fonts with the document, since shadow roots cannot; each is fetched when a glyph needs it. */
function addFonts(styles: string, assetUrl: CoreServices['assetUrl']): void {
  if (typeof FontFace === 'undefined') return;
  for (const [rule] of styles.matchAll(FONT_FACE)) {
    const family = /font-family:\s*["']?([\w-]+)/.exec(rule)?.[1];
    const file = /url\(["']?(fonts\/[\w-]+\.woff2)/.exec(rule)?.[1];
    const address = file && assetUrl(file);
    if (!family || !address) continue;
    const weight = /font-weight:\s*(\w+)/.exec(rule)?.[1] ?? 'normal';
    const style = /font-style:\s*(\w+)/.exec(rule)?.[1] ?? 'normal';
    document.fonts.add(new FontFace(family, `url(${JSON.stringify(address)})`, {weight, style, display: 'swap'}));
  }
}
