import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hostResolver, renderHostLine } from "#roles/host-resolver.ts";
import { whyNoCluster, withCluster } from "../cluster.ts";

const skip = whyNoCluster();
const links = () => spawnSync("ip", ["-o", "link"], { encoding: "utf8" }).stdout;

test("the printed line makes this machine ask by name, and stopping the cluster undoes it", { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-host-"));
  // A copy in place of the file: what is written here is nothing to this machine.
  const file = join(folder, "resolv.conf");
  const before = "nameserver 192.0.2.53\nsearch example.test\n";
  writeFileSync(file, before);
  assert.equal(spawnSync("mount", ["--bind", file, "/etc/resolv.conf"]).status, 0);
  try {
    let uplink = "";
    await withCluster({ args: ["--nodes", "1"] }, ({ reach }) => {
      uplink = /\b(fl\w+up)\b/.exec(links())?.[1] ?? "";
      const at = { dns: reach.dns, clusterDomain: reach.clusterDomain, uplink };
      assert.equal(reach.hostLine, renderHostLine(hostResolver(), at));
      assert.equal(spawnSync("sh", ["-c", renderHostLine("resolv.conf", at)]).status, 0);
      assert.equal(readFileSync(file, "utf8"), `nameserver 10.96.0.10 # fairlead\n${before}`);
      const asked = spawnSync("getent", ["ahostsv4", "kubernetes.default.svc.cluster.local"], { encoding: "utf8" });
      assert.match(asked.stdout, /^10\.96\.0\.1\s/, asked.stderr);
    });
    assert.ok(uplink !== "" && !links().includes(uplink), "what was set for the link is gone with it");
    assert.equal(readFileSync(file, "utf8"), before);
    assert.ok(!existsSync("/etc/dnsmasq.d/fairlead.conf"));
  } finally {
    spawnSync("umount", ["/etc/resolv.conf"]);
    rmSync(folder, { recursive: true });
  }
});
