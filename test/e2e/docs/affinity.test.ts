import assert from "node:assert/strict";
import { test } from "node:test";
import { curlMany, eventually, whyNoCluster, withCluster } from "../cluster.ts";
import { forms, manifestOf } from "../documents/forms.ts";

test("the example of session affinity keeps a client with one pod", { skip: whyNoCluster() }, async () => {
  await withCluster({}, async (cluster) => {
    for (const form of forms) {
      const manifest = manifestOf("004", form);
      for (const name of ["01-dev-namespace", "02-deployment", "04-service-clusterip-affinity"]) {
        cluster.kubectl("apply", "-f", manifest(name));
      }
      cluster.kubectl("rollout", "status", "deployment/pc-deployment", "-n", "dev", "--timeout=30s");
      // The pods of nginx all show one page until each is given its own.
      for (const pod of cluster.kubectl("get", "pods", "-n", "dev", "-o", "name").trim().split("\n")) {
        const write = "hostname > /usr/share/nginx/html/index.html";
        cluster.kubectl("exec", "-n", "dev", pod, "--", "sh", "-c", write);
      }
      await eventually(() => {
        const seen = new Set(curlMany("http://10.98.98.98", 20).trim().split("\n"));
        assert.equal(seen.size, 1, [...seen].join(", "));
        assert.match([...seen][0] ?? "", /^pc-deployment-/);
      });
    }
  });
});
