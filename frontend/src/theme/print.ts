/** Printing gives the whole conversation, though the page around the chat gives it a window to scroll in. */
interface Opened {
  readonly element: HTMLElement;
  readonly style: string | null;
}

/** Opens what is around an element while the page is printed. */
export class PrintedWhole {
  readonly #host: HTMLElement;
  #opened: readonly Opened[] = [];

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  connect(): void {
    addEventListener('beforeprint', this.#open);
    addEventListener('afterprint', this.#close);
  }

  disconnect(): void {
    removeEventListener('beforeprint', this.#open);
    removeEventListener('afterprint', this.#close);
    this.#close();
  }

  // A style sheet of ours cannot reach the page's own elements, and what one of them cuts off is not printed.
  #open = (): void => {
    if (this.#opened.length > 0) return;
    this.#opened = [...ancestorsOf(this.#host)].map(element => ({element, style: element.getAttribute('style')}));
    for (const {element} of this.#opened) {
      const {position} = getComputedStyle(element);
      const isLifted = position === 'fixed' || position === 'absolute';
      const rules = {
        'block-size': 'auto',
        'max-block-size': 'none',
        overflow: 'visible',
        contain: 'none',
        ...(isLifted ? {position: 'static'} : {}),
      };
      for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value, 'important');
    }
  };

  #close = (): void => {
    for (const {element, style} of this.#opened) {
      element.style.cssText = style ?? '';
      if (style === null) element.removeAttribute('style');
    }
    this.#opened = [];
  };
}

function* ancestorsOf(host: Element): Generator<HTMLElement> {
  for (let node: Node | null = host; node; ) {
    const slot: Node | null = node instanceof Element ? node.assignedSlot : null;
    node = slot ?? (node instanceof ShadowRoot ? node.host : node.parentNode);
    if (node instanceof HTMLElement) yield node;
  }
}
