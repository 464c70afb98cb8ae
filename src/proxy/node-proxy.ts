import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { ModeDefinition } from "./definition.ts";
import { startProxy, type RunningProxy } from "./loop.ts";
import { createProxyMetrics } from "./metrics/proxy-metrics.ts";
import type { ProxyNode } from "./mode.ts";
import type { ServiceSource } from "./source.ts";

/** What the proxy of a node and family works by. */
export interface Work {
  readonly definition: ModeDefinition;
  readonly node: ProxyNode;
  readonly minSyncMs: number;
  readonly checkMs: number;
}

/** The proxy of one node and family, that can go over to another mode while it serves. */
export interface NodeProxy extends RunningProxy {
  /**
   * Resolves when the node is served so. Rejects when that is not reached in time; it is then served as before. The new
   * mode's rules are in force before the old mode's are removed.
   */
  change(work: Work): Promise<void>;
}

export interface NodeProxyDeps {
  readonly source: ServiceSource;
  readonly log: Log;
  readonly clock: Clock;
  readonly tampered: (damage: string) => void;
}

/** The longest a mode may take to put everything in force for the first time. */
const changeLimitMs = 60_000;

export function startNodeProxy(first: Work, { source, log, clock, tampered }: NodeProxyDeps): NodeProxy {
  const metrics = createProxyMetrics(clock.now(), first.node.family);
  const told = (damage: string) => {
    if (!isChanging) tampered(damage);
  };
  const start = ({ definition, node, minSyncMs, checkMs }: Work) => {
    const mode = definition.start(node, { log: log.child({ node: node.name }), clock });
    return startProxy({ source, node, mode, log, clock, minSyncMs, checkMs, metrics, tampered: told });
  };
  let work = first;
  let running = start(first);
  let tail: Promise<void> = Promise.resolve();
  let stopped = false;
  let isChanging = false;

  async function reach(candidate: RunningProxy): Promise<void> {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(changeLimitMs, () => {
        const why = candidate.problems()[0]?.message ?? `nothing was in force after ${changeLimitMs / 1000} s`;
        reject(new Error(`proxy mode ${candidate.mode}: ${why}`));
      });
    });
    try {
      await Promise.race([candidate.waitFor(source.table(work.node.family).revision), late]);
    } finally {
      cancel();
    }
  }

  async function changeTo(next: Work): Promise<void> {
    if (stopped || isDeepStrictEqual(next, work)) return;
    if (next.definition === work.definition) {
      // The same rules, under the same names: the next start takes them over.
      await running.stop();
      work = next;
      running = start(next);
      return reach(running);
    }
    const candidate = start(next);
    try {
      await reach(candidate);
    } catch (error) {
      await candidate.cleanup().catch(() => {});
      throw error;
    }
    const before = running;
    running = candidate;
    work = next;
    try {
      await before.cleanup();
    } catch (error) {
      log.warn({ node: next.node.name, mode: before.mode, error: String(error) }, "rules of the mode before are left");
    }
    // Modes may share chains: what the one took along on its way out is made again.
    isChanging = true;
    await running.look();
    isChanging = false;
  }

  const end = async (how: "stop" | "cleanup") => {
    stopped = true;
    await tail;
    await running[how]();
  };

  return {
    node: first.node.name,
    get mode() {
      return running.mode;
    },
    metrics,
    applied: () => running.applied(),
    async waitFor(revision) {
      for (;;) {
        const asked = running;
        try {
          return await asked.waitFor(revision);
        } catch (error) {
          // Where another mode takes over, that one will get there.
          await tail;
          if (asked === running) throw error;
        }
      }
    },
    problems: () => running.problems(),
    addresses: () => running.addresses(),
    freshness: () => running.freshness(),
    look: () => running.look(),
    change(wanted) {
      const done = tail.then(() => changeTo(wanted));
      tail = done.catch(() => {});
      return done;
    },
    stop: () => end("stop"),
    cleanup: () => end("cleanup"),
  };
}
