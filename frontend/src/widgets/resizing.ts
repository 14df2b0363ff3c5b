/** A Lit directive for Transition: where its component gets higher or lower, it does so before the eye. */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';

class ResizingDirective extends Directive {
  override update({element}: ElementPart): unknown {
    // What is drawn in here comes behind this: now the old component is there, and in a moment the new one.
    const before = sizeOf(element);
    queueMicrotask(() => {
      const child = element.firstElementChild;
      const after = sizeOf(element);
      // Another width is the page's doing, and is followed at once.
      if (!child?.animate || !before || !after || before.width !== after.width || before.height === after.height)
        return;
      if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
      child.animate(
        [before, after].map(({height}) => ({height: `${height}px`, overflow: 'clip'})),
        {duration: 150, easing: 'ease'},
      );
    });
    return noChange;
  }

  render(): unknown {
    return noChange;
  }
}

function sizeOf(element: Element): DOMRect | undefined {
  return element.firstElementChild?.getBoundingClientRect();
}

export const resizing = directive(ResizingDirective);
