/**
 * Maximum depth of components below the root of a widget. A Parlor server rejects deeper widgets, so that everything it
 * sends is rendered; deeper levels of other servers' widgets are left out, before the recursion exhausts the stack.
 */
export const MAX_WIDGET_DEPTH = 64;
