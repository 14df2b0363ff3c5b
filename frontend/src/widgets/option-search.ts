/** Finds options by typed text: by prefix for type-ahead, anywhere in the text for a search. */
import type {Option} from './control-parts.js';

/** Folds case and accents, which searches ignore. */
function foldText(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase();
}

/** Returns the options that contain every word of the query in label, description or value. */
export function findOptions(options: readonly Option[], query: string): readonly Option[] {
  const words = foldText(query).split(/\s+/).filter(Boolean);
  return options.filter(option => {
    const text = foldText(`${option.label} ${option.description} ${option.value}`);
    return words.every(word => text.includes(word));
  });
}

/** Returns the index of the option that starts with the typed letters, or -1; a repeated letter moves on. */
export function findTyped(options: readonly Option[], typed: string, active: number): number {
  const text = foldText(typed);
  const isRepeated = text !== '' && [...text].every(letter => letter === text[0]);
  const prefix = isRepeated ? text.slice(0, 1) : text;
  const start = isRepeated ? active + 1 : Math.max(0, active);
  for (let step = 0; step < options.length; step += 1) {
    const index = (start + step) % options.length;
    const option = options[index];
    if (option && !option.isDisabled && foldText(option.label).startsWith(prefix)) {
      return index;
    }
  }
  return -1;
}

/** Returns the enabled option nearest to `index + by`, first in that direction, then in the other; -1 for none. */
export function stepOption(options: readonly Option[], index: number, by: number): number {
  const direction = Math.sign(by) || 1;
  const target = Math.max(0, Math.min(options.length - 1, index + by));
  for (let at = target; at >= 0 && at < options.length; at += direction) {
    if (options[at]?.isDisabled === false) return at;
  }
  for (let at = target; at >= 0 && at < options.length; at -= direction) {
    if (options[at]?.isDisabled === false) return at;
  }
  return -1;
}
