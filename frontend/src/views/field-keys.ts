/** Keys in the chat's fields: those that stay inside, and the Enter that only ends a composition. */

const NO_TEXT = 'input:is([type=checkbox], [type=radio], [type=button], [type=submit], [type=file], [type=range])';
/** Keys without a character of their own: the first half of an accent, or what an input method has taken. */
const UNNAMED = new Set(['Dead', 'Process', 'Unidentified']);

/** Keeps what is typed into a field below `root` from the page, whose shortcuts would answer it as well. */
export function guardFieldKeys(root: ShadowRoot): void {
  for (const name of ['keydown', 'keypress', 'keyup']) {
    root.addEventListener(name, event => {
      if (isTyping(event as KeyboardEvent)) event.stopPropagation();
    });
  }
  // Safari says by its key code alone that an Enter has ended a composition, and submits the form with it.
  root.addEventListener('keydown', event => holdComposedEnter(event as KeyboardEvent), {capture: true});
}

/** Whether the key writes, rather than that it means something to whatever is around the field. */
function isTyping(event: KeyboardEvent): boolean {
  const {key, ctrlKey, metaKey, altKey} = event;
  // With AltGr, which Windows calls Ctrl and Alt, characters are written.
  const isShortcut = metaKey || ((ctrlKey || altKey) && !event.getModifierState?.('AltGraph'));
  return !isShortcut && ([...key].length === 1 || UNNAMED.has(key)) && isField(event.composedPath()[0]);
}

function holdComposedEnter(event: KeyboardEvent): void {
  if (event.key !== 'Enter' || !(event.isComposing || event.keyCode === 229)) return;
  const [field] = event.composedPath();
  // The composer knows by itself what to do.
  if (!isField(field) || isComposer(field)) return;
  event.preventDefault();
  event.stopPropagation();
}

function isField(target: EventTarget | undefined): target is HTMLElement {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || (target.matches('input, textarea, select') && !target.matches(NO_TEXT));
}

function isComposer(field: Element): boolean {
  const root = field.getRootNode();
  return root instanceof ShadowRoot && root.host.localName === 'parlor-composer-field';
}

/** Whether a finger is what the person has: the keyboard is then most often one on the screen. */
export function isTouch(): boolean {
  return matchMedia('(pointer: coarse) and (hover: none)').matches;
}
