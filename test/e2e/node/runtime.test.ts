import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { createTopology, inspectLeftovers, removeTopology, type TopologyNode } from "#node/network/topology.ts";
import { inspectPodLeftovers, removeAllPods } from "#node/runtime/process/clear.ts";
import { layoutOf } from "#node/runtime/process/layout.ts";
import { createProcessRuntime } from "#node/runtime/process/runtime.ts";
import { runtimeSuite } from "../../conformance/runtime/suite.ts";
import { whyNoNodes } from "./ground.ts";

const clusterId = "rt1";
const dataDir = mkdtempSync(join(tmpdir(), "fairlead-runtime-"));

runtimeSuite({
  name: "process",
  skip: whyNoNodes(),
  async open() {
    const { nodes } = await createTopology({ clusterId, nodeCount: 1 });
    const node = nodes[0] as TopologyNode;
    return createProcessRuntime({ layout: layoutOf(clusterId, dataDir), node, log: silentLog, clock: systemClock });
  },
  async clear() {
    await removeAllPods(dataDir, clusterId);
    await removeTopology({ clusterId });
    const left = [...inspectPodLeftovers(dataDir, clusterId), ...inspectLeftovers({ clusterId })];
    rmSync(dataDir, { recursive: true, force: true });
    return left;
  },
});
