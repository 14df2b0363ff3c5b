/** `<parlor-widget>`: the JSON of a root in, `widget-action` events out. Holds what must outlive a new tree. */
import {type CSSResultGroup, html, LitElement, nothing, type PropertyValues} from 'lit';
import {
  type FormEntry,
  isBlockedBy,
  type Loading,
  loadingOf,
  mergeForm,
  parseAction,
  type Trigger,
  type WidgetAction,
  type WidgetActionDetail,
} from './actions.js';
import {buttonStyles} from './button-style.js';
import {controlStyles} from './control-style.js';
import {faceOf, updateFaces} from './faces.js';
import {nameFields} from './field-names.js';
import {controlsOf, entriesOf, fieldName, fieldPath, fieldsIn, fieldValue, problemOf} from './fields.js';
import {FitController} from './fit.js';
import {isFocusFree, keepFocus} from './focus.js';
import {layoutStyles} from './layout-style.js';
import {type Carried, carry, expectTouch} from './lazy-carrying.js';
import {ENGLISH, type Messages} from './messages.js';
import {isRecord, textOf} from './nodes.js';
import {isKnown} from './registry.js';
import type {Fired, FormScope, WidgetHost} from './scope.js';
import {type Batch, SentFields} from './sent-fields.js';
import {textStyles} from './text-style.js';
import {renderWidget} from './tree.js';
import type {Scheme} from './values.js';

/** Detail of `widget-error`: a sentence for the log, about the widget's JSON rather than about the person. */
export interface WidgetErrorDetail {
  readonly message: string;
  readonly itemId: string;
}

interface Running {
  readonly path: string;
  readonly loading: Loading;
  readonly batch: Batch;
  /** Place of the fields whose values were sent. */
  readonly around: Element | null;
}

/**
 * Draws a ChatKit widget and reports what is clicked.
 *
 * Typed values survive every new tree, except: a field whose default changed takes the new default; a field that was
 * submitted goes back to its default when the next tree arrives, unless it was edited in between (a "new to-do" field
 * is empty again after the to-do was added); and a control whose own action failed shows the server's value again.
 *
 * @event widget-action - `WidgetActionDetail`; an action with its payload complete.
 * @event focus-lost - What had the focus is gone, and nothing else in here could take it.
 * @event widget-error - `WidgetErrorDetail`; a form value that could not be merged.
 */
export class WidgetView extends LitElement implements WidgetHost {
  static override properties = {
    widget: {attribute: false},
    itemId: {attribute: false},
    busy: {type: Boolean},
    streaming: {type: Boolean},
    messages: {attribute: false},
    locale: {attribute: false},
    imageDomains: {attribute: false},
  };
  static override styles: CSSResultGroup = [layoutStyles, textStyles, buttonStyles, controlStyles];

  /** The root as it came from the server: nothing about it is trusted. */
  declare widget: unknown;
  declare itemId: string;
  /** An answer is streaming: streaming server actions wait until it ends. */
  declare busy: boolean;
  declare streaming: boolean;
  declare messages: Messages;
  declare locale: string | undefined;
  declare imageDomains: readonly string[] | undefined;
  /** Hears what the shared view of Markdown asks for: its events end at our root. */
  relay: ((event: Event) => void) | undefined;
  isDrawing = false;

  /** Actions under way whose loading state shows, by the path of what fired them. */
  #running: ReadonlyMap<string, Running> = new Map();
  #sent = new SentFields();
  #focusAfter: string | null = null;
  #reportedRoot: unknown = null;
  #errors: ReadonlyMap<string, string> = new Map();
  #memory = new Map<string, unknown>();
  #restoreFocus: (() => void) | null = null;
  #carried: Carried | undefined;

  constructor() {
    super();
    this.widget = null;
    this.itemId = '';
    this.busy = false;
    this.streaming = false;
    this.messages = ENGLISH;
    this.locale = undefined;
    this.imageDomains = undefined;
    expectTouch(this);
    new FitController(this);
  }

