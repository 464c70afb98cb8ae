/** One thing a mode puts into the kernel: what it holds under a key, in one of the places that the mode has names for. */
export interface LedgerElement<Place extends string = string> {
  readonly set: Place;
  readonly key: string;
  /** Empty where being there is all. */
  readonly value: string;
  /** The place clients reach, an address with a port or a node port, that the element is part of. */
  readonly front?: string;
}

/** What a transaction has to delete and add so that the kernel holds what the owners claim. */
export interface ElementChange<Place extends string = string> {
  readonly deletes: readonly LedgerElement<Place>[];
  readonly adds: readonly LedgerElement<Place>[];
}

/**
 * Who claims which element. An element without a front may have many owners and is held until the last lets go. A front,
 * with all its elements, belongs to one: to the owner whose name sorts first, whoever came first, so that a restart
 * changes nothing. The others have it when that one lets go.
 */
export interface ElementLedger<Place extends string = string> {
  /** Puts these in place of all that the owner claimed before. */
  claim(owner: string, elements: readonly LedgerElement<Place>[]): void;
  /** The difference to what was taken last. */
  take(): ElementChange<Place>;
  /** Everything in effect, as if nothing had been taken before. */
  takeAll(): readonly LedgerElement<Place>[];
  /** Whose an element in effect is; of several that share it, one. */
  ownerOf(set: Place, key: string): string | undefined;
  /** Fronts that more than one owner claims. */
  contested(): readonly { readonly front: string; readonly winner: string; readonly losers: readonly string[] }[];
}

interface Claims {
  readonly front: string | undefined;
  readonly values: Map<string, string>;
}

export function createElementLedger<Place extends string = string>(): ElementLedger<Place> {
  type Element = LedgerElement<Place>;
  const sets = new Map<Place, Map<string, Claims>>();
  const owned = new Map<string, readonly Element[]>();
  const fronts = new Map<string, Set<string>>();
  const shared = new Set<string>();
  const touched = new Map<string, { readonly set: Place; readonly key: string; readonly was: string | undefined }>();
  /** Before all has been taken once there is nothing to differ from. */
  let wasTaken = false;

  function ownerOf(set: Place, key: string): string | undefined {
    const claims = sets.get(set)?.get(key);
    if (claims === undefined) return undefined;
    return first(claims.front === undefined ? claims.values.keys() : (fronts.get(claims.front) ?? []));
  }

  function valueOf(set: Place, key: string): string | undefined {
    const holder = ownerOf(set, key);
    return holder === undefined ? undefined : sets.get(set)?.get(key)?.values.get(holder);
  }

  function touch(elements: readonly Element[]): void {
    if (!wasTaken) return;
    for (const { set, key } of elements) {
      const id = `${set} ${key}`;
      if (!touched.has(id)) touched.set(id, { set, key, was: valueOf(set, key) });
    }
  }

  /** Whoever else claims a front may win or lose it by what comes next. */
  function touchRivals(owner: string, elements: readonly Element[]): void {
    for (const front of new Set(elements.map((element) => element.front))) {
      for (const rival of (front === undefined ? undefined : fronts.get(front)) ?? []) {
        if (rival !== owner) touch((owned.get(rival) ?? []).filter((element) => element.front === front));
      }
    }
  }

  function put(owner: string, { set, key, value, front }: Element): void {
    const elements = sets.get(set) ?? new Map<string, Claims>();
    sets.set(set, elements);
    const claims = elements.get(key);
    if (claims === undefined) elements.set(key, { front, values: new Map([[owner, value]]) });
    else claims.values.set(owner, value);
    if (front === undefined) return;
    const owners = fronts.get(front);
    if (owners === undefined) fronts.set(front, new Set([owner]));
    else if (owners.add(owner).size > 1) shared.add(front);
  }

  function drop(owner: string, { set, key, front }: Element): void {
    const claims = sets.get(set)?.get(key);
    claims?.values.delete(owner);
    if (claims?.values.size === 0) sets.get(set)?.delete(key);
    const owners = front === undefined ? undefined : fronts.get(front);
    if (front === undefined || owners === undefined) return;
    owners.delete(owner);
    if (owners.size < 2) shared.delete(front);
    if (owners.size === 0) fronts.delete(front);
  }

  function takeAll(): readonly Element[] {
    touched.clear();
    wasTaken = true;
    const all: Element[] = [];
    for (const [set, elements] of sets) {
      for (const key of elements.keys()) {
        const value = valueOf(set, key);
        if (value !== undefined) all.push({ set, key, value });
      }
    }
    return all;
  }

  return {
    claim(owner, elements) {
      const before = owned.get(owner) ?? [];
      for (const changing of [before, elements]) {
        touch(changing);
        touchRivals(owner, changing);
      }
      for (const element of before) drop(owner, element);
      for (const element of elements) put(owner, element);
      if (elements.length === 0) owned.delete(owner);
      else owned.set(owner, elements);
    },
    take() {
      if (!wasTaken) return { deletes: [], adds: takeAll() };
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
    takeAll,
    ownerOf,
    contested: () =>
      [...shared].sort().map((front) => {
        const [winner = "", ...losers] = [...(fronts.get(front) ?? [])].sort();
        return { front, winner, losers };
      }),
  };
}

/** What has to change so that exactly the wanted stands there. */
export function diffElements<P extends string>(
  found: readonly LedgerElement<P>[],
  wanted: readonly LedgerElement<P>[],
): ElementChange<P> {
  const idOf = ({ set, key }: LedgerElement<P>) => `${set} ${key}`;
  const missing = new Map(wanted.map((element) => [idOf(element), element]));
  const deletes: LedgerElement<P>[] = [];
  for (const element of found) {
    const id = idOf(element);
    // What stands twice is found wanted once.
    if (missing.get(id)?.value === element.value) missing.delete(id);
    else deletes.push(element);
  }
  return { deletes, adds: [...missing.values()] };
}

function first(names: Iterable<string>): string | undefined {
  let found: string | undefined;
  for (const name of names) if (found === undefined || name < found) found = name;
  return found;
}
