/** Style sheets of lazy parts, added to the shadow root of the widget that needs them. */
import type {CSSResult} from 'lit';
import type {WidgetHost} from './scope.js';

export function adoptStyles(host: WidgetHost, {styleSheet}: CSSResult): void {
  const root = host instanceof Element ? host.shadowRoot : null;
  if (root && styleSheet && !root.adoptedStyleSheets.includes(styleSheet)) root.adoptedStyleSheets.push(styleSheet);
}
