/** For tests only: makes happy-dom's `Node` answer as browsers do, which the sanitiser relies on. Import it first. */

/**
 * The sanitiser reads `nodeName` through the getter of `Node`, so that no page can shadow it. In happy-dom that getter
 * is a stub and the real ones sit further down; without this, nothing would be sanitised in tests.
 */
for (const name of ['nodeName', 'nodeType'] as const) {
  const stub = Object.getOwnPropertyDescriptor(Node.prototype, name);
  Object.defineProperty(Node.prototype, name, {
    configurable: true,
    get(this: Node): unknown {
      let level: object | null = Object.getPrototypeOf(this);
      for (; level && level !== Node.prototype; level = Object.getPrototypeOf(level)) {
        const own = Object.getOwnPropertyDescriptor(level, name);
        if (own) return own.get ? own.get.call(this) : own.value;
      }
      return stub?.get?.call(this);
    },
  });
}

export {};
