import type { Client } from "#client/contract.ts";
import { startNodeProxies } from "#proxy/sync.ts";
import type { ServerParts } from "./server.ts";

/** The service proxy without root: relays in this process, on local ports. */
export interface RunningUserspace {
  /** One line for each service port: where it is reached. */
  notices(): readonly string[];
  stop(): Promise<void>;
}

export async function startUserspace({ options, log }: ServerParts, client: Client): Promise<RunningUserspace> {
  const node = { name: "local", addresses: ["127.0.0.1"], podCidrs: [], serviceCidrs: [] };
  const proxies = await startNodeProxies({
    client,
    nodes: [node],
    mode: "userspace",
    serviceCidr: options.serviceCidr,
    podCidr: options.podCidr,
    log: log.child({ part: "proxy" }),
  });
  return {
    notices: () =>
      proxies.addresses("local").map(({ id, address, port }) => `service ${id} is reached at ${address}:${port}`),
    stop: () => proxies.stop(),
  };
}
