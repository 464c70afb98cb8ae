import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { startDataplane } from "#dataplane/workers.ts";

// `node bench/dataplane-serve.ts PORT BACKEND-PORT [ACCESS-LOG]`: one worker in front of one endpoint, until it is ended.
const [port = "0", endpoint = "0", accessLog] = process.argv.slice(2);
const plane = await startDataplane({
  listeners: [{ host: "127.0.0.1", port: Number(port), tls: false }],
  workers: 1,
  log: silentLog,
  clock: systemClock,
  ...(accessLog === undefined ? {} : { accessLog: { path: accessLog, format: "line" } as const }),
  // nginx runs with a keep-alive limit out of reach too.
  limits: { requestsPerConnection: 1e9 },
});
await plane.apply({
  hosts: [
    [
      "*",
      {
        name: "*",
        routes: [
          {
            id: "bench",
            match: { type: "prefix", path: "/" },
            filters: [],
            target: { type: "backend", backend: "bench" },
            timeouts: { connectMs: 5000, readMs: 60_000, sendMs: 60_000 },
            maxBodyBytes: 1 << 20,
          },
        ],
      },
    ],
  ],
  backends: [
    [
      "bench",
      {
        id: "bench",
        protocol: "http",
        balance: "round-robin",
        endpoints: [{ address: "127.0.0.1", port: Number(endpoint) }],
        tries: 3,
      },
    ],
  ],
  certificates: [],
  revision: "1",
});
process.stdout.write("ready\n");
