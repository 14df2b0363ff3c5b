/** Matches the deeds of a person in a tree with the next one: fields, their remarks, and what is open. */
import {match, track} from './identity.js';
import {keepFields, restoreFields} from './kept-fields.js';
import type {Carried} from './lazy-carrying.js';

/** Looks at the tree that is drawn, and moves what is remembered of its components to their new paths. */
export function carry(before: unknown, after: unknown, root: ParentNode, memory: Map<string, unknown>): Carried {
  const origins = match(track(before), track(after));
  const kept = keepFields(root);
  const moves = [...origins].filter(([now, old]) => now !== old);
  for (const [key, value] of movedTo(moves, memory)) {
    if (value === undefined) memory.delete(key);
    else memory.set(key, value);
  }
  return {
    moved: errors =>
      new Map([...errors, ...movedTo(moves, errors)].filter(([, error]) => error !== undefined)) as never,
    restore: sent => restoreFields(root, kept, origins, (path, value) => sent.has(path, value)),
  };
}

/** Changes of a map by path after components have moved; undefined where one stood before. */
function movedTo<V>(
  moves: readonly (readonly [string, string])[],
  known: ReadonlyMap<string, V>,
): Map<string, V | undefined> {
  const changes = new Map<string, V | undefined>();
  const all = [...known].map(([key, value]) => ({path: key.replace(/ (?:part|picker|problem)$/, ''), key, value}));
  const by = (old: string) => all.filter(({path}) => path === old);
  for (const [, old] of moves) for (const {key} of by(old)) changes.set(key, undefined);
  for (const [now, old] of moves) for (const {key, value} of by(old)) changes.set(now + key.slice(old.length), value);
  return changes;
}
