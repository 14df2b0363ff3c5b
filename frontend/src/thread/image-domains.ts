/** Origins that images in answers may come from: those allowed by the page, the server and the thread. */

export class ImageDomains {
  #lists: readonly (readonly string[])[] = [];
  #all: readonly string[] = [];

  /** Merges the lists. Returns the same array while they do not change, so that views need not render again. */
  join(...lists: readonly (readonly string[])[]): readonly string[] {
    if (lists.length === this.#lists.length && lists.every((list, at) => list === this.#lists[at])) return this.#all;
    this.#lists = lists;
    const all = [...new Set(lists.flat())];
    if (all.length !== this.#all.length || all.some((each, at) => each !== this.#all[at])) this.#all = all;
    return this.#all;
  }
}
