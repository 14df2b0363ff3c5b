/** A Lit directive that sets inline properties one by one: a strict Content-Security-Policy forbids `style="…"`. */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart, type PartInfo, PartType} from 'lit/directive.js';

/** CSS property (kebab-case or `--custom`) to value; undefined leaves the property to the style sheet. */
export type Declarations = Readonly<Record<string, string | undefined>>;

class StyledDirective extends Directive {
  #applied = new Map<string, string>();

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) {
      throw new Error('styled() belongs inside a tag, not in text or in an attribute');
    }
  }

  // Lit's styleMap writes the style attribute on first render, which the policy blocks. CSSOM is not covered by it.
  override update(part: ElementPart, [declarations]: [Declarations]): unknown {
    const style = (part.element as HTMLElement | SVGElement).style;
    for (const name of this.#applied.keys()) {
      if (declarations[name] === undefined) {
        style.removeProperty(name);
        this.#applied.delete(name);
      }
    }
    for (const [name, value] of Object.entries(declarations)) {
      if (value !== undefined && this.#applied.get(name) !== value) {
        // An invalid value is ignored by the browser; the old one must not linger in its place.
        style.removeProperty(name);
        style.setProperty(name, value);
        this.#applied.set(name, value);
      }
    }
    return noChange;
  }

  render(_declarations: Declarations): unknown {
    return noChange;
  }
}

export const styled = directive(StyledDirective);
