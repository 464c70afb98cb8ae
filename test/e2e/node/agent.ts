import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { createFakeClient } from "#client/fake.ts";
import { createTopology, startNodes } from "#node/start.ts";

// An agent of its own process, to be killed: gets its cluster id, its folder and its objects as arguments, and says how
// each pod stands whenever that changes.
const [clusterId = "", dataDir = "", objects = "[]"] = process.argv.slice(2);
const client = createFakeClient(JSON.parse(objects) as KubeObject[]);
const topology = await createTopology({ clusterId, nodeCount: 1 });
await startNodes({
  clientOf: () => client,
  topology,
  dataDir,
  socketPath: `${dataDir}/agent.sock`,
  clusterDomain: "cluster.local",
  dnsAddress: "10.96.0.10",
  nodeBinary: process.execPath,
  log: silentLog,
  clock: systemClock,
});
client.watch(
  "Pod",
  { since: "0" },
  {
    event: ({ object }) => console.log(JSON.stringify({ name: object.metadata.name, status: object.status })),
    end: () => {},
  },
);
