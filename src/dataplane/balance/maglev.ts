import { hash } from "node:crypto";

/** A prime far above the number of members, as Envoy has it: shares differ by less than one in a hundred members' slots. */
const slots = 65_537;
/** How often a key looks elsewhere by its own step before the members are asked in turn. */
const probes = 64;

/**
 * Consistent hashing by a table in which every member has as many slots as any other (Eisenbud and others, "Maglev: A fast
 * and reliable software network load balancer", section 3.4). Shares are even, where those of a ring differ by a third; a
 * member that comes or goes moves little more than its own share of the keys. The same members give the same table in
 * every worker.
 */
export class Maglev {
  private readonly table: Uint32Array;
  private readonly members: number;

  constructor(members: readonly string[]) {
    this.members = members.length;
    this.table = new Uint32Array(members.length === 0 ? 0 : slots);
    if (members.length > 0) fill(this.table, members);
  }

  /** The member of a key, by position; one that `usable` does not accept is replaced by the key's next one. */
  find(key: string, usable: (member: number) => boolean): number | undefined {
    const { table, members } = this;
    if (members === 0) return undefined;
    const digest = hash("md5", key, "buffer");
    const step = 1 + (digest.readUInt32LE(4) % (slots - 1));
    let slot = digest.readUInt32LE(0) % slots;
    for (let probe = 0; probe < probes; probe += 1) {
      const owner = table[slot] ?? 0;
      if (usable(owner)) return owner;
      slot = (slot + step) % slots;
    }
    const first = step % members;
    for (let count = 0; count < members; count += 1) {
      const member = (first + count) % members;
      if (usable(member)) return member;
    }
    return undefined;
  }

  /** How many slots each member has, for tests of how even they are. */
  shares(): readonly number[] {
    const shares = Array.from({ length: this.members }, () => 0);
    for (const owner of this.table) shares[owner] = (shares[owner] ?? 0) + 1;
    return shares;
  }
}

/** Members take turns; each takes the next free slot of an order of its own. */
function fill(table: Uint32Array, members: readonly string[]): void {
  const free = 0xffffffff;
  table.fill(free);
  const at = new Uint32Array(members.length);
  const step = new Uint32Array(members.length);
  for (const [member, name] of members.entries()) {
    const digest = hash("md5", name, "buffer");
    at[member] = digest.readUInt32LE(0) % slots;
    step[member] = 1 + (digest.readUInt32LE(4) % (slots - 1));
  }
  for (let filled = 0; filled < slots;) {
    for (let member = 0; member < members.length && filled < slots; member += 1) {
      const own = step[member] ?? 1;
      let slot = at[member] ?? 0;
      while (table[slot] !== free) slot = (slot + own) % slots;
      table[slot] = member;
      at[member] = (slot + own) % slots;
      filled += 1;
    }
  }
}
