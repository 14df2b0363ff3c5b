/** Applies the theme, its fonts and the page's own style sheet to the shadow root of a chat. */
import type {ChatKitOptions} from '@openai/chatkit';
import type {LitElement} from 'lit';
import {FontUser} from './fonts.js';
import {PageStyle} from './page-style.js';
import {buildPaperSheet, buildThemeSheet, findLowContrast} from './tokens.js';

type Log = (name: string, data: Readonly<Record<string, unknown>>) => void;

export class AppliedTheme {
  readonly #host: LitElement;
  readonly #log: Log;
  readonly #fonts: FontUser;
  readonly #pageStyle: PageStyle;
  #sheet: CSSStyleSheet | undefined;
  #text = '';

  constructor(host: LitElement, log: Log) {
    this.#host = host;
    this.#log = log;
    this.#fonts = new FontUser(family => log('theme.font_failed', {family}));
    this.#pageStyle = new PageStyle(host, reason => log('stylesheet.failed', {reason}));
  }

  /** Applies a theme; does nothing before the chat has a shadow root. */
  use(theme: NonNullable<ChatKitOptions['theme']>, stylesheet: unknown): void {
    const root = this.#host.shadowRoot;
    if (!root) return;
    // In this order, so that the page's style sheet overrides the theme.
    if (!this.#sheet) {
      this.#sheet = new CSSStyleSheet();
      root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.#sheet];
    }
    this.#pageStyle.use(stylesheet);
    if (this.#host.isConnected) this.#fonts.use(typeof theme === 'object' ? theme.typography?.fontSources : undefined);
    const text = buildThemeSheet(theme) + buildPaperSheet(theme);
    if (text === this.#text) return;
    const ratio = findLowContrast(theme);
    if (ratio !== undefined) this.#log('theme.low_contrast', {pair: 'color.surface', ratio, least: 4.5});
    this.#text = text;
    this.#sheet.replaceSync(text);
  }

  /** Removes the fonts that only this chat uses. */
  releaseFonts(): void {
    this.#fonts.use(undefined);
  }
}
