import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run, startCluster, whyNoCluster } from "../cluster.ts";

const program = join(import.meta.dirname, "../../../bin/fairlead.ts");
const fairlead = (...args: string[]) => run(process.execPath, [program, ...args]);

test("a running cluster is backed up and comes back in another folder", { skip: whyNoCluster() }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-e2e-backup-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "backup");
  const args = ["--nodes", "1", "--wait", "none"];
  const first = await startCluster({ args });
  first.kubectl("create", "secret", "generic", "kept", "--from-literal=k=v");
  const backup = fairlead("backup", file, "--data-dir", first.dataDir);
  assert.equal(backup.status, 0, backup.stderr);
  assert.match(backup.stdout, /holds the contents of Secrets/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const refused = fairlead("restore", file, "--force", "--data-dir", first.dataDir);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /runs/);
  await first.purge();

  const dataDir = join(folder, "data");
  const restore = fairlead("restore", file, "--data-dir", dataDir);
  assert.equal(restore.status, 0, restore.stderr);
  const second = await startCluster({ args, dataDir });
  assert.equal(second.kubectl("get", "secret", "kept", "-o=jsonpath={.data.k}"), "dg==");
  await second.purge();
});
