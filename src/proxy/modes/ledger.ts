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

/** Who claims one element. Nearly always it is one owner alone, so that one stands by itself. */
interface Claim<Place extends string> {
  owner: string;
  element: LedgerElement<Place>;
  /** By owner: what the others claim. */
  rivals?: Map<string, LedgerElement<Place>> | undefined;
}

export function createElementLedger<Place extends string = string>(): ElementLedger<Place> {
  type Element = LedgerElement<Place>;
  const sets = new Map<Place, Map<string, Claim<Place>>>();
  const owned = new Map<string, readonly Element[]>();
  /** By front: its owner, or its owners where there are several. */
  const fronts = new Map<string, string | Set<string>>();
  const shared = new Set<string>();
  const touched = new Map<string, { readonly set: Place; readonly key: string; readonly was: string | undefined }>();
  /** Before all has been taken once there is nothing to differ from. */
  let wasTaken = false;

  function ownersOf(front: string): Iterable<string> {
    const owners = fronts.get(front) ?? [];
    return typeof owners === "string" ? [owners] : owners;
  }

  /** Whose the element is, which may be somebody who has its front and does not claim it. */
  function holderOf({ owner, element: { front }, rivals }: Claim<Place>): string | undefined {
    if (front === undefined) return rivals === undefined ? owner : first([owner, ...rivals.keys()]);
    const owners = fronts.get(front);
    return typeof owners === "string" ? owners : first(owners ?? []);
  }

  /** What is in effect of a claim. */
  function effectOf(claim: Claim<Place> | undefined): Element | undefined {
    if (claim === undefined) return undefined;
    const holder = holderOf(claim);
    return holder === claim.owner ? claim.element : claim.rivals?.get(holder ?? "");
  }

  function valueOf(set: Place, key: string): string | undefined {
    return effectOf(sets.get(set)?.get(key))?.value;
  }

  function touch(elements: readonly Element[]): void {
    for (const { set, key } of elements) {
      const id = `${set} ${key}`;
      if (!touched.has(id)) touched.set(id, { set, key, was: valueOf(set, key) });
    }
  }

  /** Whoever else claims a front may win or lose it by what comes next. */
  function touchRivals(owner: string, elements: readonly Element[]): void {
    for (const front of new Set(elements.map((element) => element.front))) {
      for (const rival of front === undefined ? [] : ownersOf(front)) {
        if (rival !== owner) touch((owned.get(rival) ?? []).filter((element) => element.front === front));
      }
    }
  }

  function put(owner: string, element: Element): void {
    const { set, key, front } = element;
    const claims = sets.get(set) ?? new Map<string, Claim<Place>>();
    if (claims.size === 0) sets.set(set, claims);
    const claim = claims.get(key);
    if (claim === undefined) claims.set(key, { owner, element });
    else if (claim.owner === owner) claim.element = element;
    else (claim.rivals ??= new Map()).set(owner, element);
    if (front === undefined) return;
    const owners = fronts.get(front);
    if (owners === undefined) fronts.set(front, owner);
    else if (owners !== owner) {
      fronts.set(front, typeof owners === "string" ? new Set([owners, owner]) : owners.add(owner));
      shared.add(front);
    }
  }

  function drop(owner: string, { set, key, front }: Element): void {
    const claim = sets.get(set)?.get(key);
    if (claim?.owner === owner) {
      const [next] = claim.rivals ?? [];
      if (next === undefined) sets.get(set)?.delete(key);
      else {
        [claim.owner, claim.element] = next;
        claim.rivals?.delete(claim.owner);
      }
    } else claim?.rivals?.delete(owner);
    if (claim?.rivals?.size === 0) claim.rivals = undefined;
    const owners = front === undefined ? undefined : fronts.get(front);
    if (front === undefined || owners === undefined) return;
    if (owners === owner) fronts.delete(front);
    if (typeof owners === "string" || !owners.delete(owner) || owners.size > 1) return;
    shared.delete(front);
    for (const last of owners) fronts.set(front, last);
  }

  function takeAll(): readonly Element[] {
    touched.clear();
    wasTaken = true;
    const all: Element[] = [];
    for (const claims of sets.values()) {
      for (const claim of claims.values()) {
        const element = effectOf(claim);
        if (element !== undefined) all.push(element);
      }
    }
    return all;
  }

  return {
    claim(owner, elements) {
      const before = owned.get(owner) ?? [];
      for (const changing of wasTaken ? [before, elements] : []) {
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
    ownerOf(set, key) {
      const claim = sets.get(set)?.get(key);
      return claim === undefined ? undefined : holderOf(claim);
    },
    contested: () =>
      [...shared].sort().map((front) => {
        const [winner = "", ...losers] = [...ownersOf(front)].sort();
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
