import assert from "node:assert/strict";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startEtcd, whyNoEtcd } from "../../fakes/etcd.ts";
import { run, startCluster, whyNoCluster } from "../cluster.ts";

const program = join(import.meta.dirname, "../../../bin/fairlead.ts");

test(
  "fairlead up keeps its objects in etcd, and says so when there is none",
  { skip: whyNoCluster() || whyNoEtcd() },
  async (t) => {
    const etcd = await startEtcd();
    t.after(() => etcd.dispose());
    const args = ["--etcd-servers", etcd.url, "--nodes", "1", "--wait", "none"];
    const first = await startCluster({ args });
    first.kubectl("create", "configmap", "kept", "--from-literal=k=v");
    assert.equal(existsSync(join(first.dataDir, "store.db")), false);
    await first.purge();

    // Another folder, the same objects.
    const second = await startCluster({ args });
    assert.equal(second.kubectl("get", "configmap", "kept", "-o=jsonpath={.data.k}"), "v");
    await second.purge();

    await etcd.kill();
    const dataDir = mkdtempSync(join(tmpdir(), "fairlead-no-etcd-"));
    const failed = run(process.execPath, [program, "up", "--data-dir", dataDir, ...args]);
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, new RegExp(`etcd at ${etcd.url} does not answer`));
    assert.equal(run(process.execPath, [program, "down", "--purge", "--data-dir", dataDir]).status, 0);
  },
);
