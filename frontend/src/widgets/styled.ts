/** A Lit directive that sets style properties one by one, since a strict CSP forbids the attribute `style`. */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart, type PartInfo, PartType} from 'lit/directive.js';

/** CSS property (kebab-case or `--custom`) to value; undefined leaves the property to the style sheet. */
export type Declarations = Readonly<Record<string, string | undefined>>;

class StyledDirective extends Directive {
  #applied = new Map<string, string>();

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) {
      throw new Error('styled() belongs inside a tag');
    }
  }

  // Lit's styleMap writes the style attribute on first render, which the policy blocks; it does not affect the CSSOM.
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
        // Browsers ignore invalid values, so the old one is removed first.
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
