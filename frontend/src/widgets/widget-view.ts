/** `<parlor-widget>`: renders the JSON of a root and dispatches `widget-action`; keeps state across new trees. */
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
import {prefetchOnUse, type Reconciliation, reconcile} from './lazy-reconcile.js';
import {ENGLISH, type Messages} from './messages.js';
import {isRecord, textOf} from './nodes.js';
import {isKnown} from './registry.js';
import type {Fired, FormScope, WidgetHost} from './scope.js';
import {type Batch, SentFields} from './sent-fields.js';
import {textStyles} from './text-style.js';
import {renderWidget} from './tree.js';
import type {Scheme} from './values.js';

/** Detail of `widget-error`: a message for the log about an error in the widget's JSON. */
export interface WidgetErrorDetail {
  readonly message: string;
  readonly itemId: string;
}

/** An action that is running. */
interface Running {
  readonly path: string;
  readonly loading: Loading;
  readonly batch: Batch;
  /** The element around the fields whose values were sent. */
  readonly container: Element | null;
}

/**
 * Renders a ChatKit widget and reports its actions.
 *
 * The user's input survives new trees, with three exceptions: a field whose default has changed takes the new default;
 * a submitted field is reset when the next tree arrives, unless it was edited in between (a "new to-do" field is empty
 * again after the to-do was added); and a control whose own action failed shows the server's value again.
 *
 * @event widget-action - `WidgetActionDetail`; an action with its complete payload.
 * @event focus-lost - The focused element was removed, and nothing else in the widget could take the focus.
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

  /** The root as the server sent it, untrusted. */
  declare widget: unknown;
  declare itemId: string;
  /** Whether an answer is streaming: streaming server actions are blocked until it ends. */
  declare busy: boolean;
  declare streaming: boolean;
  declare messages: Messages;
  declare locale: string | undefined;
  declare imageDomains: readonly string[] | undefined;
  /** Receives intents of the shared Markdown view, whose events do not leave this shadow root. */
  relay: ((event: Event) => void) | undefined;
  isDrawing = false;

  /** Running actions that show a loading state, by the path of the component that fired them. */
  #running: ReadonlyMap<string, Running> = new Map();
  #sent = new SentFields();
  #focusAfter: string | null = null;
  #reportedRoot: unknown = null;
  #errors: ReadonlyMap<string, string> = new Map();
  #memory = new Map<string, unknown>();
  #restoreFocus: (() => void) | null = null;
  #reconciliation: Reconciliation | undefined;

  constructor() {
    super();
    this.widget = null;
    this.itemId = '';
    this.busy = false;
    this.streaming = false;
    this.messages = ENGLISH;
    this.locale = undefined;
    this.imageDomains = undefined;
    prefetchOnUse(this);
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
      this.#reconciliation = reconcile(changed.get('widget'), this.widget, this.renderRoot, this.#memory);
      this.#errors = this.#reconciliation?.moveErrors(this.#errors) ?? this.#errors;
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
      this.#reconciliation?.restore(this.#sent);
      this.#reconciliation = undefined;
      this.#resetSent();
      this.#reportUnknownRoot();
    }
    if (!this.#isInert()) {
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
    if (action === null || !this.#canRun(action, path)) {
      return;
    }
    const formElement = form === null ? null : element.closest('form');
    const ownEntry = trigger === 'change' ? [{name: fieldName(element), value: fieldValue(element)}] : [];
    const entries = formElement === null ? [] : entriesOf(formElement).filter(({name}) => name !== ownEntry[0]?.name);
    const sent = trigger === 'change' ? [element] : [];
    this.#dispatch(action, trigger, path, [...ownEntry, ...entries], sent, formElement ?? element.parentElement);
  }

  submit(form: FormScope, element: Element, fallback?: unknown): void {
    const formElement = element.closest('form');
    const action = parseAction(form.action ?? fallback);
    const path = form.trigger === 'confirm' ? `${form.path}/confirm` : form.path;
    if (formElement === null || (action !== null && !this.#canRun(action, path))) {
      return;
    }
    const fields = fieldsIn(formElement);
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
      this.#dispatch(action, form.trigger, path, entriesOf(formElement), fields, formElement);
    }
  }

  #dispatch(
    action: WidgetAction,
    trigger: Trigger,
    path: string,
    entries: readonly FormEntry[],
    fields: readonly Element[],
    container: Element | null,
  ): void {
    const {payload, problems} = mergeForm(action.payload, entries);
    for (const message of problems) {
      this.#report(message);
    }
    const isSubmission = trigger === 'submit' || trigger === 'confirm';
    const batch = this.#sent.add(isSubmission ? 'submit' : 'change', fields);
    const running: Running = {path, loading: loadingOf(action, trigger), batch, container};
    this.#focusAfter = isSubmission ? findNextFocus(fields, this.shadowRoot) : null;
    if (running.loading !== 'none') {
      // Inert content loses the focus; it is restored afterwards.
      this.#restoreFocus = running.loading === 'container' ? keepFocus(this.renderRoot) : null;
      this.#setRunning([...this.#running, [path, running]]);
    }
    let isHandled = false;
    const detail: WidgetActionDetail = {
      action: {...action, payload},
      itemId: this.itemId,
      widget: this.widget,
      done: promise => {
        isHandled = true;
        promise.then(
          () => this.#settle(running, true),
          (reason: unknown) => {
            this.#settle(running, false);
            this.#showRejection(running, reason);
          },
        );
      },
    };
    this.dispatchEvent(new CustomEvent('widget-action', {detail, bubbles: true}));
    if (!isHandled) {
      this.#settle(running, true);
    }
  }

  /** Whether an action can run: not while it is loading, nor while the whole widget is inert. */
  #canRun(action: WidgetAction, path: string): boolean {
    return !this.#isInert() && !this.#running.has(path) && !isBlockedBy(action, this.busy);
  }

  #isInert(): boolean {
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

  /** Shows an error of the server next to the field whose value it rejected. */
  #showRejection({container}: Running, reason: unknown): void {
    const {field: name, message} = (reason ?? {}) as {readonly field?: unknown; readonly message?: unknown};
    const fields = container?.isConnected ? fieldsIn(container) : [];
    const field = fields.find(candidate => name !== '' && fieldName(candidate) === name);
    if (field === undefined) return;
    this.#setErrors([...this.#errors, [fieldPath(field), textOf(message)]]);
    // Leaves the focus alone if the user has moved on. An inert widget has no focus, but remembers it.
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

  /** Resets submitted fields after a new tree, and focuses the next field to type in. */
  #resetSent(): void {
    const reset = this.#sent.treeArrived(this.renderRoot);
    const nextPath = this.#focusAfter;
    this.#focusAfter = null;
    const field = reset.find(candidate => fieldPath(candidate) === nextPath);
    if (field !== undefined) {
      this.#restoreFocus = () => (faceOf(field) ?? controlsOf(field)[0])?.focus({preventScroll: true});
    }
  }

  #setErrors(errors: readonly (readonly [string, string])[]): void {
    this.#errors = new Map(errors);
    this.requestUpdate();
  }

  /** Reports a root of an unknown type to the widget's author; its children are rendered anyway. */
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
    const isInert = this.#isInert();
    const scheme: Scheme = getComputedStyle(this).colorScheme === 'dark' ? 'dark' : 'light';
    return html`<div class="root ${isInert ? 'is-waiting' : ''}" ?inert=${isInert} aria-busy=${isInert ? 'true' : nothing}>
      ${renderWidget(this.widget, scheme, this)}
    </div>`;
  }
}

/** Text fields. */
const TYPED_INTO = 'textarea, input:not([type=checkbox], [type=date])';

/** Returns the path of the field to focus after a submission: the focused one, else the first text field. */
function findNextFocus(fields: readonly Element[], root: ShadowRoot | null): string | null {
  const active = root?.activeElement ?? null;
  if (active === null) {
    return null;
  }
  const texts = fields.filter(field => field.matches(TYPED_INTO));
  const field = texts.includes(active) ? active : texts[0];
  return field === undefined ? null : fieldPath(field);
}
