/** A Lit directive that calls back after every render of its element. */
import {noChange} from 'lit';
import {Directive, directive, type ElementPart} from 'lit/directive.js';

class AfterRenderDirective extends Directive {
  override update({element}: ElementPart, [call]: [(element: HTMLElement) => void]): unknown {
    queueMicrotask(() => {
      if (element.isConnected) call(element as HTMLElement);
    });
    return noChange;
  }

  render(_call: (element: HTMLElement) => void): unknown {
    return noChange;
  }
}

export const afterRender = directive(AfterRenderDirective);
