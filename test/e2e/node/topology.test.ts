import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { silentLog } from "#base/log.ts";
import { compileTopology } from "#node/network/plan.ts";
import { createTopology, inspectLeftovers, removeTopology, TopologyConflict } from "#node/network/topology.ts";
import { repairRoutes } from "#node/network/watch.ts";
import { say, whyNoNodes } from "./ground.ts";

const clusterId = "tp1";

describe("the nodes' network", { skip: whyNoNodes() }, () => {
  before(async () => {
    await createTopology({ clusterId });
  });
  after(async () => {
    await removeTopology({ clusterId });
  });

  const inside = (node: string, ...args: string[]) =>
    say("nsenter", `--net=/run/netns/fl-${clusterId}-${node}`, ...args);
  const ping = (address: string) => ["ping", "-c1", "-W2", address];

  test("the first packet arrives at once: no link waits for the kernel to notice it", () => {
    const [program = "", ...args] = ping("172.30.0.11");
    const time = /time=([\d.]+) ms/.exec(say(program, ...args))?.[1];
    assert.ok(Number(time) < 500, `${time} ms`);
  });

  test("machine, nodes and pod bridges reach each other", () => {
    assert.match(say("ping", "-c1", "-W2", "10.244.3.1"), / 1 received/);
    assert.match(inside("node-1", ...ping("10.244.2.1")), / 1 received/);
    assert.match(inside("node-2", ...ping("172.30.0.254")), / 1 received/);
  });

  test("what no pod and no Service has is unreachable at once, from everywhere", () => {
    for (const address of ["10.96.0.10", "10.244.200.7"]) {
      const fromHere = say("ping", "-c1", "-W2", address);
      assert.match(fromHere, /[Uu]nreachable|No route to host/, address);
      assert.doesNotMatch(fromHere, / 1 received/);
    }
    assert.match(inside("node-2", ...ping("10.244.200.7")), /[Uu]nreachable|No route to host/);
  });

  test("each node forwards, and no packet of a neighbour's Service leaves it unseen", () => {
    const values = ["ipv4/ip_forward", "ipv4/conf/all/route_localnet", "bridge/bridge-nf-call-iptables"].map((path) =>
      inside("node-1", "cat", `/proc/sys/net/${path}`).trim(),
    );
    assert.deepEqual(values, ["1", "1", "1"]);
  });

  test("what is there is adopted, what is broken repaired", async () => {
    say("ip", "route", "del", "10.244.2.0/24");
    inside("node-1", "ip", "link", "set", "eth0", "down");
    say("ip", "netns", "del", `fl-${clusterId}-node-3`);
    await createTopology({ clusterId });
    for (const address of ["172.30.0.11", "10.244.2.1", "10.244.3.1"]) {
      assert.match(say("ping", "-c1", "-W2", address), / 1 received/, address);
    }
  });

  test("routes that went with a link come back with it, and a link that is down stays down", async () => {
    const plan = compileTopology({ clusterId });
    assert.deepEqual(await repairRoutes(plan, silentLog), []);
    inside("node-2", "ip", "link", "set", "eth0", "down");
    assert.deepEqual(await repairRoutes(plan, silentLog), []);
    inside("node-2", "ip", "link", "set", "eth0", "up");
    assert.match(inside("node-2", ...ping("10.244.1.1")), /[Uu]nreachable|No route to host/);
    assert.ok((await repairRoutes(plan, silentLog)).includes("default via 172.30.0.254"));
    assert.match(inside("node-2", ...ping("10.244.1.1")), / 1 received/);
    say("ip", "route", "del", "10.244.2.0/24");
    assert.deepEqual(await repairRoutes(plan, silentLog), ["10.244.2.0/24 via 172.30.0.12"]);
    assert.deepEqual(await repairRoutes(plan, silentLog), []);
  });

  test("fewer nodes: the surplus goes", async () => {
    await createTopology({ clusterId, nodeCount: 2 });
    assert.doesNotMatch(inspectLeftovers({ clusterId }).join(), /node-3/);
  });

  test("a second cluster on the same ranges is a conflict that names the first, and changes nothing", async () => {
    await assert.rejects(createTopology({ clusterId: "tp2" }), (error) => {
      assert.ok(error instanceof TopologyConflict);
      assert.match(error.message, /the Fairlead cluster "tp1"/);
      return true;
    });
    assert.deepEqual(
      inspectLeftovers({ clusterId: "tp2" }).filter((text) => text.includes("tp2")),
      [],
    );
  });

  test("a second cluster on ranges of its own stands beside the first", async () => {
    const ranges = { podCidr: "10.200.0.0/16", serviceCidr: "10.201.0.0/16", nodeSubnet: "172.31.0.0/24" };
    await createTopology({ clusterId: "tp2", nodeCount: 1, ...ranges });
    assert.match(say("ping", "-c1", "-W2", "10.200.1.1"), / 1 received/);
    await removeTopology({ clusterId: "tp2" });
    assert.match(say("ping", "-c1", "-W2", "10.244.1.1"), / 1 received/);
  });

  test("removed, nothing is left, and removing again does no harm", async () => {
    await removeTopology({ clusterId });
    assert.deepEqual(inspectLeftovers({ clusterId }), []);
    await removeTopology({ clusterId });
    assert.equal(say("ip", "route"), "");
  });
});
