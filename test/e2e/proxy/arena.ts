import type { KindTypes } from "#api/types.ts";
import type { New } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import type { ProxySettings } from "#proxy/config/settings.ts";
import type { ProxyModeName, ProxyNode } from "#proxy/mode.ts";
import { startNodeProxies, type RunningProxies } from "#proxy/sync.ts";
import type { Family } from "#base/cidr.ts";
import { families, plans, type Ground, type Plan } from "./ground.ts";
import { familyOf, serviceOf, sliceOf, type Wanted } from "./objects.ts";
import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";

/** One proxy mode at work on the ground, and how to change what it serves. */
export interface Arena {
  readonly mode: ProxyModeName;
  /** That of the case that runs; the proxies serve both. */
  readonly family: Family;
  readonly plan: Plan;
  readonly ground: Ground;
  readonly proxies: RunningProxies;
  /** Creates or replaces a Service with its slice; resolves when every node serves it. */
  serve(wanted: Wanted, change?: (slice: EndpointSlice) => EndpointSlice): Promise<void>;
  remove(name: string): Promise<void>;
  /** Where a client finds a service port in this mode. */
  place(wanted: Wanted, by: "service" | "nodePort", index?: number): { host: string; port: number };
  tcp(from: string, place: { host: string; port: number }, count?: number): Promise<string[]>;
  udp(from: string, place: { host: string; port: number }, localPort?: number): Promise<string>;
  /** Ends the proxies and starts new ones over the same objects, as a new process would. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** `told`: what a configuration says besides the mode. */
export async function startArena(
  mode: ProxyModeName,
  ground: Ground,
  told: Partial<ProxySettings> = {},
): Promise<Arena> {
  const client = createFakeClient();
  const serviceCidrs = families.map((family) => plans[family].serviceCidr);
  const local: ProxyNode = { name: "node-1", addresses: [], podCidrs: [], serviceCidrs };
  const nodes = mode === "userspace" ? [local] : ground.nodes;
  const settings: ProxySettings = { mode, minSyncMs: 1, syncMs: 30_000, faces: {}, ...told };
  const start = () => startNodeProxies({ client, nodes, settings });
  let proxies = await start();

  async function put<K extends "Service" | "EndpointSlice">(
    kind: K,
    object: KindTypes[K] & New<KindTypes[K]>,
  ): Promise<string> {
    const known = await client.get(kind, object.metadata);
    const stored = await (known === undefined ? client.create(kind, object) : client.update(kind, object));
    return stored.metadata.resourceVersion ?? "";
  }

  return {
    mode,
    family: 4,
    plan: plans[4],
    ground,
    get proxies() {
      return proxies;
    },
    async serve(wanted, change = (slice) => slice) {
      const service = serviceOf(wanted);
      const others = wanted.secondIP === undefined ? [] : [sliceOf({ ...wanted, clusterIP: wanted.secondIP })];
      let revision = await put("Service", service);
      for (const slice of [change(sliceOf(wanted)), ...others]) revision = await put("EndpointSlice", slice);
      await proxies.waitFor(revision);
    },
    async remove(name) {
      for (const { metadata } of (await client.list("EndpointSlice")).items) {
        if (metadata.labels?.[serviceNameLabel] === name) await client.delete("EndpointSlice", metadata);
      }
      await client.delete("Service", { namespace: "default", name });
    },
    place({ name, clusterIP, ports = [{ port: 80 }] }, by, index = 0) {
      const port = ports[index] ?? { port: 80 };
      if (mode !== "userspace") {
        if (by === "service") return { host: clusterIP, port: port.port };
        return { host: plans[familyOf({ clusterIP })].nodes["node-1"], port: port.nodePort ?? 0 };
      }
      const id = `default/${name}:${port.name ?? ""}/${port.protocol ?? "TCP"}`;
      const isIPv6 = familyOf({ clusterIP }) === 6;
      const found = proxies
        .addresses("node-1")
        .find((served) => served.id === id && served.by === by && served.address.includes(":") === isIPv6);
      if (found === undefined) throw new Error(`${id} is served nowhere`);
      return { host: found.address, port: found.port };
    },
    tcp: async (from, place, count = 1) => (await ground.ask(from, { ask: "tcp", ...place, count })) as string[],
    async udp(from, place, localPort = 0) {
      const [answer = ""] = (await ground.ask(from, { ask: "udp", ...place, localPort })) as string[];
      return answer;
    },
    async restart() {
      const wanted = (await client.list("EndpointSlice")).resourceVersion;
      await proxies.stop();
      proxies = await start();
      await proxies.waitFor(wanted);
    },
    stop: () => proxies.cleanup(),
  };
}

/** The same arena for cases of one family. */
export function inFamily(arena: Arena, family: Family): Arena {
  // `proxies` is another after a restart.
  return Object.assign(Object.create(arena) as Arena, { family, plan: plans[family] });
}
