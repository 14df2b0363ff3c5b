/** The scope that a renderer gets besides its component: path, enclosing form, and services of the view. */
import type {nothing, TemplateResult} from 'lit';
import type {Trigger} from './actions.js';
import type {Messages} from './messages.js';
import type {AnyNode, WidgetNode, WidgetType} from './nodes.js';
import type {Scheme} from './values.js';

export type Rendered = TemplateResult | typeof nothing;

/** Renders a component as one element. It must not throw, whatever the props contain. */
export type Renderer<T extends WidgetType> = (node: WidgetNode<T>, scope: Scope) => Rendered;

/** The form that a component is in. */
export interface FormScope {
  readonly path: string;
  /** The action that submitting fires; undefined if a submit button has its own. */
  readonly action: unknown;
  readonly trigger: Trigger;
}

/** A click or a change, as a renderer reports it. */
export interface Fired {
  /** Unparsed action; anything but an object with a type is ignored. */
  readonly action: unknown;
  readonly trigger: Trigger;
  /** Path of the component that fired, which shows the loading state. */
  readonly path: string;
  /** The element that fired; its closest form provides the values. */
  readonly element: Element;
  readonly form: FormScope | null;
}

/** Services of the view for renderers. */
export interface WidgetHost {
  readonly messages: Messages;
  /** BCP 47 tag for numbers and dates; undefined means the browser's locale. */
  readonly locale: string | undefined;
  /** Whether the widget is still streaming. The `streaming` props of its JSON may stay true for ever. */
  readonly streaming: boolean;
  /** Origins that pictures in Markdown may be loaded from besides the page's own. */
  readonly imageDomains: readonly string[] | undefined;
  /** Whether a new tree is being rendered: change and blur events are then not caused by the user. */
  readonly isDrawing: boolean;
  fire(fired: Fired): void;
  /** Fires `form`'s action, or `fallback`, after validation. */
  submit(form: FormScope, element: Element, fallback?: unknown): void;
  /** Whether the action cannot run now because an answer is streaming. */
  isBlocked(action: unknown): boolean;
  /** Whether the action fired at `path` is running, with the loading state on the component itself. */
  isLoading(path: string): boolean;
  /** The error message of an invalid field, or undefined. */
  errorAt(path: string): string | undefined;
  clearError(path: string): void;
  /** Whether a new field may take the focus: only if the user is already active in this widget. */
  mayFocus(): boolean;
  /** Returns a remembered value, which survives new trees, such as "all rows shown". */
  recall(path: string): unknown;
  remember(path: string, value: unknown): void;
}

export interface Scope {
  /** Keys from the root to this component; unique in the widget, stable over updates. */
  readonly path: string;
  readonly scheme: Scheme;
  readonly form: FormScope | null;
  readonly host: WidgetHost;
  /** Renders the children of this component. `change` overrides the scope of the subtree. */
  children(children: unknown, change?: ScopeChange): Rendered;
  /** Like `children`, for a list that is already parsed. */
  nodes(nodes: readonly AnyNode[], change?: ScopeChange): Rendered;
}

export interface ScopeChange {
  readonly scheme?: Scheme;
  readonly form?: FormScope;
}
