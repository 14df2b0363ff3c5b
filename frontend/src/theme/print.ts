/** Printing gives the whole conversation, though the page around the chat gives it a window to scroll in. */
interface Opened {
  readonly element: HTMLElement;
  readonly style: string | null;
}

/** Who presses a key waits no longer for what is still to come. */
const MAX_WAIT_MS = 10_000;

/** Opens what is around an element while the page is printed. */
export class PrintedWhole {
  readonly #host: HTMLElement;
  readonly #loadRest: () => Promise<unknown> | undefined;
  #opened: readonly Opened[] = [];
  #isLoading = false;

  /** @param loadRest Draws what is not there yet; `undefined` when everything is. */
  constructor(host: HTMLElement, loadRest: () => Promise<unknown> | undefined) {
    this.#host = host;
    this.#loadRest = loadRest;
  }

  connect(): void {
    addEventListener('keydown', this.#onKey);
    addEventListener('beforeprint', this.#open);
    addEventListener('afterprint', this.#close);
  }

  disconnect(): void {
    removeEventListener('keydown', this.#onKey);
    removeEventListener('beforeprint', this.#open);
    removeEventListener('afterprint', this.#close);
    this.#close();
  }

  /** The only wish to print that can be heard in time: `beforeprint` waits for nobody. */
  #onKey = (event: KeyboardEvent): void => {
    const isPrint =
      (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'p';
    if (!isPrint || event.defaultPrevented || !this.#host.checkVisibility()) return;
    const rest = this.#isLoading ? Promise.resolve() : this.#loadRest();
    if (!rest) return;
    event.preventDefault();
    if (!this.#isLoading) void this.#printAfter(rest);
  };

  async #printAfter(rest: Promise<unknown>): Promise<void> {
    this.#isLoading = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise(resolve => {
      timer = setTimeout(resolve, MAX_WAIT_MS);
    });
    try {
      await Promise.race([rest, late]);
    } finally {
      clearTimeout(timer);
      this.#isLoading = false;
    }
    print();
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
