import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { curl, curlStatus, eventually, whyNoCluster, withCluster } from "../cluster.ts";

const quickstart = join(import.meta.dirname, "../../../examples/quickstart");

function configMap(name: string, data: Record<string, string>): string {
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
}

test("a cluster serves TCP and UDP ports by ConfigMaps", { skip: whyNoCluster() }, async () => {
  const args = ["--tcp-services-configmap", "default/tcp", "--udp-services-configmap", "default/udp"];
  await withCluster({ manifests: [quickstart], args }, async (cluster) => {
    const lines = { "9000": "default/hello:80", "9001": "default/nobody:80" };
    cluster.kubectlWith(configMap("tcp", lines), "apply", "-f", "-");
    cluster.kubectlWith(configMap("udp", { "5353": "kube-system/kube-dns:53" }), "apply", "-f", "-");
    const url = "http://127.0.0.1:9000/";
    const answer = await eventually(() => {
      const { code, body } = curlStatus(url);
      assert.equal(code, 200);
      return body;
    });
    assert.match(answer, /hello/i);
    await eventually(() => {
      const name = "kubernetes.default.svc.cluster.local";
      const args = ["@127.0.0.1", "-p", "5353", "+short", "+time=1", "+tries=1", name];
      assert.match(execFileSync("dig", args, { encoding: "utf8" }), /^10\.96\.0\.1\n/);
    });
    // One line cannot be served, and its ConfigMap says so.
    await eventually(() => {
      const shown = cluster.kubectl("describe", "configmap", "tcp");
      assert.match(shown, /data\[9001\]: Service default\/nobody does not exist/);
    });
    // A line that leaves closes its port.
    cluster.kubectlWith(configMap("tcp", { "9002": "default/hello:80" }), "apply", "-f", "-");
    await eventually(() => assert.match(curl("http://127.0.0.1:9002/"), /hello/i));
    await eventually(() => assert.equal(curlStatus(url).code, 0));
  });
});
