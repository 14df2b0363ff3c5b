/** Origins of pictures in answers: what the page, the server and the thread allow, together. */

export class ImageDomains {
  #lists: readonly (readonly string[])[] = [];
  #all: readonly string[] = [];

  /** All of `lists` as one, which stays the same object as long as they do: what was drawn by it need not be drawn anew. */
  join(...lists: readonly (readonly string[])[]): readonly string[] {
    if (lists.length === this.#lists.length && lists.every((list, at) => list === this.#lists[at])) return this.#all;
    this.#lists = lists;
    const all = [...new Set(lists.flat())];
    if (all.length !== this.#all.length || all.some((each, at) => each !== this.#all[at])) this.#all = all;
    return this.#all;
  }
}
