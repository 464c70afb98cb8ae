import { hash } from "node:crypto";

/** As ketama: enough that members get even shares. */
const pointsAMember = 160;

/**
 * Consistent hashing: a key belongs to the member whose point on a ring follows it, so that a member that comes or goes
 * moves only its own share of the keys. The same members give the same ring in every worker.
 */
export class Ring {
  private readonly points: Uint32Array;
  private readonly owners: Uint32Array;

  constructor(members: readonly string[]) {
    const all: { readonly point: number; readonly owner: number }[] = [];
    for (const [owner, member] of members.entries()) {
      for (let block = 0; block < pointsAMember / 4; block += 1) {
        const digest = hash("md5", `${member} ${block}`, "buffer");
        for (let at = 0; at < 16; at += 4) all.push({ point: digest.readUInt32LE(at), owner });
      }
    }
    all.sort((a, b) => a.point - b.point || a.owner - b.owner);
    this.points = Uint32Array.from(all, ({ point }) => point);
    this.owners = Uint32Array.from(all, ({ owner }) => owner);
  }

  /** The member of a key, by position: the first on the ring that `usable` accepts. */
  find(key: string, usable: (member: number) => boolean): number | undefined {
    const { points, owners } = this;
    const start = this.position(hash("md5", key, "buffer").readUInt32LE(0));
    for (let step = 0; step < points.length; step += 1) {
      const owner = owners[(start + step) % points.length] ?? 0;
      if (usable(owner)) return owner;
    }
    return undefined;
  }

  private position(point: number): number {
    const { points } = this;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((points[middle] ?? 0) < point) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
