/** Carries the user's changes in a widget over to a new tree: field values, errors, and what is open. */

import {restoreFields, snapshotFields} from './field-snapshots.js';
import {matchComponents, trackComponents} from './identity.js';
import type {Reconciliation} from './lazy-reconcile.js';

/** Snapshots the rendered tree, and moves the remembered state of its components to their new paths. */
export function reconcile(
  before: unknown,
  after: unknown,
  root: ParentNode,
  memory: Map<string, unknown>,
): Reconciliation {
  const origins = matchComponents(trackComponents(before), trackComponents(after));
  const snapshots = snapshotFields(root);
  const moves = [...origins].filter(([now, old]) => now !== old);
  for (const [key, value] of movedEntries(moves, memory)) {
    if (value === undefined) memory.delete(key);
    else memory.set(key, value);
  }
  return {
    moveErrors: errors =>
      new Map([...errors, ...movedEntries(moves, errors)].filter(([, error]) => error !== undefined)) as never,
    restore: sent => restoreFields(root, snapshots, origins, (path, value) => sent.has(path, value)),
  };
}

/** Returns the changes to a map by path after components have moved; undefined removes an entry. */
function movedEntries<V>(
  moves: readonly (readonly [string, string])[],
  entries: ReadonlyMap<string, V>,
): Map<string, V | undefined> {
  const changes = new Map<string, V | undefined>();
  const all = [...entries].map(([key, value]) => ({path: key.replace(/ (?:part|picker|problem)$/, ''), key, value}));
  const entriesAt = (old: string) => all.filter(({path}) => path === old);
  for (const [, old] of moves) for (const {key} of entriesAt(old)) changes.set(key, undefined);
  for (const [now, old] of moves)
    for (const {key, value} of entriesAt(old)) changes.set(now + key.slice(old.length), value);
  return changes;
}