  protected override createRenderRoot(): HTMLElement | DocumentFragment {
    const root = super.createRenderRoot();
    root.addEventListener('parlor-intent', event => this.relay?.(event));
    return root;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('itemId')) {
      this.#memory.clear();
      this.#errors = new Map();
      this.#sent = new SentFields();
    }
    if (changed.has('widget')) {
      this.#running = new Map();
      this.#restoreFocus ??= keepFocus(this.renderRoot);
      this.#carried = carry(changed.get('widget'), this.widget, this.renderRoot, this.#memory);
      this.#errors = this.#carried?.moved(this.#errors) ?? this.#errors;
    }
  }

  protected override update(changed: PropertyValues): void {
    this.isDrawing = true;
    try {
      super.update(changed);
    } finally {
      this.isDrawing = false;
    }
  }

  protected override updated(changed: PropertyValues): void {
    nameFields(this.renderRoot);
    updateFaces(this.renderRoot);
    if (changed.has('widget')) {
      this.#carried?.restore(this.#sent);
      this.#carried = undefined;
      this.#resetSent();
      this.#reportUnknownRoot();
    }
    if (!this.#isWaiting()) {
      this.#restoreFocus?.();
      this.#restoreFocus = null;
    }
  }

  isBlocked(action: unknown): boolean {
    const parsed = parseAction(action);
    return parsed !== null && isBlockedBy(parsed, this.busy);
  }

  isLoading(path: string): boolean {
    return this.#running.get(path)?.loading === 'self';
  }

  errorAt(path: string): string | undefined {
    return this.#errors.get(path);
  }

  clearError(path: string): void {
    if (this.#errors.has(path)) {
      this.#setErrors([...this.#errors].filter(([at]) => at !== path));
    }
  }

  mayFocus(): boolean {
    const active = this.shadowRoot?.activeElement ?? null;
    return this.#focusAfter !== null || active?.matches(TYPED_INTO) === false;
  }

  recall(path: string): unknown {
    return this.#memory.get(path);
  }

  remember(path: string, value: unknown): void {
    if (this.#memory.get(path) !== value) {
      this.#memory.set(path, value);
      this.requestUpdate();
    }
  }

  fire({action: raw, trigger, path, element, form}: Fired): void {
    const action = parseAction(raw);
    if (action === null || !this.#mayRun(action, path)) {
      return;
    }
    const around = form === null ? null : element.closest('form');
    const own = trigger === 'change' ? [{name: fieldName(element), value: fieldValue(element)}] : [];
    const others = around === null ? [] : entriesOf(around).filter(entry => entry.name !== own[0]?.name);
    const sent = trigger === 'change' ? [element] : [];
    this.#dispatch(action, trigger, path, [...own, ...others], sent, around ?? element.parentElement);
  }

  submit(form: FormScope, element: Element, fallback?: unknown): void {
    const around = element.closest('form');
    const action = parseAction(form.action ?? fallback);
    const path = form.trigger === 'confirm' ? `${form.path}/confirm` : form.path;
    if (around === null || (action !== null && !this.#mayRun(action, path))) {
      return;
    }
    const fields = fieldsIn(around);
    const problems = fields.flatMap(field => {
      const problem = problemOf(field, this.messages);
      return problem === null ? [] : [{field, problem}];
    });
    this.#setErrors(problems.map(({field, problem}) => [fieldPath(field), problem]));
    const first = problems[0];
    if (first !== undefined) {
      (faceOf(first.field) ?? controlsOf(first.field)[0])?.focus();
      return;
    }
    if (action !== null) {
      this.#dispatch(action, form.trigger, path, entriesOf(around), fields, around);
    }
  }

  #dispatch(
    action: WidgetAction,
    trigger: Trigger,
    path: string,
    entries: readonly FormEntry[],
    fields: readonly Element[],
    around: Element | null,
  ): void {
    const {payload, problems} = mergeForm(action.payload, entries);
    for (const message of problems) {
      this.#report(message);
    }
    const isSubmission = trigger === 'submit' || trigger === 'confirm';
    const batch = this.#sent.add(isSubmission ? 'submit' : 'change', fields);
    const running: Running = {path, loading: loadingOf(action, trigger), batch, around};
    this.#focusAfter = isSubmission ? fieldToReturnTo(fields, this.shadowRoot) : null;
    if (running.loading !== 'none') {
      // Inert content cannot hold the focus; it comes back when the content does.
      this.#restoreFocus = running.loading === 'container' ? keepFocus(this.renderRoot) : null;
      this.#setRunning([...this.#running, [path, running]]);
    }
    let isTaken = false;
    const detail: WidgetActionDetail = {
      action: {...action, payload},
      itemId: this.itemId,
      widget: this.widget,
      done: promise => {
        isTaken = true;
        promise.then(
          () => this.#settle(running, true),
          (reason: unknown) => {
            this.#settle(running, false);
            this.#showRefusal(running, reason);
          },
        );
      },
    };
    this.dispatchEvent(new CustomEvent('widget-action', {detail, bubbles: true}));
    if (!isTaken) {
      this.#settle(running, true);
    }
  }

  /** A second click on what is loading is dropped; so is everything while the whole widget waits. */
  #mayRun(action: WidgetAction, path: string): boolean {
    return !this.#isWaiting() && !this.#running.has(path) && !isBlockedBy(action, this.busy);
  }

  #isWaiting(): boolean {
    return [...this.#running.values()].some(running => running.loading === 'container');
  }

  #settle(running: Running, isFulfilled: boolean): void {
    this.#sent.settle(running.batch, isFulfilled, this.renderRoot);
    if (!isFulfilled) {
      this.#focusAfter = null;
    }
    if (this.#running.get(running.path) === running) {
      this.#setRunning([...this.#running].filter(([, other]) => other !== running));
    }
  }

  /** Shows the server's refusal of a value by its field. */
  #showRefusal({around}: Running, reason: unknown): void {
    const {field: name, message} = (reason ?? {}) as {readonly field?: unknown; readonly message?: unknown};
    const fields = around?.isConnected ? fieldsIn(around) : [];
    const field = fields.find(each => name !== '' && fieldName(each) === name);
    if (field === undefined) return;
    this.#setErrors([...this.#errors, [fieldPath(field), textOf(message)]]);
    // Who has gone on to something else is left there. A widget that waits has no focus, and knows who had it.
    const shadow = this.shadowRoot;
    if (shadow === null || (shadow.activeElement === null && this.#restoreFocus === null)) return;
    this.#restoreFocus = () => {
      if (shadow.activeElement !== null || isFocusFree(shadow)) (faceOf(field) ?? controlsOf(field)[0])?.focus();
    };
  }

  #setRunning(running: Iterable<readonly [string, Running]>): void {
    this.#running = new Map(running);
    this.requestUpdate();
  }

  /** After a submission was answered by a new tree, the person may type the next one. */
  #resetSent(): void {
    const reset = this.#sent.treeArrived(this.renderRoot);
    const next = this.#focusAfter;
    this.#focusAfter = null;
    const field = reset.find(candidate => fieldPath(candidate) === next);
    if (field !== undefined) {
      this.#restoreFocus = () => (faceOf(field) ?? controlsOf(field)[0])?.focus({preventScroll: true});
    }
  }

  #setErrors(errors: readonly (readonly [string, string])[]): void {
    this.#errors = new Map(errors);
    this.requestUpdate();
  }

  /** Reports a root that is not known, whose content is drawn all the same: who made it should know. */
  #reportUnknownRoot(): void {
    const type = isRecord(this.widget) ? this.widget.type : undefined;
    if (this.widget === null || this.widget === undefined || type === this.#reportedRoot) return;
    if (typeof type === 'string' && isKnown(type)) return;
    this.#reportedRoot = type;
    this.#report(`The root of the widget is of an unknown type: ${String(type).slice(0, 60)}.`);
  }

  #report(message: string): void {
    const detail: WidgetErrorDetail = {message, itemId: this.itemId};
    this.dispatchEvent(new CustomEvent('widget-error', {detail, bubbles: true}));
  }

  protected override render() {
    const isInert = this.#isWaiting();
    const scheme: Scheme = getComputedStyle(this).colorScheme === 'dark' ? 'dark' : 'light';
    return html`<div class="root ${isInert ? 'is-waiting' : ''}" ?inert=${isInert} aria-busy=${isInert ? 'true' : nothing}>
      ${renderWidget(this.widget, scheme, this)}
    </div>`;
  }
}

/** Fields in which a person types. */
const TYPED_INTO = 'textarea, input:not([type=checkbox], [type=date])';

/** The field to type in again after a submission: the one in use, else the first text field. */
function fieldToReturnTo(fields: readonly Element[], root: ShadowRoot | null): string | null {
  const active = root?.activeElement ?? null;
  if (active === null) {
    return null;
  }
  const texts = fields.filter(field => field.matches(TYPED_INTO));
  const field = texts.includes(active) ? active : texts[0];
  return field === undefined ? null : fieldPath(field);
}
