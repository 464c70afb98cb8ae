import { rfc3339Micro, type Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Lease } from "#api/coordination/lease/kind.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { defaultElectionTimes, jitter, type ElectionTimes } from "./times.ts";

export interface ElectionOptions {
  client: Client;
  /** The Lease's namespace; `kube-system` when absent. */
  namespace?: string;
  /** The Lease there, and the component of its Events, e.g. `kube-controller-manager`. */
  name: string;
  /** Who this candidate is: unlike every other one. */
  identity: string;
  times?: ElectionTimes;
  clock: Clock;
  log: Log;
  /** 0 to 1, exclusive. */
  random?: () => number;
  /** Begins what only one may do; stopped when the place is lost. */
  lead: () => Promise<{ stop(): Promise<void> }>;
}

export interface RunningElection {
  isLeading(): boolean;
  /** Stops what it leads and gives its place away, so that another need not wait for the lease to end. */
  stop(): Promise<void>;
}

/**
 * Of all candidates for one Lease, lets one at a time do its work (upstream: client-go `tools/leaderelection`). Clocks of
 * machines may differ: that a lease has ended is told by how long this candidate itself has seen no change of it. A leader
 * that cannot renew stops before anybody can take over, provided that stopping takes less than `leaseDuration` -
 * `renewDeadline`.
 */
export function startElection(options: ElectionOptions): RunningElection {
  const { client, namespace = "kube-system", name, identity, clock, log } = options;
  const { times = defaultElectionTimes, random = Math.random } = options;
  const events = createEventRecorder(client, name, { clock, log });
  const key = { namespace, name };
  /** The Lease as last seen, and when it was first seen so. */
  let seen: { version: string; at: number } | undefined;
  let leading: { stop(): Promise<void> } | undefined;
  let isLeader = false;
  let over = false;
  let cancelTurn = () => {};
  let cancelDeadline = () => {};
  /** Taking up and laying down work go one after the other. */
  let work: Promise<void> = Promise.resolve();

  function hasEnded(lease: Lease): boolean {
    const version = lease.metadata.resourceVersion ?? "";
    if (seen?.version !== version) seen = { version, at: clock.monotonic() };
    const { holderIdentity = "", leaseDurationSeconds = 0 } = lease.spec ?? {};
    return holderIdentity === "" || clock.monotonic() >= seen.at + leaseDurationSeconds * 1000;
  }

  /** Whether the Lease is ours now. */
  async function acquire(): Promise<boolean> {
    const now = rfc3339Micro(clock.now());
    const mine = { holderIdentity: identity, leaseDurationSeconds: times.leaseDuration / 1000, renewTime: now };
    const lease = await client.get("Lease", key);
    if (lease === undefined) {
      await client.create("Lease", { metadata: key, spec: { ...mine, acquireTime: now, leaseTransitions: 0 } });
      return true;
    }
    const isMine = lease.spec?.holderIdentity === identity;
    if (!isMine && !hasEnded(lease)) return false;
    const { acquireTime = now, leaseTransitions = 0 } = lease.spec ?? {};
    const spec = isMine
      ? { ...mine, acquireTime, leaseTransitions }
      : { ...mine, acquireTime: now, leaseTransitions: leaseTransitions + 1 };
    await client.update("Lease", { ...lease, spec });
    return true;
  }

  async function turn(): Promise<void> {
    const begun = clock.monotonic();
    try {
      if (await acquire()) won(begun);
    } catch (error) {
      // Another was faster, or the API cannot be reached: the next turn tells.
      if (!isApiError(error, "Conflict", "AlreadyExists")) {
        log.warn({ lease: name, error: String(error) }, "the lease could not be asked for or renewed");
      }
    }
    const pause = isLeader ? times.retryPeriod : times.retryPeriod * (1 + random() * jitter);
    if (!over) cancelTurn = clock.after(pause, () => void turn());
  }

  /** The deadline counts from before the question: that is when others begin to count at the earliest. */
  function won(begun: number): void {
    cancelDeadline();
    if (over) return;
    cancelDeadline = clock.after(Math.max(0, begun + times.renewDeadline - clock.monotonic()), lost);
    if (isLeader) return;
    isLeader = true;
    log.info({ lease: name, identity }, "leads");
    void client.get("Lease", key).then(
      (lease) => lease && events.normal(lease, "LeaderElection", `${identity} became leader`),
      () => {},
    );
    work = work.then(takeUp);
  }

  function lost(): void {
    if (!isLeader) return;
    isLeader = false;
    log.warn({ lease: name, identity }, "could not renew its lease in time, and leads no more");
    work = work.then(layDown);
  }

  async function takeUp(): Promise<void> {
    if (!isLeader || over || leading !== undefined) return;
    try {
      leading = await options.lead();
    } catch (error) {
      log.error({ lease: name, error: String(error) }, "what the leader does could not be started");
      isLeader = false;
      cancelDeadline();
      await release();
    }
  }

  async function layDown(): Promise<void> {
    const before = leading;
    leading = undefined;
    try {
      await before?.stop();
    } catch (error) {
      log.error({ lease: name, error: String(error) }, "what the leader did could not be stopped");
    }
  }

  async function release(): Promise<void> {
    try {
      const lease = await client.get("Lease", key);
      if (lease === undefined || lease.spec?.holderIdentity !== identity) return;
      const now = rfc3339Micro(clock.now());
      const { leaseTransitions = 0 } = lease.spec;
      const spec = { holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions };
      await client.update("Lease", { ...lease, spec });
    } catch (error) {
      log.warn({ lease: name, error: String(error) }, "the lease could not be given away: it ends by itself");
    }
  }

  const first = turn();
  return {
    isLeading: () => isLeader,
    async stop() {
      over = true;
      cancelTurn();
      cancelDeadline();
      await first;
      cancelTurn();
      const had = isLeader;
      isLeader = false;
      await (work = work.then(layDown));
      if (had) await release();
      await events.flush();
    },
  };
}
