import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { curl, eventually, rowsOf, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { endWithoutFailure, startLoad } from "../load.ts";
import { apply, echo, service } from "./objects.ts";

describe("trouble on a node", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ args: ["--http-port", "8080", "--https-port", "8443"] });
    const ports = [{ port: 80, targetPort: "http", nodePort: 30080 }];
    apply(cluster, echo("web", 3), service("web", { type: "NodePort", ports }));
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s");
  });
  after(() => cluster?.purge());

  const onNode = (...command: string[]) => {
    const name = run("ip", ["netns", "list"]).stdout.match(/^\S+-node-2\b/m)?.[0] ?? "";
    return run("ip", ["netns", "exec", name, ...command]);
  };
  const answerers = () =>
    new Set(
      Array.from({ length: 12 }, () => /^Hostname: (.*)$/m.exec(curl("http://172.30.0.12:30080/", "-m", "1"))?.[1]),
    );

  test("while the agent stands still nothing that is served stops, and it catches up afterwards", async () => {
    const agent = Number(run("pgrep", ["-P", String(cluster.pid), "-f", "fairlead.ts agent"]).stdout);
    const load = startLoad("node port", ["http://172.30.0.12:30080/", "-H", "Connection: close"]);
    process.kill(agent, "SIGSTOP");
    try {
      cluster.kubectl("scale", "deployment/web", "--replicas=4");
      await new Promise((resolve) => setTimeout(resolve, 5000));
    } finally {
      process.kill(agent, "SIGCONT");
    }
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s");
    await endWithoutFailure([load]);
    assert.ok(rowsOf(cluster.kubectl("get", "nodes")).every((row) => row["STATUS"] === "Ready"));
  });

  test("a cable that is pulled and put back, and rules that are deleted, are made good", async () => {
    assert.equal(onNode("ip", "link", "set", "eth0", "down").status, 0);
    assert.notEqual(run("curl", ["-s", "-m", "0.5", "http://172.30.0.12:30080/"]).status, 0);
    assert.equal(onNode("ip", "link", "set", "eth0", "up").status, 0);
    assert.equal(onNode("nft", "delete", "table", "ip", "kube-proxy").status, 0);
    await eventually(() => assert.equal(answerers().size, 4), 45_000);
  });
});
