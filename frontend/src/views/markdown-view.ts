/** `<parlor-markdown>`: Markdown that may still be growing. */
import {LitElement, type PropertyValues} from 'lit';
import {parseDeeplink} from '../links.js';
import {MarkdownBlocks} from '../markdown.js';
import {strings} from '../strings.js';
import {copyText} from './clipboard.js';
import {express} from './intents.js';
import {markdownStyles} from './markdown-view-style.js';
import {baseStyles} from './styles.js';

const COPIED_MS = 1500;

export class MarkdownView extends LitElement {
  static override properties = {
    text: {attribute: false},
    streaming: {attribute: false},
    imageDomains: {attribute: false},
  };
  static override styles = [baseStyles, markdownStyles];

  declare text: string;
  declare streaming: boolean;
  declare imageDomains: readonly string[] | undefined;

  #body: HTMLElement | undefined;
  #blocks: MarkdownBlocks | undefined;
  #copiedTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.text = '';
    this.streaming = false;
    this.imageDomains = undefined;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#copiedTimer);
  }

  protected override update(changed: PropertyValues<this>): void {
    super.update(changed);
    const blocks = this.#blocks ?? this.#build();
    blocks.render(this.text, this.streaming, {imageDomains: this.imageDomains, copyLabel: strings.copy});
  }

  #build(): MarkdownBlocks {
    this.#body = document.createElement('div');
    this.#body.className = 'body';
    this.#body.dir = 'auto';
    this.#body.addEventListener('click', this.#onClick);
    this.renderRoot.append(this.#body);
    this.#blocks = new MarkdownBlocks(this.#body);
    return this.#blocks;
  }

  #onClick = (event: Event): void => {
    const target = event.target instanceof Element ? event.target : undefined;
    const button = target?.closest('.copy-code');
    if (button) void this.#copy(button);
    const href = target?.closest('a')?.getAttribute('href');
    const deeplink = href ? parseDeeplink(href) : undefined;
    if (!deeplink) return;
    event.preventDefault();
    express(this, {type: 'deeplink', ...deeplink});
  };

  async #copy(button: Element): Promise<void> {
    const code = button.closest('.code')?.querySelector('code')?.textContent ?? '';
    if (!(await copyText(code)) || !this.isConnected) return;
    button.textContent = strings.copied;
    clearTimeout(this.#copiedTimer);
    this.#copiedTimer = setTimeout(() => {
      button.textContent = strings.copy;
    }, COPIED_MS);
  }
}
