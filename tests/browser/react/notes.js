/** What happens is recorded in `window.seen`. */
export function note(name, detail = null) {
  window.seen ??= [];
  window.seen.push(detail === null ? name : [name, detail]);
}
