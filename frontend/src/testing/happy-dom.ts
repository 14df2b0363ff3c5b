/** For tests only: makes happy-dom behave like browsers where our code or the sanitiser relies on it. Import first. */

/**
 * The sanitiser reads `nodeName` through the getter of `Node`, so that no page can shadow it. In happy-dom that getter
 * is a stub and the real ones sit further down; without this, nothing would be sanitised in tests.
 */
for (const name of ['nodeName', 'nodeType'] as const) {
  const stub = Object.getOwnPropertyDescriptor(Node.prototype, name);
  // Cached by prototype: the sanitiser reads it several times for each node.
  const known = new WeakMap<object, PropertyDescriptor>();
  const find = (kind: object | null): PropertyDescriptor => {
    for (let level = kind; level && level !== Node.prototype; level = Object.getPrototypeOf(level)) {
      const own = Object.getOwnPropertyDescriptor(level, name);
      if (own) return own;
    }
    return stub ?? {};
  };
  Object.defineProperty(Node.prototype, name, {
    configurable: true,
    get(this: Node): unknown {
      const kind: object | null = Object.getPrototypeOf(this);
      const own = (kind && known.get(kind)) ?? find(kind);
      if (kind) known.set(kind, own);
      return own.get ? own.get.call(this) : own.value;
    },
  });
}

/** happy-dom throws when `activeElement` is read from a shadow root while the focus is in another one. */
const focus = Object.getOwnPropertyDescriptor(ShadowRoot.prototype, 'activeElement');
Object.defineProperty(ShadowRoot.prototype, 'activeElement', {
  configurable: true,
  get(this: ShadowRoot): unknown {
    try {
      return focus?.get?.call(this);
    } catch {
      return null;
    }
  },
});

export {};
