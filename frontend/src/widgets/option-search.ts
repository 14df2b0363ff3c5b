/** Finding options by what is typed: from their beginning as type-ahead, anywhere in a search. */
import type {Option} from './control-parts.js';

/** Case and accents do not count. */
function folded(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase();
}

/** The options with every word of the query in label, description or value. */
export function findOptions(options: readonly Option[], query: string): readonly Option[] {
  const words = folded(query).split(/\s+/).filter(Boolean);
  return options.filter(option => {
    const text = folded(`${option.label} ${option.description} ${option.value}`);
    return words.every(word => text.includes(word));
  });
}

/** The index of the option that typed letters mean, searched from behind the active one; one letter again walks on. */
export function findTyped(options: readonly Option[], typed: string, active: number): number {
  const text = folded(typed);
  const isRepeated = text !== '' && [...text].every(letter => letter === text[0]);
  const prefix = isRepeated ? text.slice(0, 1) : text;
  const start = isRepeated ? active + 1 : Math.max(0, active);
  for (let step = 0; step < options.length; step += 1) {
    const index = (start + step) % options.length;
    const option = options[index];
    if (option && !option.isDisabled && folded(option.label).startsWith(prefix)) {
      return index;
    }
  }
  return -1;
}

/** The nearest enabled option from `index` on in that direction, else the last one passed; -1 when there is none. */
export function stepOption(options: readonly Option[], index: number, by: number): number {
  const direction = Math.sign(by) || 1;
  const wished = Math.max(0, Math.min(options.length - 1, index + by));
  for (let at = wished; at >= 0 && at < options.length; at += direction) {
    if (options[at]?.isDisabled === false) return at;
  }
  for (let at = wished; at >= 0 && at < options.length; at -= direction) {
    if (options[at]?.isDisabled === false) return at;
  }
  return -1;
}
