import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { renderProblem } from "#api/config/problem.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Client } from "#client/contract.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { startInformer } from "#client/informer.ts";
import { configKey, configMapKey, readPools } from "./config.ts";
import type { AddressPool } from "./pool.ts";

/** The pools there are: those of the flags, and those of ConfigMap `kube-system/load-balancer`. */
export interface FollowedPools {
  /** Resolves when the ConfigMap has been looked at for the first time. */
  readonly synced: Promise<void>;
  pools(): readonly AddressPool[];
  stop(): void;
}

export interface FollowPoolsOptions {
  readonly client: Client;
  readonly flags: readonly AddressPool[];
  readonly changed: () => void;
  readonly log: Log;
  readonly clock: Clock;
  /** Tells on the ConfigMap what became of a change; without it nothing is told. */
  readonly events?: EventRecorder;
}

/** A text that cannot be read leaves the pools as they were; without the ConfigMap there are only those of the flags. */
export function followPools({ client, flags, changed, log, clock, events }: FollowPoolsOptions): FollowedPools {
  const { namespace, name } = configMapKey;
  const scope = { namespace, fieldSelector: `metadata.name=${name}` };
  const maps = startInformer(client, "ConfigMap", { scope, log, clock });
  let pools = flags;
  let seen: string | undefined;

  function take(map: ConfigMap | undefined): void {
    const text = map?.data?.[configKey] ?? "";
    if (text === seen) return;
    seen = text;
    const read = readPools(text, flags);
    if (map !== undefined && read.problems.length > 0) {
      const why = read.problems.map(renderProblem).join("; ");
      log.warn({ why }, "the pools of outside addresses in the ConfigMap are not used");
      events?.warning(map, "InvalidAddressPools", `${why}; the pools stay as they were`);
      return;
    }
    pools = [...flags, ...read.pools];
    if (map !== undefined) {
      const names = read.pools.map(({ name }) => name).join(", ");
      events?.normal(map, "AddressPoolsApplied", `in use: ${names === "" ? "no pool" : names}`);
    }
    changed();
  }

  maps.onChange(({ after }) => take(after));
  return {
    synced: maps.synced,
    pools: () => pools,
    stop: () => maps.stop(),
  };
}
