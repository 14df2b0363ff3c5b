/** Adds style sheets of lazy parts to the shadow root of a widget. */
import type {CSSResult} from 'lit';
import type {WidgetHost} from './scope.js';

export function adoptStyles(host: WidgetHost, {styleSheet}: CSSResult): void {
  const root = host instanceof Element ? host.shadowRoot : null;
  if (root && styleSheet && !root.adoptedStyleSheets.includes(styleSheet)) root.adoptedStyleSheets.push(styleSheet);
}
