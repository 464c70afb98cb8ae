/** How long a node that is silent keeps an address, and how often a living one says that it lives. */
export const leaseSeconds = 6;
export const renewMs = 2_000;
/** A node waits this long for each one that comes before it. */
const turnMs = 300;

/** What a node sees of a Lease. Times are its own, so that clocks of other nodes do not matter (as client-go elects). */
export interface SeenLease {
  /** Empty when it was given back, or is not there. */
  readonly holder: string;
  readonly seconds: number;
  /** When it was last seen to change. */
  readonly changedAt: number;
}

export type Decision =
  /** It is free, or this node's and due: write it. */
  | { readonly act: "take" | "renew" }
  /** It is this node's and should not be. */
  | { readonly act: "give-back" }
  /** Nothing to do before so many ms have passed; for ever, when there is none. */
  | { readonly act: "wait"; readonly ms?: number };

export interface Election {
  readonly me: string;
  /** Who may have it, the best first. */
  readonly candidates: readonly string[];
  readonly lease: SeenLease;
  readonly now: number;
}

/** What a node does about one address now. Whoever has it keeps it while it may and lives. Pure. */
export function decide({ me, candidates, lease, now }: Election): Decision {
  const place = candidates.indexOf(me);
  if (lease.holder === me) {
    if (place === -1) return { act: "give-back" };
    const dueAt = lease.changedAt + renewMs;
    return now >= dueAt ? { act: "renew" } : { act: "wait", ms: dueAt - now };
  }
  if (place === -1) return { act: "wait" };
  const freeAt = lease.holder === "" ? lease.changedAt : lease.changedAt + lease.seconds * 1000;
  const turnAt = freeAt + place * turnMs;
  return now >= turnAt ? { act: "take" } : { act: "wait", ms: turnAt - now };
}
