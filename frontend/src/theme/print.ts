/** Prints the whole conversation, although it scrolls in a container of limited size. */

/** An ancestor of the chat, with its `style` attribute before printing. */
interface ExpandedAncestor {
  readonly element: HTMLElement;
  readonly style: string | null;
}

/** Longest wait for older messages before printing. */
const MAX_WAIT_MS = 10_000;

/** Expands an element and its ancestors to their full height while the page is printed. */
export class PrintLayout {
  readonly #host: HTMLElement;
  readonly #loadRest: () => Promise<unknown> | undefined;
  #expanded: readonly ExpandedAncestor[] = [];
  #isLoading = false;

  /** @param loadRest Loads and renders the rest of the conversation; returns `undefined` if nothing is missing. */
  constructor(host: HTMLElement, loadRest: () => Promise<unknown> | undefined) {
    this.#host = host;
    this.#loadRest = loadRest;
  }

  connect(): void {
    addEventListener('keydown', this.#onKey);
    addEventListener('beforeprint', this.#expand);
    addEventListener('afterprint', this.#restore);
  }

  disconnect(): void {
    removeEventListener('keydown', this.#onKey);
    removeEventListener('beforeprint', this.#expand);
    removeEventListener('afterprint', this.#restore);
    this.#restore();
  }

  /** Handles the print shortcut, to load the rest first: `beforeprint` does not wait for anything asynchronous. */
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

  // Our style sheets do not apply to the page's own elements, and content that they clip is not printed.
  #expand = (): void => {
    if (this.#expanded.length > 0) return;
    this.#expanded = [...ancestorsOf(this.#host)].map(element => ({element, style: element.getAttribute('style')}));
    for (const {element} of this.#expanded) {
      const {position} = getComputedStyle(element);
      const isOutOfFlow = position === 'fixed' || position === 'absolute';
      const rules = {
        'block-size': 'auto',
        'max-block-size': 'none',
        overflow: 'visible',
        contain: 'none',
        ...(isOutOfFlow ? {position: 'static'} : {}),
      };
      for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value, 'important');
    }
  };

  #restore = (): void => {
    for (const {element, style} of this.#expanded) {
      element.style.cssText = style ?? '';
      if (style === null) element.removeAttribute('style');
    }
    this.#expanded = [];
  };
}

function* ancestorsOf(host: Element): Generator<HTMLElement> {
  for (let node: Node | null = host; node; ) {
    const slot: Node | null = node instanceof Element ? node.assignedSlot : null;
    node = slot ?? (node instanceof ShadowRoot ? node.host : node.parentNode);
    if (node instanceof HTMLElement) yield node;
  }
}
