import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { startDataplane } from "#dataplane/workers.ts";
import type { StreamEntry } from "#dataplane/table.ts";

// `node bench/dataplane/serve-streams.ts TCP-PORT TCP-ENDPOINT UDP-PORT UDP-ENDPOINT`: one worker with two streams, until it is
// ended.
const [tcpPort = 0, tcpEndpoint = 0, udpPort = 0, udpEndpoint = 0] = process.argv.slice(2).map(Number);

function stream(protocol: StreamEntry["protocol"], port: number, endpoint: number): readonly [string, StreamEntry] {
  const id = `${protocol}:${port}`;
  const endpoints = [{ address: "127.0.0.1", port: endpoint }];
  return [id, { id, protocol, port, target: { backend: id, endpoints, connectMs: 5000, idleMs: 60_000, tries: 3 } }];
}

const plane = await startDataplane({
  listeners: [{ host: "127.0.0.1", port: 0, tls: false }],
  workers: 1,
  log: silentLog,
  clock: systemClock,
});
await plane.apply({
  hosts: [],
  backends: [],
  certificates: [],
  streams: [stream("tcp", tcpPort, tcpEndpoint), stream("udp", udpPort, udpEndpoint)],
  revision: "1",
});
process.stdout.write("ready\n");
