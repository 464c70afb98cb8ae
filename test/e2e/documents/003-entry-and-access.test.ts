import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { curl, eventually, rowsOf, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { forms, manifestOf } from "./forms.ts";

for (const form of forms) {
  describe(`the document on access to a cluster, ${form} manifests`, { skip: whyNoCluster() }, () => {
    const manifest = manifestOf("003", form);
    let cluster: TestCluster;

    before(async () => {
      cluster = await startCluster();
      for (const name of ["01-ingress-nginx-namespace", "02-entry-loadbalancer"]) {
        cluster.kubectl("apply", "-f", manifest(name));
      }
    });
    after(() => cluster?.purge());

    test("a LoadBalancer Service is pending, has a cluster IP, a node port each and a health-check port", () => {
      const [row] = rowsOf(cluster.kubectl("get", "svc", "-n", "ingress-nginx"));
      assert.equal(row?.["EXTERNAL-IP"], "<pending>");
      assert.match(row?.["PORT(S)"] ?? "", /^80:3\d{4}\/TCP,443:3\d{4}\/TCP,3306:3\d{4}\/TCP$/);
      assert.match(row?.["CLUSTER-IP"] ?? "", /^10\./);
      const port = cluster.kubectl(
        "get",
        "svc",
        "-n",
        "ingress-nginx",
        "-o=jsonpath={.items[0].spec.healthCheckNodePort}",
      );
      assert.match(port, /^3\d{4}$/);
    });

    test("applying the installation's own form of the Service changes it in place and keeps what was allocated", () => {
      const before = JSON.parse(
        cluster.kubectl("get", "svc", "ingress-nginx-controller", "-n", "ingress-nginx", "-o", "json"),
      ) as ServiceText;
      cluster.kubectl("apply", "-f", manifest("03-controller-loadbalancer"));
      const now = JSON.parse(
        cluster.kubectl("get", "svc", "ingress-nginx-controller", "-n", "ingress-nginx", "-o", "json"),
      ) as ServiceText;
      assert.equal(now.spec.clusterIP, before.spec.clusterIP);
      assert.equal(now.spec.ports.length, 2);
      assert.equal(now.spec.ports[0]?.nodePort, before.spec.ports[0]?.nodePort);
      assert.equal(now.spec.ports[0]?.appProtocol, "http");
    });

    test("as NodePort the entry is reached at every node", () => {
      cluster.kubectl(
        "patch",
        "svc",
        "ingress-nginx-controller",
        "-n",
        "ingress-nginx",
        "-p",
        '{"spec":{"type":"NodePort"}}',
      );
      const [row] = rowsOf(cluster.kubectl("get", "svc", "-n", "ingress-nginx"));
      assert.equal(row?.["TYPE"], "NodePort");
      assert.equal(row?.["EXTERNAL-IP"], "<none>");
    });

    if (form === "legacy") {
      test("a controller image that has no program here is told on its pod, with what could be done", async () => {
        cluster.kubectl("apply", "-f", manifest("04-controller-deployment"));
        await eventually(() => {
          const text = cluster.kubectl("describe", "pod", "-n", "ingress-nginx");
          assert.match(text, /ImageNotAvailable/);
        });
      });
    } else {
      test("the controller's Deployment stands behind the entry", async () => {
        cluster.kubectl("apply", "-f", manifest("04-controller-deployment"));
        cluster.kubectl(
          "rollout",
          "status",
          "deployment/ingress-nginx-controller",
          "-n",
          "ingress-nginx",
          "--timeout=30s",
        );
        const port = cluster.kubectl(
          "get",
          "svc",
          "-n",
          "ingress-nginx",
          "-o=jsonpath={.items[0].spec.ports[0].nodePort}",
        );
        // externalTrafficPolicy Local: only the node that runs the pod answers.
        const node = cluster.kubectl("get", "pod", "-n", "ingress-nginx", "-o=jsonpath={.items[0].status.hostIP}");
        await eventually(() => assert.match(curl(`http://${node}:${port}`), /^Hostname: ingress-nginx-controller-/));
      });
    }

    test("kubectl port-forward service/NAME 6000:3306: a client talks through the local port", async () => {
      cluster.kubectl("apply", "-f", manifest("05-database-namespace"), "-f", manifest("06-database"));
      cluster.kubectl("rollout", "status", "deployment/db-mysql", "-n", "mynamespace", "--timeout=30s");
      const args = ["port-forward", "service/db-mysql-cluster-ip", "6000:3306", "-n", "mynamespace"];
      const forward = spawn("kubectl", args, { env: cluster.env, stdio: ["ignore", "pipe", "inherit"] });
      try {
        await new Promise<void>((resolve) => {
          createInterface({ input: forward.stdout }).on("line", (line) => {
            if (line.includes("Forwarding from 127.0.0.1:6000")) resolve();
          });
        });
        for (let request = 0; request < 3; request += 1) {
          assert.match(curl("http://127.0.0.1:6000/"), /^Hostname: db-mysql-/);
        }
      } finally {
        const ended = new Promise((resolve) => forward.once("exit", resolve));
        forward.kill("SIGTERM");
        await ended;
      }
    });
  });
}

interface ServiceText {
  spec: { clusterIP: string; ports: { nodePort: number; appProtocol?: string }[] };
}

describe("a provider with a pool of outside addresses", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({
      manifests: ["01-kubia-deployment", "06-kubia-loadbalancer"].map(manifestOf("001", "current")),
      args: ["--load-balancer-cidr", "172.31.0.0/24"],
    });
  });
  after(() => cluster?.purge());

  test("hands the LoadBalancer Service an address that answers", async () => {
    const [row] = rowsOf(cluster.kubectl("get", "svc", "kubia-loadbalancer"));
    assert.equal(row?.["EXTERNAL-IP"], "172.31.0.1");
    await eventually(() => assert.match(curl("http://172.31.0.1"), /^Hostname: kubia-/));
  });
});
