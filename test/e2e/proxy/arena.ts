import { createFakeClient } from "#client/fake.ts";
import type { ProxyModeName, ProxyNode } from "#proxy/mode.ts";
import { startNodeProxies, type RunningProxies } from "#proxy/sync.ts";
import type { Ground } from "./ground.ts";
import { serviceOf, sliceOf, type Wanted } from "./objects.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";

/** One proxy mode at work on the ground, and how to change what it serves. */
export interface Arena {
  readonly mode: ProxyModeName;
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

export async function startArena(mode: ProxyModeName, ground: Ground): Promise<Arena> {
  const client = createFakeClient();
  const local: ProxyNode = { name: "node-1", addresses: [], podCidrs: [], serviceCidrs: [] };
  const nodes = mode === "userspace" ? [local] : ground.nodes;
  const start = () => startNodeProxies({ client, nodes, mode });
  let proxies = await start();

  return {
    mode,
    ground,
    get proxies() {
      return proxies;
    },
    async serve(wanted, change = (slice) => slice) {
      const service = serviceOf(wanted);
      const slice = change(sliceOf(wanted));
      const known = await client.get("Service", { namespace: "default", name: wanted.name });
      if (known === undefined) await client.create("Service", service);
      else await client.update("Service", service);
      const last =
        known === undefined ? await client.create("EndpointSlice", slice) : await client.update("EndpointSlice", slice);
      await proxies.waitFor(last.metadata.resourceVersion ?? "");
    },
    async remove(name) {
      await client.delete("EndpointSlice", { namespace: "default", name: `${name}-1` });
      await client.delete("Service", { namespace: "default", name });
    },
    place({ name, clusterIP, ports = [{ port: 80 }] }, by, index = 0) {
      const port = ports[index] ?? { port: 80 };
      if (mode !== "userspace") {
        if (by === "service") return { host: clusterIP, port: port.port };
        return { host: "172.30.0.11", port: port.nodePort ?? 0 };
      }
      const id = `default/${name}:${port.name ?? ""}/${port.protocol ?? "TCP"}`;
      const found = proxies.addresses("node-1").find((address) => address.id === id && address.by === by);
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
