/** Matches the components of a new tree with those of the old one: by id, key or name, wherever they are now. */
import {type AnyNode, childNodes, isRecord, nameOf, siblingKeys} from './nodes.js';

/** Components with state that the user can change. */
const STATEFUL_TYPES = /^(?:Checkbox|DatePicker|Input|ListView|RadioGroup|Select|Textarea|Text)$/;
/** Components that repeat: a field in one that has only a name may belong to another row in the next tree. */
const ROW_TYPES = /^(?:ListViewItem|Table\.Row)$/;

export interface TrackedComponent {
  readonly path: string;
  readonly type: string;
  readonly name: string;
  readonly node: AnyNode;
  /** The ancestors, nearest first, without the root. */
  readonly ancestors: readonly AnyNode[];
}

/** Collects the stateful components of a tree in order, with the paths under which they are rendered. */
export function trackComponents(widget: unknown): readonly TrackedComponent[] {
  const tracked: TrackedComponent[] = [];
  const walk = (children: unknown, parentPath: string, ancestors: readonly AnyNode[]): void => {
    const nodes = childNodes(children);
    const keys = siblingKeys(nodes);
    for (const [index, node] of nodes.entries()) {
      const path = `${parentPath}/${keys[index] ?? index}`;
      const spec = node.type === 'Text' && isRecord(node.editable) ? node.editable : node;
      if (STATEFUL_TYPES.test(node.type)) {
        tracked.push({path, type: node.type, name: nameOf(spec.name) ?? '', node, ancestors});
      }
      if (ancestors.length < 64) walk(node.children, path, parentPath === '' ? [] : [node, ...ancestors]);
    }
  };
  walk(widget, '', []);
  return tracked;
}

function markOf(node: AnyNode | undefined): string | undefined {
  return nameOf(node?.id) ?? nameOf(node?.key);
}

/** Computes a string that identifies a component, `undefined` if this kind of mark does not apply to it. */
type Mark = (tracked: TrackedComponent, isAlone: (ancestor: AnyNode, name: string) => boolean) => string | undefined;

/** Marks that identify a component, the most reliable first. */
const MARKS: readonly Mark[] = [
  ({node}) => nameOf(node.id),
  ({node}) => nameOf(node.key),
  ({ancestors, name}) => {
    const marked = ancestors.find(node => markOf(node) !== undefined && node.type !== 'Form');
    return marked && `${markOf(marked)} ${name}`;
  },
  // A form with a new key is a new form.
  ({ancestors, name}) =>
    ancestors.some(({type}) => ROW_TYPES.test(type))
      ? undefined
      : `${markOf(ancestors.find(({type}) => type === 'Form'))} ${name}`,
  // The content of the largest ancestor without another field of this name, as long as it is unchanged.
  ({ancestors, name, node}, isAlone) => {
    const firstShared = ancestors.findIndex(ancestor => !isAlone(ancestor, name));
    return JSON.stringify((firstShared < 0 ? ancestors.at(-1) : ancestors[firstShared - 1]) ?? node);
  },
  ({ancestors, path}) =>
    ancestors.some(({type}) => type === 'Form') && !ancestors.some(({type}) => ROW_TYPES.test(type)) ? path : undefined,
];

/** From this mark on, components with equal marks are matched by order, if there are as many as before. */
const FIRST_AMBIGUOUS_MARK = 4;

/** Returns the old path of every component that existed before, by its new path. */
export function matchComponents(
  before: readonly TrackedComponent[],
  after: readonly TrackedComponent[],
): ReadonlyMap<string, string> {
  const origins = new Map<string, string>();
  const matchedOld = new Set<string>();
  const [wasAlone, isAlone] = [buildIsAlone(before), buildIsAlone(after)];
  for (const [rank, mark] of MARKS.entries()) {
    if (origins.size === after.length || matchedOld.size === before.length) break;
    const oldGroups = groupBy(before, old => (matchedOld.has(old.path) ? undefined : mark(old, wasAlone)));
    const newGroups = groupBy(after, now => (origins.has(now.path) ? undefined : mark(now, isAlone)));
    for (const [key, newGroup] of newGroups) {
      const oldGroup = oldGroups.get(key) ?? [];
      if (newGroup.length !== oldGroup.length || (newGroup.length > 1 && rank < FIRST_AMBIGUOUS_MARK)) continue;
      for (const [index, {path}] of newGroup.entries()) {
        const oldPath = oldGroup[index]?.path ?? '';
        origins.set(path, oldPath);
        matchedOld.add(oldPath);
      }
    }
  }
  return origins;
}

/** Builds a function that tells whether a component contains at most one field of a name. */
function buildIsAlone(all: readonly TrackedComponent[]): (ancestor: AnyNode, name: string) => boolean {
  const counts = new Map<AnyNode, Map<string, number>>();
  for (const {ancestors, name} of all) {
    for (const ancestor of ancestors) {
      const byName = counts.get(ancestor) ?? new Map<string, number>();
      counts.set(ancestor, byName.set(name, (byName.get(name) ?? 0) + 1));
    }
  }
  return (ancestor, name) => (counts.get(ancestor)?.get(name) ?? 0) <= 1;
}

function groupBy(all: readonly TrackedComponent[], keyOf: (tracked: TrackedComponent) => string | undefined) {
  const groups = new Map<string, TrackedComponent[]>();
  for (const component of all) {
    const mark = keyOf(component);
    if (mark === undefined) continue;
    const key = `${component.type} ${mark}`;
    const group = groups.get(key);
    if (group) group.push(component);
    else groups.set(key, [component]);
  }
  return groups;
}
