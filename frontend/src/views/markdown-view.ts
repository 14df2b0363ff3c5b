/** `<parlor-markdown>`: renders Markdown, also while its text is still growing. */
import {LitElement, type PropertyValues} from 'lit';
import {nextFrame} from '../frames.js';
import {dispatch, IntentEvent, relayTo} from '../intents.js';
import {attachmentIdOf, parseDeeplink} from '../links.js';
import {Highlighter} from '../markdown/highlight.js';
import {BLOCKED_IMAGE, buildFailedImage, buildRequestedImage, waitForImage} from '../markdown/images.js';
import {MarkdownBlocks, type Marker} from '../markdown/incremental-blocks.js';
import {Typesetter} from '../markdown/math.js';
import {strings} from '../strings.js';
import {citationStyles} from './annotations.js';
import {copyText} from './clipboard.js';
import {requestFile, saveFile} from './file-download.js';
import {codeStyles} from './markdown-code-style.js';
import {markdownStyles} from './markdown-view-style.js';
import {baseStyles} from './styles.js';

const COPIED_MS = 1500;

// Shared by all views: each loads its code once and has one idle queue.
const typesetter = new Typesetter();
const highlighter = new Highlighter();

export class MarkdownView extends LitElement {
  static override properties = {
    text: {attribute: false},
    streaming: {attribute: false},
    imageDomains: {attribute: false},
    markers: {attribute: false},
  };
  static override styles = [baseStyles, markdownStyles, codeStyles, citationStyles];

  declare text: string;
  declare streaming: boolean;
  /** Origins that pictures may be loaded from besides the page's own; `undefined` means none. */
  declare imageDomains: readonly string[] | undefined;
  /** Markers within the text, for example citations. */
  declare markers: readonly Marker[];

  #body: HTMLElement | undefined;
  #blocks: MarkdownBlocks | undefined;
  readonly #requestedImages = new Set<string>();
  #copied: {readonly button: Element; readonly timer: ReturnType<typeof setTimeout>} | undefined;

  constructor() {
    super();
    this.text = '';
    this.streaming = false;
    this.imageDomains = undefined;
    this.markers = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#blocks?.resume();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#blocks?.pause();
    this.#resetCopied();
  }

  protected override update(changed: PropertyValues<this>): void {
    super.update(changed);
    const blocks = this.#blocks ?? this.#createBody();
    const {imageDomains} = this;
    const options = {
      imageDomains,
      requested: this.#requestedImages,
      copyLabel: strings.copy,
      enhance: this.#enhance,
    };
    blocks.render(this.text, this.streaming, options, this.markers);
  }

  /** Also waits for blocks that are rendered in later frames. */
  protected override async getUpdateComplete(): Promise<boolean> {
    const isDone = await super.getUpdateComplete();
    while (this.isConnected && this.#blocks && !this.#blocks.isWhole) await nextFrame();
    return isDone;
  }

  #createBody(): MarkdownBlocks {
    this.#body = document.createElement('div');
    this.#body.className = 'body';
    this.#body.dir = 'auto';
    this.#body.addEventListener('click', this.#onClick);
    this.#body.addEventListener(IntentEvent.type, relayTo(this));
    this.renderRoot.append(this.#body);
    this.#blocks = new MarkdownBlocks(this.#body);
    return this.#blocks;
  }

  #enhance = (drawn: ParentNode, isFinished: boolean): void => {
    if (this.renderRoot instanceof ShadowRoot) void typesetter.typeset(drawn, this.renderRoot, isFinished);
    // A growing block would lose its colours with the next word.
    if (isFinished) void highlighter.highlight(drawn);
  };

  #onClick = (event: Event): void => {
    const target = event.target instanceof Element ? event.target : undefined;
    const button = target?.closest('.copy-code');
    if (button) void this.#copy(button);
    const blocked = target?.closest<HTMLElement>(`button.${BLOCKED_IMAGE}`);
    if (blocked) {
      // Inside a <summary>, the click would also open it.
      event.preventDefault();
      void this.#loadImage(blocked);
      return;
    }
    const link = target?.closest('a');
    const href = link?.getAttribute('href') ?? '';
    const deeplink = parseDeeplink(href);
    const fileId = attachmentIdOf(href);
    if (link && fileId !== undefined && isPlainClick(event)) {
      event.preventDefault();
      void this.#save(fileId, link);
    }
    if (!deeplink) return;
    event.preventDefault();
    dispatch(this, {type: 'deeplink', ...deeplink});
  };

  async #save(id: string, link: HTMLAnchorElement): Promise<void> {
    const details = await requestFile(this, id);
    if (details) {
      saveFile(details);
      return;
    }
    // Not a file of this server: follow the link as it is.
    const copy = link.cloneNode() as HTMLAnchorElement;
    copy.click();
  }

  async #loadImage(button: HTMLElement): Promise<void> {
    const {src = '', alt = ''} = button.dataset;
    const image = buildRequestedImage(src, alt);
    this.#requestedImages.add(src);
    button.replaceWith(image);
    image.focus();
    if (await waitForImage(image)) return;
    const hadFocus = this.shadowRoot?.activeElement === image;
    const link = buildFailedImage(src, alt);
    image.replaceWith(link);
    if (hadFocus) link.focus();
  }

  async #copy(button: Element): Promise<void> {
    const code = button.closest('.code')?.querySelector('code')?.textContent ?? '';
    const isCopied = await copyText(code, this.renderRoot);
    if (!this.isConnected) return;
    this.#resetCopied();
    button.textContent = isCopied ? strings.copied : strings.notCopied;
    button.setAttribute('title', isCopied ? '' : strings.copyFailed);
    this.#copied = {button, timer: setTimeout(() => this.#resetCopied(), COPIED_MS)};
  }

  #resetCopied(): void {
    if (!this.#copied) return;
    clearTimeout(this.#copied.timer);
    this.#copied.button.textContent = strings.copy;
    this.#copied.button.removeAttribute('title');
    this.#copied = undefined;
  }
}

/** Whether a click does not open a new tab or window. */
function isPlainClick(event: Event): boolean {
  return !(event instanceof MouseEvent && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey));
}
