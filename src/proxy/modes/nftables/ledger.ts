import type { Element, SetName } from "./element.ts";

/** What a transaction has to delete and add so that the kernel holds what the owners claim. */
export interface ElementChange {
  readonly deletes: readonly Element[];
  readonly adds: readonly Element[];
}

/**
 * Who claims which element. Two owners may claim the same one: the same value is held until the last lets go; of two
 * values that of the owner whose name sorts first stands, whatever came first, so a restart changes nothing.
 */
export interface ElementLedger {
  /** Puts these in place of all that the owner claimed before. */
  claim(owner: string, elements: readonly Element[]): void;
  /** The difference to what was taken last. */
  take(): ElementChange;
  /** Everything claimed, as if nothing had been taken before. */
  takeAll(): readonly Element[];
  /** How many elements there are. */
  size(): number;
}

interface Claims {
  /** By owner; the smallest name stands. */
  readonly values: Map<string, string>;
}

export function createElementLedger(): ElementLedger {
  const sets = new Map<SetName, Map<string, Claims>>();
  const owned = new Map<string, readonly Element[]>();
  const touched = new Map<string, { readonly set: SetName; readonly key: string; readonly was: string | undefined }>();
  let count = 0;

  function valueOf(set: SetName, key: string): string | undefined {
    const values = sets.get(set)?.get(key)?.values;
    if (values === undefined) return undefined;
    let first: string | undefined;
    for (const owner of values.keys()) if (first === undefined || owner < first) first = owner;
    return first === undefined ? undefined : values.get(first);
  }

  function touch(set: SetName, key: string): void {
    const id = `${set} ${key}`;
    if (!touched.has(id)) touched.set(id, { set, key, was: valueOf(set, key) });
  }

  function put(owner: string, { set, key, value }: Element): void {
    touch(set, key);
    const elements = sets.get(set) ?? new Map<string, Claims>();
    sets.set(set, elements);
    const claims = elements.get(key);
    if (claims !== undefined) claims.values.set(owner, value);
    else {
      elements.set(key, { values: new Map([[owner, value]]) });
      count += 1;
    }
  }

  function drop(owner: string, { set, key }: Element): void {
    touch(set, key);
    const claims = sets.get(set)?.get(key);
    claims?.values.delete(owner);
    if (claims?.values.size !== 0) return;
    sets.get(set)?.delete(key);
    count -= 1;
  }

  return {
    claim(owner, elements) {
      for (const element of owned.get(owner) ?? []) drop(owner, element);
      for (const element of elements) put(owner, element);
      if (elements.length === 0) owned.delete(owner);
      else owned.set(owner, elements);
    },
    take() {
      const deletes: Element[] = [];
      const adds: Element[] = [];
      for (const { set, key, was } of touched.values()) {
        const value = valueOf(set, key);
        if (value === was) continue;
        if (was !== undefined) deletes.push({ set, key, value: was });
        if (value !== undefined) adds.push({ set, key, value });
      }
      touched.clear();
      return { deletes, adds };
    },
    takeAll() {
      touched.clear();
      const all: Element[] = [];
      for (const [set, elements] of sets) {
        for (const key of elements.keys()) all.push({ set, key, value: valueOf(set, key) ?? "" });
      }
      return all;
    },
    size: () => count,
  };
}
