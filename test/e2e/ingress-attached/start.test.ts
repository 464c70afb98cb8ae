import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderKubeconfig } from "#client/kubeconfig.ts";
import { startAttached } from "../attached.ts";
import { childrenOf, startIngressProcess, startOtherCluster, whyNot } from "./cluster.ts";

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

test("nobody is served before the cluster has been read", { skip: whyNot, timeout: 60_000 }, async (t) => {
  const cluster = await startOtherCluster(t, "examples/ingress");
  const kubeconfig = join(cluster.folder, "unreachable");
  const { ca } = cluster.api.certificates;
  writeFileSync(kubeconfig, renderKubeconfig({ name: "gone", server: "https://127.0.0.1:1", ca, token: "ingress" }));
  const attached = startAttached(["--kubeconfig", kubeconfig], {}, { command: "ingress" });
  await attached.hears(/cannot be reached.*nothing is served until then/);
  assert.equal(await isOpen(80), false);
  assert.deepEqual(childrenOf(attached.child.pid), []);
  attached.child.kill("SIGTERM");
  assert.equal(await attached.ended, 130);
});

test("a port that is taken is told, and nothing is left behind", { skip: whyNot, timeout: 60_000 }, async (t) => {
  const cluster = await startOtherCluster(t, "examples/ingress");
  await startIngressProcess(t, cluster);
  assert.equal(await isOpen(80), true);
  const second = startAttached(["--kubeconfig", cluster.kubeconfig, "--healthz", "0"], {}, { command: "ingress" });
  assert.notEqual(await second.ended, 0);
  const [error] = second.said.filter(({ type }) => type === "error");
  assert.match(error?.text ?? "", /cannot listen on .*:80: EADDRINUSE/);
  assert.match(error?.next ?? "", /--http-port/);
});
