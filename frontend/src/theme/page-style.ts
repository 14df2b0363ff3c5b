/** The page’s own style sheet, adopted by every shadow root of the chat after our own rules. */
import {LitElement} from 'lit';

const MAX_CHARS = 200_000;
const FETCH_TIMEOUT_MS = 10_000;

/** The page's sheet that each of our elements has adopted; nested elements inherit it from their host. */
const sheets = new WeakMap<Element, CSSStyleSheet>();

/** Makes all of our elements inherit the sheet of their host. Must be called before the first element is defined. */
export function inheritPageStyles(): void {
  LitElement.addInitializer(element => {
    element.addController({
      hostConnected() {
        const root = (element as LitElement).getRootNode();
        const sheet = root instanceof ShadowRoot ? sheets.get(root.host) : undefined;
        if (sheet) replaceSheet(element as LitElement, sheet);
      },
    });
  });
}

/** The page's style sheet of one chat. */
export class PageStyle {
  readonly #host: LitElement;
  readonly #failed: (reason: string) => void;
  #given: unknown;
  #fetching: AbortController | undefined;

  constructor(host: LitElement, failed: (reason: string) => void) {
    this.#host = host;
    this.#failed = failed;
  }

  /** @param given A `CSSStyleSheet`, its text, or its URL at the page's origin; anything else removes the sheet. */
  use(given: unknown): void {
    if (given === this.#given) return;
    this.#given = given;
    this.#fetching?.abort();
    this.#fetching = undefined;
    if (given instanceof CSSStyleSheet) this.#adopt(given);
    else if (typeof given !== 'string' || given === '') this.#adopt(undefined);
    else if (given.includes('{')) this.#adoptText(given);
    else void this.#fetch(given);
  }

  async #fetch(address: string): Promise<void> {
    const fetching = new AbortController();
    this.#fetching = fetching;
    const timer = setTimeout(() => fetching.abort(), FETCH_TIMEOUT_MS);
    try {
      const url = new URL(address, document.baseURI);
      if (url.origin !== location.origin) throw new Error('it has another origin than the page');
      // A redirect could lead to another origin.
      const answer = await fetch(url, {redirect: 'error', credentials: 'same-origin', signal: fetching.signal});
      if (!answer.ok || !/^text\/css\b/i.test(answer.headers.get('Content-Type') ?? ''))
        throw new Error('the address gives no style sheet');
      const text = await answer.text();
      if (this.#fetching === fetching) this.#adoptText(text);
    } catch (error) {
      if (this.#fetching === fetching) this.#refuse(String((error as Error).message));
    } finally {
      clearTimeout(timer);
    }
  }

  #adoptText(text: string): void {
    if (text.length > MAX_CHARS) {
      this.#refuse('it is too long');
      return;
    }
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    this.#adopt(sheet);
  }

  #adopt(sheet: CSSStyleSheet | undefined): void {
    try {
      replaceSheet(this.#host, sheet);
      for (const element of nestedElements(this.#host)) replaceSheet(element, sheet);
    } catch {
      // Only sheets that were constructed in this document can be adopted.
      this.#refuse('it cannot be taken into a shadow root');
    }
  }

  #refuse(reason: string): void {
    this.#adopt(undefined);
    this.#failed(reason);
  }
}

function replaceSheet(element: Element, sheet: CSSStyleSheet | undefined): void {
  const root = element.shadowRoot;
  const before = sheets.get(element);
  if (!root || before === sheet) return;
  const others = root.adoptedStyleSheets.filter(adopted => adopted !== before);
  root.adoptedStyleSheets = sheet ? [...others, sheet] : others;
  if (sheet) sheets.set(element, sheet);
  else sheets.delete(element);
}

function* nestedElements(element: Element): Generator<Element> {
  for (const child of element.shadowRoot?.querySelectorAll('*') ?? []) {
    if (!child.shadowRoot) continue;
    yield child;
    yield* nestedElements(child);
  }
}
