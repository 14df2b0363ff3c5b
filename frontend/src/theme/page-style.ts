/** The page’s own style sheet inside the chat: adopted by every shadow root, behind our own rules. */
import {LitElement} from 'lit';

const MAX_CHARS = 200_000;
const FETCH_TIMEOUT_MS = 10_000;

/** The sheet that each of our elements has adopted; those inside take it from the one around them. */
const sheets = new WeakMap<Element, CSSStyleSheet>();

/** Lets every element of ours take the sheet of what it is put into. Has to come before the first of them is defined. */
export function handOnPageStyles(): void {
  LitElement.addInitializer(element => {
    element.addController({
      hostConnected() {
        const root = (element as LitElement).getRootNode();
        const sheet = root instanceof ShadowRoot ? sheets.get(root.host) : undefined;
        if (sheet) exchange(element as LitElement, sheet);
      },
    });
  });
}

/** The style sheet of one chat. */
export class PageStyle {
  readonly #host: LitElement;
  readonly #failed: (reason: string) => void;
  #given: unknown;
  #fetching: AbortController | undefined;

  constructor(host: LitElement, failed: (reason: string) => void) {
    this.#host = host;
    this.#failed = failed;
  }

  /** @param given A sheet, the text of one, or the address of one at the page's own origin; anything else is none. */
  use(given: unknown): void {
    if (given === this.#given) return;
    this.#given = given;
    this.#fetching?.abort();
    this.#fetching = undefined;
    if (given instanceof CSSStyleSheet) this.#take(given);
    else if (typeof given !== 'string' || given === '') this.#take(undefined);
    else if (given.includes('{')) this.#takeText(given);
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
      if (this.#fetching === fetching) this.#takeText(text);
    } catch (error) {
      if (this.#fetching === fetching) this.#refuse(String((error as Error).message));
    } finally {
      clearTimeout(timer);
    }
  }

  #takeText(text: string): void {
    if (text.length > MAX_CHARS) {
      this.#refuse('it is too long');
      return;
    }
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    this.#take(sheet);
  }

  #take(sheet: CSSStyleSheet | undefined): void {
    try {
      exchange(this.#host, sheet);
      for (const element of insideOf(this.#host)) exchange(element, sheet);
    } catch {
      // Only sheets that are made in this document, and by a constructor, may be shared.
      this.#refuse('it cannot be taken into a shadow root');
    }
  }

  #refuse(reason: string): void {
    this.#take(undefined);
    this.#failed(reason);
  }
}

function exchange(element: Element, sheet: CSSStyleSheet | undefined): void {
  const root = element.shadowRoot;
  const before = sheets.get(element);
  if (!root || before === sheet) return;
  const others = root.adoptedStyleSheets.filter(each => each !== before);
  root.adoptedStyleSheets = sheet ? [...others, sheet] : others;
  if (sheet) sheets.set(element, sheet);
  else sheets.delete(element);
}

function* insideOf(element: Element): Generator<Element> {
  for (const child of element.shadowRoot?.querySelectorAll('*') ?? []) {
    if (!child.shadowRoot) continue;
    yield child;
    yield* insideOf(child);
  }
}
