/** Keeps what a person has selected in a text whose nodes are exchanged for others with the same text. */

interface Place {
  readonly node: Node;
  readonly offset: number;
}

/** Makes a change of the nodes in `element` that leaves its text as it is. */
export function keepSelection(element: Element, change: () => void): void {
  const selection = selectionIn(element.getRootNode());
  const range = selection ? rangeOf(selection, element.getRootNode()) : undefined;
  const start = range ? measure(element, range.startContainer, range.startOffset) : undefined;
  const end = range ? measure(element, range.endContainer, range.endOffset) : undefined;
  change();
  if (!range || range.collapsed || (start === undefined && end === undefined)) return;
  const from = start === undefined ? {node: range.startContainer, offset: range.startOffset} : find(element, start);
  const to = end === undefined ? {node: range.endContainer, offset: range.endOffset} : find(element, end);
  if (from && to) selection?.setBaseAndExtent(from.node, from.offset, to.node, to.offset);
}

/** Older browsers tell what is selected in a shadow root only if that is asked, and not all of them do. */
function selectionIn(root: Node): Selection | undefined {
  const own = root as Node & {getSelection?: () => Selection | null};
  const selection = document.getSelection() ?? undefined;
  return selection && 'getComposedRanges' in selection ? selection : (own.getSelection?.() ?? selection);
}

function rangeOf(selection: Selection, root: Node): AbstractRange | undefined {
  if (root instanceof ShadowRoot && 'getComposedRanges' in selection) {
    // Those around it too: else what is selected further in is told as its outermost host.
    const [range] = selection.getComposedRanges({shadowRoots: rootsAround(root)});
    return range;
  }
  // A live one would move with the change.
  return selection.rangeCount > 0 ? new StaticRange(selection.getRangeAt(0)) : undefined;
}

function rootsAround(root: ShadowRoot): ShadowRoot[] {
  const outer = root.host.getRootNode();
  return [root, ...(outer instanceof ShadowRoot ? rootsAround(outer) : [])];
}

/** How much of the text in `element` stands before a place in it. */
function measure(element: Element, container: Node, offset: number): number | undefined {
  if (!element.contains(container)) return undefined;
  const before = document.createRange();
  before.setStart(element, 0);
  before.setEnd(container, offset);
  return before.toString().length;
}

function find(element: Element, offset: number): Place | undefined {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let left = offset;
  let last: Place | undefined;
  for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
    if (left <= node.length) return {node, offset: left};
    left -= node.length;
    last = {node, offset: node.length};
  }
  return last;
}
