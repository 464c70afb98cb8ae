import type { Log } from "#base/log.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import type { ObjectChange } from "#routing/names/compile.ts";
import { queryLogMessage } from "./query-log.ts";

/** Which pod has which address, for the log of questions. */
export interface Clients {
  pod(change: ObjectChange<Pod>): void;
  /** `namespace/name`, or `undefined` for what is no pod of this cluster. */
  at(address: string): string | undefined;
  clear(): void;
}

export function createClients(): Clients {
  const pods = new Map<string, string>();
  return {
    pod({ before, after }) {
      // An address may already belong to the next pod.
      if (before !== undefined)
        for (const ip of addressesOf(before)) if (pods.get(ip) === keyOf(before)) pods.delete(ip);
      if (after !== undefined) for (const ip of addressesOf(after)) pods.set(ip, keyOf(after));
    },
    at: (address) => pods.get(address),
    clear: () => pods.clear(),
  };
}

/** Pods on the node's own network share its address, and ended pods have given theirs back. */
function addressesOf({ spec, status }: Pod): string[] {
  if (spec.hostNetwork === true || status?.phase === "Succeeded" || status?.phase === "Failed") return [];
  const all = status?.podIPs?.map(({ ip }) => ip) ?? [];
  return all.length > 0 ? all : status?.podIP ? [status.podIP] : [];
}

/** The log, with the asking pod's name added to the lines about questions. */
export function logWithClients(log: Log, clients: Clients): Log {
  return {
    // One by one: a log may have its functions from elsewhere than itself.
    debug: (fields, message) => log.debug(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    child: (fields) => logWithClients(log.child(fields), clients),
    info(fields, message) {
      const { client } = fields as { client?: unknown };
      const pod = message === queryLogMessage && typeof client === "string" ? clients.at(client) : undefined;
      log.info(pod === undefined ? fields : { ...fields, pod }, message);
    },
  };
}
