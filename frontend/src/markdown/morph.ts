/** Updates rendered nodes in place, so that unchanged parts keep their selection, images and open details. */

/** Nodes that are compared by a key instead of their content, for example citations with click listeners. */
export type Keys = WeakMap<Node, string>;

export interface MorphResult {
  readonly nodes: readonly ChildNode[];
  /** Old nodes that have no new counterpart; they are still in place. */
  readonly leftover: readonly ChildNode[];
}

/**
 * Replaces the consecutive children `before` of `parent` by `fresh`, keeping old nodes where possible.
 *
 * @param sourceOf Returns the source of a typeset element, `undefined` for others.
 */
export function morph(
  parent: ParentNode & Node,
  before: readonly ChildNode[],
  fresh: readonly ChildNode[],
  keys: Keys,
  sourceOf: (node: Node) => string | undefined,
): MorphResult {
  const nodes: ChildNode[] = [];
  for (const [at, node] of fresh.entries()) {
    const old = before[at];
    if (old && morphNode(old, node, keys, sourceOf)) {
      nodes.push(old);
      continue;
    }
    parent.insertBefore(node, old ?? nodes.at(-1)?.nextSibling ?? null);
    old?.remove();
    nodes.push(node);
  }
  return {nodes, leftover: before.slice(fresh.length)};
}

/** Changes `old` so that it equals `node`; false if it has to be replaced. */
function morphNode(old: Node, node: Node, keys: Keys, sourceOf: (node: Node) => string | undefined): boolean {
  if (keys.has(old) || keys.has(node)) return keys.get(old) === keys.get(node);
  if (old instanceof Text && node instanceof Text) {
    changeText(old, node.data);
    return true;
  }
  if (!(old instanceof Element && node instanceof Element) || old.localName !== node.localName) return false;
  // A copy button may currently show "Copied".
  if (old.isEqualNode(node) || (old.matches('.copy-code') && node.matches('.copy-code'))) return true;
  if (old.matches('.math') || node.matches('.math')) return (sourceOf(old) ?? old.textContent) === node.textContent;
  // Highlighted code has different nodes but the same text.
  const isSameCode = old.matches('code') && old.textContent === node.textContent;
  if (old.localName === 'img' || old.localName.includes('-')) return false;
  copyAttributes(old, node);
  if (isSameCode) return true;
  const {leftover} = morph(old, [...old.childNodes], [...node.childNodes], keys, sourceOf);
  for (const child of leftover) child.remove();
  return true;
}

function copyAttributes(old: Element, node: Element): void {
  for (const name of old.getAttributeNames()) {
    // `style` holds column widths that we have set, and `open` is the user's choice.
    if (name !== 'style' && name !== 'open' && !node.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const {name, value} of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

/** Replaces only the part of the text that differs, so that a selection in the rest is kept. */
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
