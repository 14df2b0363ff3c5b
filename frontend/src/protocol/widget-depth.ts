/**
 * How many levels of components a widget may have below its root. A Parlor server accepts no deeper one, so that all it
 * sends is drawn, updated and can be clicked; of other servers' widgets the rest is left out, before it fills the stack.
 */
export const MAX_WIDGET_DEPTH = 64;
