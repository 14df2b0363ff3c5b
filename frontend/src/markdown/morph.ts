/** Turns drawn nodes into others and leaves what stays the same alone: a selection in it, its pictures, what is open. */

/** Nodes that are not compared but known by a key, for example citations: they listen to clicks of their own. */
export type Keys = WeakMap<Node, string>;

export interface Morphed {
  readonly nodes: readonly ChildNode[];
  /** Nodes of before that nothing has taken the place of; they are still where they were. */
  readonly left: readonly ChildNode[];
}

/**
 * Makes `parent` show `fresh` in place of `before`, some of its last nodes or neighbours in it.
 *
 * @param sourceOf The text that an element was typeset from, `undefined` for others.
 */
export function morph(
  parent: ParentNode & Node,
  before: readonly ChildNode[],
  fresh: readonly ChildNode[],
  keys: Keys,
  sourceOf: (node: Node) => string | undefined,
): Morphed {
  const nodes: ChildNode[] = [];
  for (const [at, node] of fresh.entries()) {
    const old = before[at];
    if (old && become(old, node, keys, sourceOf)) {
      nodes.push(old);
      continue;
    }
    parent.insertBefore(node, old ?? nodes.at(-1)?.nextSibling ?? null);
    old?.remove();
    nodes.push(node);
  }
  return {nodes, left: before.slice(fresh.length)};
}

/** Whether `old` now shows what `node` does. */
function become(old: Node, node: Node, keys: Keys, sourceOf: (node: Node) => string | undefined): boolean {
  if (keys.has(old) || keys.has(node)) return keys.get(old) === keys.get(node);
  if (old instanceof Text && node instanceof Text) {
    changeText(old, node.data);
    return true;
  }
  if (!(old instanceof Element && node instanceof Element) || old.localName !== node.localName) return false;
  // What was copied says so for a while.
  if (old.isEqualNode(node) || (old.matches('.copy-code') && node.matches('.copy-code'))) return true;
  if (old.matches('.math') || node.matches('.math')) return (sourceOf(old) ?? old.textContent) === node.textContent;
  // What was coloured has other nodes, and the same text.
  const isSameCode = old.matches('code') && old.textContent === node.textContent;
  if (old.localName === 'img' || old.localName.includes('-')) return false;
  takeAttributes(old, node);
  if (isSameCode) return true;
  const {left} = morph(old, [...old.childNodes], [...node.childNodes], keys, sourceOf);
  for (const child of left) child.remove();
  return true;
}

function takeAttributes(old: Element, node: Element): void {
  for (const name of old.getAttributeNames()) {
    // Widths of columns are ours, and what a person has opened stays open.
    if (name !== 'style' && name !== 'open' && !node.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const {name, value} of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

/** Replaces only what is different: a selection that ends in the rest stays there. */
export function changeText(node: Text, text: string): void {
  const {data} = node;
  if (data === text) return;
  const shorter = Math.min(data.length, text.length);
  let start = 0;
  while (start < shorter && data[start] === text[start]) start += 1;
  let end = 0;
  while (end < shorter - start && data.at(-1 - end) === text.at(-1 - end)) end += 1;
  node.replaceData(start, data.length - start - end, text.slice(start, text.length - end));
}
