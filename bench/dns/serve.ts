import { createSocket } from "node:dgram";
import type { Service } from "#api/core/service/kind.ts";
import { createFakeClient } from "#client/fake.ts";
import { startDns } from "#dns/start.ts";
import { addressOf, services, zone } from "./names.ts";

// Cluster DNS in a process of its own, as `fairlead up` runs it: names are compiled here and answered by workers. With
// no workers at all it only holds the objects, which the cluster has anyway: what the process weighs without DNS. `echo`
// only sends each packet back: what any server on this runtime costs.
const [role = "", upstreamPort = "0"] = process.argv.slice(2);

function serviceOf(index: number): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `web-${index}`, namespace: "dev" },
    spec: { clusterIP: addressOf(index), ports: [{ name: "http", port: 80 }] },
  };
}

async function serveNames(workers: number): Promise<number> {
  const objects = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "dev" } },
    ...Array.from({ length: services }, (_, index) => serviceOf(index)),
  ];
  const client = createFakeClient(objects);
  if (workers === 0) {
    // Held, as the API server holds them.
    process.on("message", () => void client.list("Service"));
    return 0;
  }
  const dns = await startDns({
    client,
    listen: [{ address: "127.0.0.1", port: 0 }],
    clusterDomain: zone,
    serviceAddresses: ["10.96.0.10"],
    upstreams: upstreamPort === "0" ? [] : [{ address: "127.0.0.1", port: Number(upstreamPort) }],
    settings: { workers },
  });
  await dns.waitFor(String(objects.length));
  return dns.addresses[0]?.port ?? 0;
}

async function serveEcho(): Promise<number> {
  const socket = createSocket({ type: "udp4", lookup: (host, _options, done) => done(null, host, 4) });
  socket.on("message", (packet, from) => {
    packet[2] = 0x80;
    socket.send(packet, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket.address().port;
}

const port = role === "echo" ? await serveEcho() : await serveNames(Number(role));
process.on("disconnect", () => process.exit());
process.send?.(port);
