/** Exhaustiveness check of a `switch`: reached at run time only after a wrong cast. */
export function unreachable(value: never): never {
  throw new TypeError(`Unhandled case: ${JSON.stringify(value)}`);
}
