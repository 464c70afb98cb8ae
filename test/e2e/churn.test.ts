import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { curlStatus, eventually, run, startCluster, whyNoCluster, type TestCluster } from "./cluster.ts";
import { endWithoutFailure, startLoad, type Load } from "./load.ts";

/** How many changes are made while the load runs. */
const changes = 200;

describe("changes under load", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  let loads: Load[] = [];

  before(async () => {
    const quickstart = join(import.meta.dirname, "../../examples/quickstart");
    cluster = await startCluster({ manifests: [quickstart], args: ["--http-port", "80", "--https-port", "443"] });
  });
  after(async () => {
    await Promise.all(loads.map((load) => load.end()));
    await cluster?.purge();
  });

  test(`${changes} changes while wrk asks through Ingress and through a node port: no request fails`, async () => {
    const node = cluster.reach.nodes[1]?.address ?? "";
    loads = [
      startLoad("Ingress", ["http://127.0.0.1/", "-H", "Host: hello.localhost"]),
      startLoad("Ingress with a connection a request", [
        "http://127.0.0.1/",
        "-H",
        "Host: hello.localhost",
        "-H",
        "Connection: close",
      ]),
      startLoad("node port", [`http://${node}:30080/`, "-H", "Connection: close"]),
    ];
    for (let change = 0; change < changes; change += 1) await makeChange(change);
    await endWithoutFailure(loads);
  });

  async function makeChange(number: number): Promise<void> {
    switch (number % 5) {
      case 0:
        cluster.kubectl("scale", "deployment/hello", `--replicas=${3 + ((number / 5) % 4)}`);
        return;
      case 1:
        cluster.kubectlWith(ingress(number), "apply", "-f", "-");
        await eventually(
          () => assert.equal(curlStatus("http://127.0.0.1/", "-H", `Host: churn-${number}.localhost`).code, 200),
          5000,
        );
        return;
      case 2: {
        const pods = cluster
          .kubectl("get", "pod", "-l", "app=hello", "-o=jsonpath={.items[*].metadata.name}")
          .split(" ");
        cluster.kubectl("delete", "pod", pods[number % pods.length] ?? "", "--wait=false", "--ignore-not-found");
        cluster.kubectl("rollout", "status", "deployment/hello", "--timeout=30s");
        return;
      }
      case 3:
        changeSecret(number);
        return;
      default:
        cluster.kubectl("delete", "ingress", `churn-${number - 3}`);
    }
  }

  function changeSecret(number: number): void {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-churn-"));
    const [key, certificate] = [join(folder, "tls.key"), join(folder, "tls.crt")];
    const pair = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
    run("openssl", [...pair, "-keyout", key, "-out", certificate, "-subj", `/CN=churn-${number}.localhost`]);
    const create = [
      "create",
      "secret",
      "tls",
      "churn",
      `--cert=${certificate}`,
      `--key=${key}`,
      "--dry-run=client",
      "-o",
      "yaml",
    ];
    cluster.kubectlWith(cluster.kubectl(...create), "apply", "-f", "-");
  }
});

function ingress(number: number): string {
  const host = `churn-${number}.localhost`;
  const backend = { service: { name: "hello", port: { number: 80 } } };
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: `churn-${number}`, annotations: { "nginx.ingress.kubernetes.io/ssl-redirect": "false" } },
    spec: {
      tls: [{ hosts: [host], secretName: "churn" }],
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  });
}
