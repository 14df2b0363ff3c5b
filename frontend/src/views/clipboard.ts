/** Writes text to the clipboard, where the browser allows it. */

/**
 * Copies `text`; returns whether that succeeded. Browsers allow it in response to a user action only.
 *
 * @param place A node inside the view that was clicked: outside a modal dialog nothing can be selected.
 */
export async function copyText(text: string, place: ParentNode & Node): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The API is missing over plain HTTP, and may be forbidden in a frame.
    return copyFromField(text, place);
  }
}

function copyFromField(text: string, place: ParentNode & Node): boolean {
  const root = place.getRootNode() as Document | ShadowRoot;
  const focused = root.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.readOnly = true;
  field.setAttribute('aria-hidden', 'true');
  Object.assign(field.style, {position: 'fixed', inset: '0 auto auto 0', inlineSize: '1px', opacity: '0'});
  place.append(field);
  try {
    field.select();
    field.setSelectionRange(0, text.length);
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) focused.focus({preventScroll: true});
  }
}
