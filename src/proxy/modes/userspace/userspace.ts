import { formatEndpoint, type Family } from "#base/cidr.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Problem } from "#routing/because.ts";
import { selectForNode } from "#routing/l4/select.ts";
import type { ServicePortEntry } from "#routing/l4/table.ts";
import type { ProxyMode, ProxyNode, ServedAddress } from "../../mode.ts";
import type { Listener } from "./listener.ts";
import { createPicker, type Picker } from "./picker.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp } from "./udp.ts";

export interface UserspaceMode extends ProxyMode {
  addresses(): readonly ServedAddress[];
  /** Places that could not be listened on, and protocols this mode has no relay for. */
  problems(): readonly Problem[];
}

interface Served {
  entry: ServicePortEntry;
  readonly internal: Picker;
  readonly external: Picker;
  readonly listeners: Map<string, { readonly by: ServedAddress["by"]; readonly listener: Listener }>;
  problems: Problem[];
}

/** Where stand-ins for cluster IPs listen. */
const loopbacks = { 4: "127.0.0.1", 6: "::1" } as const satisfies Record<Family, string>;

/**
 * Relays in this process, one listener for each service port on a free local port and one for each node port on the
 * node's addresses. Endpoints see the node as their client; source ranges do not apply, since their addresses are not
 * served. Connections that are open stay with their endpoint when the table changes.
 */
export function startUserspace(node: ProxyNode, deps: { readonly log: Log; readonly clock?: Clock }): UserspaceMode {
  const { log, clock = systemClock } = deps;
  const loopback = loopbacks[node.family ?? 4];
  const served = new Map<string, Served>();

  async function listen(item: Served, by: ServedAddress["by"], address: string, port: number): Promise<void> {
    const key = `${by} ${address} ${port}`;
    if (item.listeners.has(key)) return;
    const picker = by === "service" ? item.internal : item.external;
    try {
      const isUdp = item.entry.protocol === "UDP";
      const listener = await (isUdp ? listenUdp(address, port, picker, clock) : listenTcp(address, port, picker));
      item.listeners.set(key, { by, listener });
    } catch (error) {
      problem(
        item,
        "cannot-listen",
        `cannot listen on ${formatEndpoint(address, port)}: ${String(error)}; free the port`,
      );
    }
  }

  function problem(item: Served, code: string, what: string): void {
    const { namespace, name, id } = item.entry;
    item.problems.push({ at: { kind: "Service", namespace, name }, code, message: `service port ${id}: ${what}` });
    log.warn({ service: id, code }, what);
  }

  async function put(entry: ServicePortEntry): Promise<void> {
    const item = served.get(entry.id) ?? {
      entry,
      internal: createPicker(clock),
      external: createPicker(clock),
      listeners: new Map(),
      problems: [],
    };
    served.set(entry.id, item);
    item.entry = entry;
    item.problems = [];
    const { internal, external } = selectForNode(entry, node);
    item.internal.set(internal, entry.affinitySeconds);
    item.external.set(external, entry.affinitySeconds);
    for (const { listener } of item.listeners.values()) listener.changed();
    if (entry.protocol === "SCTP") {
      problem(item, "no-sctp", "the userspace mode relays TCP and UDP; use nftables for SCTP");
      return;
    }
    await listen(item, "service", loopback, 0);
    const wanted = entry.nodePort === 0 ? [] : [...new Set([loopback, ...node.addresses])];
    for (const [key, { by, listener }] of item.listeners) {
      if (by !== "nodePort" || (listener.port === entry.nodePort && wanted.includes(listener.address))) continue;
      item.listeners.delete(key);
      await listener.close();
    }
    for (const address of wanted) await listen(item, "nodePort", address, entry.nodePort);
  }

  async function remove(id: string): Promise<void> {
    const item = served.get(id);
    served.delete(id);
    await Promise.all([...(item?.listeners.values() ?? [])].map(({ listener }) => listener.close()));
  }

  const end = async () => {
    await Promise.all([...served.keys()].map((id) => remove(id)));
  };

  return {
    name: "userspace",
    async apply(diff) {
      const start = clock.monotonic();
      // What goes frees its node port before another may take it.
      for (const { id } of diff.removed) await remove(id);
      const present = [...diff.changed.map(({ after }) => after), ...diff.added];
      for (const entry of present) await put(entry);
      const changes = diff.removed.length + present.length;
      return { revision: diff.revision, changes, ms: clock.monotonic() - start };
    },
    addresses: () =>
      [...served]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([id, { entry, listeners }]) =>
          [...listeners.values()].map(({ by, listener: { address, port } }) => {
            return { id, protocol: entry.protocol, address, port, by };
          }),
        ),
    problems: () => [...served.values()].flatMap(({ problems }) => problems),
    stop: end,
    cleanup: end,
  };
}
