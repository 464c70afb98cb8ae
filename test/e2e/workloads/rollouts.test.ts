import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { curlStatus, eventually, rowsOf, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { endWithoutFailure, startLoad, type Load } from "../load.ts";
import { apply, echo, ingress, service } from "./objects.ts";

describe("rollouts", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  let loads: Load[] = [];

  before(async () => {
    cluster = await startCluster({ args: ["--http-port", "80", "--https-port", "443"] });
    const ports = [{ port: 80, targetPort: "http", nodePort: 30080 }];
    apply(cluster, echo("web", 4), service("web", { type: "NodePort", ports }), ingress("web", "web.test", "web"));
    isRolledOut();
  });
  after(async () => {
    await Promise.all(loads.map((load) => load.end()));
    await cluster?.purge();
  });

  const isRolledOut = () =>
    assert.match(cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s"), /successfully rolled out\n$/);
  const image = () => cluster.kubectl("get", "deploy", "web", "-o=jsonpath={.spec.template.spec.containers[0].image}");
  const podsOf = (app: string) => {
    const table = cluster.kubectl("get", "pod", "-l", `app=${app}`, "-o", "wide");
    return table === "" ? [] : rowsOf(table);
  };

  test("a new image, a restart and the way back lose no request, by Ingress, cluster address or node port", async () => {
    const address = cluster.kubectl("get", "svc", "web", "-o=jsonpath={.spec.clusterIP}");
    const node = cluster.reach.nodes[1]?.address ?? "";
    const close = ["-H", "Connection: close"];
    await eventually(() => assert.equal(curlStatus("http://127.0.0.1/", "-H", "Host: web.test").code, 200));
    loads = [
      startLoad("Ingress", ["http://127.0.0.1/", "-H", "Host: web.test"]),
      startLoad("Ingress, a connection a request", ["http://127.0.0.1/", "-H", "Host: web.test", ...close]),
      startLoad("cluster address", [`http://${address}/`]),
      startLoad("cluster address, a connection a request", [`http://${address}/`, ...close]),
      startLoad("node port", [`http://${node}:30080/`]),
      startLoad("node port, a connection a request", [`http://${node}:30080/`, ...close]),
    ];
    cluster.kubectl("set", "image", "deployment/web", "c=fairlead/echo:v2");
    isRolledOut();
    cluster.kubectl("rollout", "restart", "deployment/web");
    isRolledOut();
    cluster.kubectl("rollout", "undo", "deployment/web", "--to-revision=1");
    isRolledOut();
    assert.equal(image(), "fairlead/echo:v1");
    await endWithoutFailure(loads);
  });

  test("a rollout that cannot succeed keeps enough of the old pods, and is undone", () => {
    cluster.kubectl("set", "image", "deployment/web", "c=acme/nothing");
    assert.notEqual(cluster.tryKubectl("rollout", "status", "deployment/web", "--timeout=1s").status, 0);
    const pods = podsOf("web");
    assert.ok(pods.filter((row) => row["READY"] === "1/1").length >= 3, JSON.stringify(pods));
    assert.ok(
      pods.some((row) => row["STATUS"] === "ImageNotAvailable"),
      JSON.stringify(pods),
    );
    cluster.kubectl("rollout", "undo", "deployment/web");
    isRolledOut();
    assert.equal(image(), "fairlead/echo:v1");
  });

  test("drain moves the pods of a node, and uncordon lets them come back", async () => {
    const node = podsOf("web")[0]?.["NODE"] ?? "";
    cluster.kubectl("drain", node);
    isRolledOut();
    assert.ok(podsOf("web").every((row) => row["NODE"] !== node || row["STATUS"] !== "Running"));
    const nodes = rowsOf(cluster.kubectl("get", "nodes"));
    assert.equal(nodes.find((row) => row["NAME"] === node)?.["STATUS"], "Ready,SchedulingDisabled");
    cluster.kubectl("uncordon", node);
    cluster.kubectl("scale", "deployment/web", "--replicas=6");
    isRolledOut();
    await eventually(() => assert.ok(podsOf("web").some((row) => row["NODE"] === node)));
  });

  test("a taint with NoExecute moves the pods off the node", async () => {
    const node = podsOf("web")[0]?.["NODE"] ?? "";
    cluster.kubectl("taint", "node", node, "broken=yes:NoExecute");
    await eventually(() => assert.ok(podsOf("web").every((row) => row["NODE"] !== node)));
    isRolledOut();
    cluster.kubectl("taint", "node", node, "broken-");
  });

  test("Recreate: no new pod before the last old one has ended", async () => {
    const spec = { strategy: { type: "Recreate", rollingUpdate: null } };
    cluster.kubectl("patch", "deployment/web", "--type=merge", "-p", JSON.stringify({ spec }));
    const old = new Set(podsOf("web").map((row) => row["NAME"]));
    cluster.kubectl("set", "image", "deployment/web", "c=fairlead/echo:v3");
    await eventually(() => {
      const pods = podsOf("web");
      const isOld = pods.some((row) => old.has(row["NAME"]) && row["READY"] === "1/1");
      const isNew = pods.some((row) => !old.has(row["NAME"]));
      assert.ok(!(isOld && isNew), JSON.stringify(pods));
      assert.ok(isNew);
    });
    isRolledOut();
  });

  test("deleting a Deployment: orphan leaves the rest, foreground waits for it", () => {
    cluster.kubectl("delete", "deployment", "web", "--cascade=orphan");
    const replicaSets = rowsOf(cluster.kubectl("get", "rs", "-l", "app=web"));
    assert.ok(replicaSets.some((row) => row["READY"] === "6"));
    const owners = cluster.kubectl("get", "rs", "-l", "app=web", "-o=jsonpath={.items[*].metadata.ownerReferences}");
    assert.equal(owners, "");
    cluster.kubectl("delete", "rs", "-l", "app=web", "--cascade=foreground");
    assert.deepEqual(podsOf("web"), []);
  });

  test("deleting a namespace takes all of it, and its routes", async () => {
    cluster.kubectl("create", "namespace", "whole");
    const inside = (...args: string[]) => cluster.kubectl("-n", "whole", ...args);
    inside("create", "deployment", "f", "--image=fairlead/echo", "--replicas=2");
    inside("expose", "deployment", "f", "--port=80", "--target-port=8080");
    inside("create", "ingress", "f", "--rule=whole.test/*=f:80");
    inside("create", "configmap", "f", "--from-literal=a=b");
    const code = () => curlStatus("http://127.0.0.1/", "-H", "Host: whole.test").code;
    await eventually(() => assert.equal(code(), 200));
    cluster.kubectl("delete", "namespace", "whole");
    assert.equal(inside("get", "all,configmap,ingress"), "");
    await eventually(() => assert.equal(code(), 404));
  });
});
