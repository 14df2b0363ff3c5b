/** Keeps keys typed into the chat's fields from the page, and the Enter that ends a composition from forms. */

const NON_TEXT_INPUTS =
  'input:is([type=checkbox], [type=radio], [type=button], [type=submit], [type=file], [type=range])';
/** Keys that type without naming a character: dead keys, and keys that an input method handles. */
const COMPOSING_KEYS = new Set(['Dead', 'Process', 'Unidentified']);

/** Keeps keys typed into a field below `root` from the page, where they could trigger shortcuts. */
export function guardFieldKeys(root: ShadowRoot): void {
  for (const name of ['keydown', 'keypress', 'keyup']) {
    root.addEventListener(name, event => {
      if (isTyping(event as KeyboardEvent)) event.stopPropagation();
    });
  }
  // In Safari only the key code shows that Enter has ended a composition, and it would submit the form.
  root.addEventListener('keydown', event => stopComposingEnter(event as KeyboardEvent), {capture: true});
}

/** Whether the key types into a field, rather than being a shortcut. */
function isTyping(event: KeyboardEvent): boolean {
  const {key, ctrlKey, metaKey, altKey} = event;
  // AltGr, which Windows reports as Ctrl and Alt, types characters.
  const isShortcut = metaKey || ((ctrlKey || altKey) && !event.getModifierState?.('AltGraph'));
  return !isShortcut && ([...key].length === 1 || COMPOSING_KEYS.has(key)) && isField(event.composedPath()[0]);
}

function stopComposingEnter(event: KeyboardEvent): void {
  if (event.key !== 'Enter' || !(event.isComposing || event.keyCode === 229)) return;
  const [field] = event.composedPath();
  // The composer handles this itself.
  if (!isField(field) || isComposer(field)) return;
  event.preventDefault();
  event.stopPropagation();
}

function isField(target: EventTarget | undefined): target is HTMLElement {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || (target.matches('input, textarea, select') && !target.matches(NON_TEXT_INPUTS));
}

function isComposer(field: Element): boolean {
  const root = field.getRootNode();
  return root instanceof ShadowRoot && root.host.localName === 'parlor-composer-field';
}

/** Whether the main pointer is a finger: the keyboard is then most likely on the screen. */
export function isTouch(): boolean {
  return matchMedia('(pointer: coarse) and (hover: none)').matches;
}
