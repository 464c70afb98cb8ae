import type { Service } from "#api/core/service/kind.ts";
import { createFakeClient } from "#client/fake.ts";
import { startDns } from "#dns/start.ts";
import { addressOf, services, zone } from "./names.ts";

// Cluster DNS in a process of its own, as `fairlead up` runs it: names are compiled here and answered by workers.
const [workers = 1, upstreamPort = 0] = process.argv.slice(2).map(Number);

function serviceOf(index: number): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `web-${index}`, namespace: "dev" },
    spec: { clusterIP: addressOf(index), ports: [{ name: "http", port: 80 }] },
  };
}

const objects = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "dev" } },
  ...Array.from({ length: services }, (_, index) => serviceOf(index)),
];
const dns = await startDns({
  client: createFakeClient(objects),
  listen: [{ address: "127.0.0.1", port: 0 }],
  clusterDomain: zone,
  serviceAddresses: ["10.96.0.10"],
  upstreams: upstreamPort === 0 ? [] : [{ address: "127.0.0.1", port: upstreamPort }],
  settings: { workers },
});
await dns.waitFor(String(objects.length));
process.on("disconnect", () => process.exit());
process.send?.(dns.addresses[0]?.port);
