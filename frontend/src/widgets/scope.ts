/** The scope that a renderer is handed besides its component: path, form around it, and the services of the view. */
import type {nothing, TemplateResult} from 'lit';
import type {Trigger} from './actions.js';
import type {Messages} from './messages.js';
import type {AnyNode, WidgetNode, WidgetType} from './nodes.js';
import type {Scheme} from './values.js';

export type Rendered = TemplateResult | typeof nothing;

/** A renderer draws one component as one element. It never throws, whatever the props hold. */
export type Renderer<T extends WidgetType> = (node: WidgetNode<T>, scope: Scope) => Rendered;

/** The form around a component. */
export interface FormScope {
  readonly path: string;
  /** The action that submitting fires; undefined when a submit button brings its own. */
  readonly action: unknown;
  readonly trigger: Trigger;
}

/** A click or a change, as a renderer reports it. */
export interface Fired {
  /** Raw action configuration; anything but an object with a type is ignored. */
  readonly action: unknown;
  readonly trigger: Trigger;
  /** Place of the component that fired: its loading state lives there. */
  readonly path: string;
  /** The element that fired; the nearest form element around it gives the values. */
  readonly element: Element;
  readonly form: FormScope | null;
}

/** The services of the view. */
export interface WidgetHost {
  readonly messages: Messages;
  /** BCP 47 tag for numbers, or undefined for the browser's. */
  readonly locale: string | undefined;
  /** The widget is still being written. Its text may say so for ever, because servers keep it as they sent it. */
  readonly streaming: boolean;
  /** Origins that pictures in Markdown may come from besides the page's own. */
  readonly imageDomains: readonly string[] | undefined;
  /** A new tree takes the place of the one before: what elements lose meanwhile, no person has done. */
  readonly isDrawing: boolean;
  fire(fired: Fired): void;
  /** Fires `form`'s action, or `fallback`, after validation. */
  submit(form: FormScope, element: Element, fallback?: unknown): void;
  /** True when the action cannot run now because an answer is streaming. */
  isBlocked(action: unknown): boolean;
  /** True while the action fired at `path` runs with the loading state on the component itself. */
  isLoading(path: string): boolean;
  /** The message for an invalid field, or undefined. */
  errorAt(path: string): string | undefined;
  clearError(path: string): void;
  /** Whether a new field may take the focus: only when the person is already busy in this widget. */
  mayFocus(): boolean;
  /** A value that outlives new widget trees, such as "all rows shown". */
  recall(path: string): unknown;
  remember(path: string, value: unknown): void;
}

export interface Scope {
  /** Keys from the root to this component; unique in the widget, stable over updates. */
  readonly path: string;
  readonly scheme: Scheme;
  readonly form: FormScope | null;
  readonly host: WidgetHost;
  /** Draws components below this one. `change` replaces what the subtree sees. */
  children(children: unknown, change?: ScopeChange): Rendered;
  /** Like `children`, for a list that is already parsed. */
  nodes(nodes: readonly AnyNode[], change?: ScopeChange): Rendered;
}

export interface ScopeChange {
  readonly scheme?: Scheme;
  readonly form?: FormScope;
}
