import { readFileSync } from "node:fs";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { startDataplane } from "#dataplane/workers.ts";

// `node bench/dataplane-serve.ts PORT BACKEND-PORT [TLS-PORT KEY CERT [ACCESS-LOG]]`: one worker in front of one endpoint,
// until it is ended.
const [port = "0", endpoint = "0", tlsPort, key = "", cert = "", accessLog] = process.argv.slice(2);
const listener = (port: string, tls: boolean) => ({ host: "127.0.0.1", port: Number(port), tls });
const plane = await startDataplane({
  listeners: [listener(port, false), ...(tlsPort === undefined ? [] : [listener(tlsPort, true)])],
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
      },
    ],
  ],
  certificates:
    tlsPort === undefined
      ? []
      : [["bench", { id: "bench", cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") }]],
  defaultCertificate: tlsPort === undefined ? undefined : "bench",
  revision: "1",
});
process.stdout.write("ready\n");
