/** Which component of a new tree is which one of the tree before: by id, key or name, wherever it stands now. */
import {type AnyNode, childNodes, isRecord, nameOf, siblingKeys} from './nodes.js';

/** Whether a component keeps something that a person has done to it. */
const KEEPS = /^(?:Checkbox|DatePicker|Input|ListView|RadioGroup|Select|Textarea|Text)$/;
/** Components that are one among several like them: what has only a name there may belong to another one tomorrow. */
const ROWS = /^(?:ListViewItem|Table\.Row)$/;

export interface Tracked {
  readonly path: string;
  readonly type: string;
  readonly name: string;
  readonly node: AnyNode;
  /** The components around it, the nearest first, without the root. */
  readonly around: readonly AnyNode[];
}

/** The components that keep something, in the order of the tree, by the paths under which they are drawn. */
export function track(widget: unknown): readonly Tracked[] {
  const found: Tracked[] = [];
  const walk = (children: unknown, above: string, around: readonly AnyNode[]): void => {
    const nodes = childNodes(children);
    const keys = siblingKeys(nodes);
    for (const [index, node] of nodes.entries()) {
      const path = `${above}/${keys[index] ?? index}`;
      const spec = node.type === 'Text' && isRecord(node.editable) ? node.editable : node;
      if (KEEPS.test(node.type)) found.push({path, type: node.type, name: nameOf(spec.name) ?? '', node, around});
      if (around.length < 64) walk(node.children, path, above === '' ? [] : [node, ...around]);
    }
  };
  walk(widget, '', []);
  return found;
}

function markOf(node: AnyNode | undefined): string | undefined {
  return nameOf(node?.id) ?? nameOf(node?.key);
}

type Mark = (tracked: Tracked, isAlone: (around: AnyNode, name: string) => boolean) => string | undefined;

/** Marks by which a component is known, the surest first. */
const MARKS: readonly Mark[] = [
  ({node}) => nameOf(node.id),
  ({node}) => nameOf(node.key),
  ({around, name}) => {
    const marked = around.find(each => markOf(each) !== undefined && each.type !== 'Form');
    return marked && `${markOf(marked)} ${name}`;
  },
  // A form with a new key is a new form.
  ({around, name}) =>
    around.some(({type}) => ROWS.test(type))
      ? undefined
      : `${markOf(around.find(({type}) => type === 'Form'))} ${name}`,
  // What stands around it and holds nothing else of this name says who it is, as long as it says the same.
  ({around, name, node}, isAlone) => {
    const crowd = around.findIndex(each => !isAlone(each, name));
    return JSON.stringify((crowd < 0 ? around.at(-1) : around[crowd - 1]) ?? node);
  },
  ({around, path}) =>
    around.some(({type}) => type === 'Form') && !around.some(({type}) => ROWS.test(type)) ? path : undefined,
];

/** From here on, several that are alike are told apart by their order, unless one has come or gone. */
const FIRST_OF_LIKES = 4;

/** The old path of every component that was there before, by its new path. */
export function match(before: readonly Tracked[], after: readonly Tracked[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const taken = new Set<string>();
  const [wasAlone, isAlone] = [aloneIn(before), aloneIn(after)];
  for (const [rank, mark] of MARKS.entries()) {
    if (found.size === after.length || taken.size === before.length) break;
    const olds = groupBy(before, each => (taken.has(each.path) ? undefined : mark(each, wasAlone)));
    const news = groupBy(after, each => (found.has(each.path) ? undefined : mark(each, isAlone)));
    for (const [key, mine] of news) {
      const theirs = olds.get(key) ?? [];
      if (mine.length !== theirs.length || (mine.length > 1 && rank < FIRST_OF_LIKES)) continue;
      for (const [index, {path}] of mine.entries()) {
        const old = theirs[index]?.path ?? '';
        found.set(path, old);
        taken.add(old);
      }
    }
  }
  return found;
}

/** Tells whether a component holds no more than one field of a name. */
function aloneIn(all: readonly Tracked[]): (around: AnyNode, name: string) => boolean {
  const counts = new Map<AnyNode, Map<string, number>>();
  for (const {around, name} of all) {
    for (const each of around) {
      const own = counts.get(each) ?? new Map<string, number>();
      counts.set(each, own.set(name, (own.get(name) ?? 0) + 1));
    }
  }
  return (around, name) => (counts.get(around)?.get(name) ?? 0) <= 1;
}

function groupBy(all: readonly Tracked[], keyOf: (tracked: Tracked) => string | undefined) {
  const groups = new Map<string, Tracked[]>();
  for (const each of all) {
    const said = keyOf(each);
    if (said === undefined) continue;
    const key = `${each.type} ${said}`;
    const group = groups.get(key);
    if (group) group.push(each);
    else groups.set(key, [each]);
  }
  return groups;
}
