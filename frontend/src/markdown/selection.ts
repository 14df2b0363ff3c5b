/** Keeps the selection in a text whose nodes are replaced by others with the same text. */

interface Position {
  readonly node: Node;
  readonly offset: number;
}

/** Runs a change of the nodes in `element` that does not change its text, and restores the selection. */
export function keepSelection(element: Element, change: () => void): void {
  const selection = selectionIn(element.getRootNode());
  const range = selection ? rangeOf(selection, element.getRootNode()) : undefined;
  const start = range ? textOffset(element, range.startContainer, range.startOffset) : undefined;
  const end = range ? textOffset(element, range.endContainer, range.endOffset) : undefined;
  change();
  if (!range || range.collapsed || (start === undefined && end === undefined)) return;
  const from =
    start === undefined ? {node: range.startContainer, offset: range.startOffset} : findPosition(element, start);
  const to = end === undefined ? {node: range.endContainer, offset: range.endOffset} : findPosition(element, end);
  if (from && to) selection?.setBaseAndExtent(from.node, from.offset, to.node, to.offset);
}

/** Returns the selection: older browsers return one in a shadow root only from the root itself, if at all. */
function selectionIn(root: Node): Selection | undefined {
  const shadow = root as Node & {getSelection?: () => Selection | null};
  const selection = document.getSelection() ?? undefined;
  return selection && 'getComposedRanges' in selection ? selection : (shadow.getSelection?.() ?? selection);
}

function rangeOf(selection: Selection, root: Node): AbstractRange | undefined {
  if (root instanceof ShadowRoot && 'getComposedRanges' in selection) {
    // With all enclosing roots: otherwise the range would be reported relative to the outermost host.
    const [range] = selection.getComposedRanges({shadowRoots: rootsAround(root)});
    return range;
  }
  // A live range would move with the change.
  return selection.rangeCount > 0 ? new StaticRange(selection.getRangeAt(0)) : undefined;
}

function rootsAround(root: ShadowRoot): ShadowRoot[] {
  const outer = root.host.getRootNode();
  return [root, ...(outer instanceof ShadowRoot ? rootsAround(outer) : [])];
}

/** Returns the length of the text in `element` before a position. */
function textOffset(element: Element, container: Node, offset: number): number | undefined {
  if (!element.contains(container)) return undefined;
  const before = document.createRange();
  before.setStart(element, 0);
  before.setEnd(container, offset);
  return before.toString().length;
}

function findPosition(element: Element, offset: number): Position | undefined {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let left = offset;
  let last: Position | undefined;
  for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
    if (left <= node.length) return {node, offset: left};
    left -= node.length;
    last = {node, offset: node.length};
  }
  return last;
}
