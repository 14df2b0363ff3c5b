/** `<parlor-widget-gallery>`: the page `/dev/widgets`, which renders every sample widget beside its JSON. */
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {buildThemeSheet} from '../theme/tokens.js';
import {FindingsRequest} from './findings-request.js';
import {galleryStyles} from './gallery-style.js';
import {type Exhibit, type Finding, type Group, parseGallery} from './groups.js';
import {readView, VIEW_CHOICES, type View, writeView} from './view-options.js';

/** The edited JSON of a widget: its text, the last valid widget, and its findings. */
interface Edit {
  readonly text: string;
  readonly widget: unknown;
  readonly findings: readonly Finding[];
  readonly problem: string;
}

export class WidgetGallery extends LitElement {
  static override styles = galleryStyles;

  #view: View = readView(location.search);
  #groups: readonly Group[] | null = null;
  #failure = '';
  #edits: ReadonlyMap<string, Edit> = new Map();
  #actions: ReadonlyMap<string, string> = new Map();
  readonly #findings = new FindingsRequest();
  readonly #theme = new CSSStyleSheet();

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#findings.stop();
  }

  protected override firstUpdated(): void {
    const root = this.renderRoot as ShadowRoot;
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.#theme];
  }

  protected override willUpdate(_changed: PropertyValues): void {
    this.#theme.replaceSync(buildThemeSheet(this.#view.scheme));
    document.documentElement.style.fontSize = this.#view.text === '200' ? '200%' : '';
    document.documentElement.style.colorScheme = this.#view.scheme;
  }

  async #load(): Promise<void> {
    try {
      const answer = await fetch('widgets/list');
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      this.#groups = parseGallery(await answer.json());
    } catch (error) {
      this.#failure = `The widgets could not be had: ${(error as Error).message}. Reload the page.`;
    }
    this.requestUpdate();
  }

  #choose(name: keyof View, value: string): void {
    this.#view = readView(writeView({...this.#view, [name]: value}));
    history.replaceState(null, '', writeView(this.#view));
    this.requestUpdate();
  }

  #edit(key: string, group: Group, exhibit: Exhibit, text: string): void {
    const before = this.#edits.get(key);
    let widget = before ? before.widget : exhibit.widget;
    let problem = '';
    try {
      widget = JSON.parse(text);
    } catch (error) {
      problem = `This is no JSON: ${(error as Error).message}`;
    }
    const findings = before ? before.findings : exhibit.findings;
    this.#setEdit(key, {text, widget, findings, problem});
    if (problem !== '') return;
    this.#findings.request(key, widget, group.name, result => {
      const edit = this.#edits.get(key);
      if (edit) this.#setEdit(key, {...edit, findings: result.findings, problem: result.problem});
    });
  }

  #setEdit(key: string, edit: Edit): void {
    this.#edits = new Map(this.#edits).set(key, edit);
    this.requestUpdate();
  }

  #showAction(key: string, event: Event): void {
    const {action} = (event as CustomEvent<{action: unknown}>).detail;
    this.#actions = new Map(this.#actions).set(key, JSON.stringify(action));
    this.requestUpdate();
  }

  protected override render() {
    if (this.#groups === null)
      return html`<p class="state" role="status">${this.#failure || 'The widgets are coming …'}</p>`;
    return html`<header>
        <h1>Widgets</h1>
        ${Object.entries(VIEW_CHOICES).map(([name, {label, values}]) =>
          this.#choice(name as keyof View, label, values),
        )}
      </header>
      <main>${this.#groups.map(group => this.#group(group))}</main>`;
  }

  #choice(name: keyof View, label: string, values: Readonly<Record<string, string>>) {
    return html`<label
      >${label}
      <select
        name=${name}
        @change=${(event: Event) => this.#choose(name, (event.currentTarget as HTMLSelectElement).value)}
      >
        ${Object.entries(values).map(
          ([value, words]) => html`<option value=${value} ?selected=${this.#view[name] === value}>${words}</option>`,
        )}
      </select></label
    >`;
  }

  #group(group: Group) {
    return html`<section aria-label=${group.title}>
      <h2>${group.title}</h2>
      ${
        group.widgets.length === 0
          ? html`<p class="note">It shows no widgets. <code>UseCase(sample_widgets=…)</code> says which there are.</p>`
          : repeat(
              group.widgets,
              ({name}, index) => `${name} ${index} ${this.#view.scheme}`,
              (exhibit, index) => this.#exhibit(group, exhibit, `${group.name ?? ''}/${index}`),
            )
      }
    </section>`;
  }

  #exhibit(group: Group, exhibit: Exhibit, key: string) {
    const edit = this.#edits.get(key);
    const widget = edit ? edit.widget : exhibit.widget;
    const findings = edit ? edit.findings : exhibit.findings;
    const {dir, width} = this.#view;
    return html`<article data-name=${exhibit.name}>
      <h3>${exhibit.name}</h3>
      ${exhibit.note === '' ? nothing : html`<p class="note">${exhibit.note}</p>`}
      ${
        widget === null
          ? nothing
          : html`<div class="stage ${width === 'full' ? '' : `w${width}`}" dir=${dir}>
              <parlor-widget
                .widget=${widget}
                .itemId=${key}
                @widget-action=${(event: Event) => this.#showAction(key, event)}
              ></parlor-widget>
            </div>`
      }
      <ul class="findings" aria-live="polite">
        ${edit?.problem ? html`<li class="error">${edit.problem}</li>` : nothing}
        ${findings.map(
          ({path, message, severity}) => html`<li class=${severity}><code>${path}</code>: ${message}</li>`,
        )}
      </ul>
      ${this.#actions.has(key) ? html`<p class="action">Sent: <code>${this.#actions.get(key)}</code></p>` : nothing}
      <details>
        <summary>JSON</summary>
        <textarea
          aria-label="JSON of ${exhibit.name}"
          spellcheck="false"
          rows="12"
          dir="ltr"
          .value=${edit ? edit.text : JSON.stringify(exhibit.widget, null, 2)}
          @input=${(event: Event) => this.#edit(key, group, exhibit, (event.currentTarget as HTMLTextAreaElement).value)}
        ></textarea>
      </details>
    </article>`;
  }
}
