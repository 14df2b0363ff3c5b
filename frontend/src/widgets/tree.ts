/** Walks the JSON of a widget and renders each component with its scope. */
import {html, nothing} from 'lit';
import {repeat} from 'lit/directives/repeat.js';
import {MAX_WIDGET_DEPTH} from '../protocol/widget-depth.js';
import {type AnyNode, childNodes, siblingKeys} from './nodes.js';
import {rendererFor} from './registry.js';
import type {FormScope, Rendered, Scope, ScopeChange, WidgetHost} from './scope.js';
import type {Scheme} from './values.js';

class TreeScope implements Scope {
  readonly path: string;
  readonly scheme: Scheme;
  readonly form: FormScope | null;
  readonly host: WidgetHost;
  /** Number of ancestors of the components in this scope. */
  readonly #depth: number;

  constructor(path: string, scheme: Scheme, form: FormScope | null, host: WidgetHost, depth: number) {
    this.path = path;
    this.scheme = scheme;
    this.form = form;
    this.host = host;
    this.#depth = depth;
  }

  children(children: unknown, change: ScopeChange = {}): Rendered {
    return this.nodes(childNodes(children), change);
  }

  nodes(nodes: readonly AnyNode[], change: ScopeChange = {}): Rendered {
    if (nodes.length === 0 || this.#depth > MAX_WIDGET_DEPTH) {
      return nothing;
    }
    const keys = siblingKeys(nodes);
    const {scheme = this.scheme, form = this.form} = change;
    return html`${repeat(
      nodes,
      (_node, index) => keys[index],
      (node, index) => {
        const path = `${this.path}/${keys[index] ?? index}`;
        return rendererFor(node)(node, new TreeScope(path, scheme, form, this.host, this.#depth + 1));
      },
    )}`;
  }
}

/** Renders a root, or whatever was sent in its place. */
export function renderWidget(widget: unknown, scheme: Scheme, host: WidgetHost): Rendered {
  return new TreeScope('', scheme, null, host, 0).children(widget);
}
