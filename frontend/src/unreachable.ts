/** The compiler's proof that a `switch` has every case: reached at run time only through a wrong cast. */
export function unreachable(value: never): never {
  throw new TypeError(`Unhandled case: ${JSON.stringify(value)}`);
}
