/**
 * A set of numbers 0..size-1 that are given out, each to one owner. Dynamic picks prefer the numbers from `reserved`
 * up, so that explicit requests for low numbers rarely collide (KEP-3070 for addresses, KEP-3668 for node ports).
 * Memory follows what is taken, not the size; a pick looks at few numbers however full or empty the range is.
 */
export interface NumberRange {
  /** The owner of a number. */
  ownerOf(number: number): string | undefined;
  /** True when the number was free; it is the owner's from now on. */
  take(number: number, owner: string): boolean;
  /** The next free number from a random start in the upper band, then the lower one; `undefined` when full. */
  pick(owner: string): number | undefined;
  /** Gives a number back if this owner holds it. */
  release(number: number, owner: string): void;
  readonly taken: number;
}

const pageSize = 1024;

export function createNumberRange(options: { size: number; reserved: number; random: () => number }): NumberRange {
  const { size, reserved, random } = options;
  const owners = new Map<number, string>();
  const perPage = new Map<number, number>();

  function count(number: number, by: number): void {
    const page = Math.floor(number / pageSize);
    const next = (perPage.get(page) ?? 0) + by;
    if (next === 0) perPage.delete(page);
    else perPage.set(page, next);
  }

  /** The first free number in [from, to), passing over full pages. */
  function firstFree(from: number, to: number): number | undefined {
    let number = from;
    while (number < to) {
      const page = Math.floor(number / pageSize);
      if (perPage.get(page) === pageSize) number = (page + 1) * pageSize;
      else if (owners.has(number)) number += 1;
      else return number;
    }
    return undefined;
  }

  function firstFreeAround(from: number, to: number): number | undefined {
    if (from >= to) return undefined;
    const start = from + Math.floor(random() * (to - from));
    return firstFree(start, to) ?? firstFree(from, start);
  }

  const range: NumberRange = {
    ownerOf: (number) => owners.get(number),
    take(number, owner) {
      if (owners.has(number)) return false;
      owners.set(number, owner);
      count(number, 1);
      return true;
    },
    pick(owner) {
      if (owners.size >= size) return undefined;
      const number = firstFreeAround(reserved, size) ?? firstFreeAround(0, Math.min(reserved, size));
      if (number !== undefined) range.take(number, owner);
      return number;
    },
    release(number, owner) {
      if (owners.get(number) !== owner) return;
      owners.delete(number);
      count(number, -1);
    },
    get taken() {
      return owners.size;
    },
  };
  return range;
}
