/** Values under a second key, e.g. which hosts name a Service; empty keys go. */
export interface ManyIndex {
  readonly add: (key: string, value: string) => void;
  readonly remove: (key: string, value: string) => void;
  of(key: string): ReadonlySet<string>;
  has(key: string): boolean;
  keys(): IterableIterator<string>;
}

const none: ReadonlySet<string> = new Set();

export function createManyIndex(): ManyIndex {
  const found = new Map<string, Set<string>>();
  return {
    add(key, value) {
      const values = found.get(key);
      if (values === undefined) found.set(key, new Set([value]));
      else values.add(value);
    },
    remove(key, value) {
      const values = found.get(key);
      values?.delete(value);
      if (values?.size === 0) found.delete(key);
    },
    of: (key) => found.get(key) ?? none,
    has: (key) => found.has(key),
    keys: () => found.keys(),
  };
}
