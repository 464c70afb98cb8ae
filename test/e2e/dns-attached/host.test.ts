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

test("this machine can ask by name, and down leaves no trace of it", { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-host-"));
  const before = readFileSync("/etc/resolv.conf", "utf8");
  let uplink = "";
  await withCluster({ args: ["--nodes", "1"] }, ({ reach }) => {
    uplink = /\b(fl\w+up)\b/.exec(links())?.[1] ?? "";
    const at = { dns: reach.dns, clusterDomain: reach.clusterDomain, uplink };
    assert.equal(reach.hostLine, renderHostLine(hostResolver(), at));

    // The C library of this machine, with the name server that the line names; in a mount namespace of its own.
    const file = join(folder, "resolv.conf");
    writeFileSync(file, `nameserver ${reach.dns}\n`);
    const script = 'mount --bind "$0" /etc/resolv.conf && getent ahostsv4 kubernetes.default.svc.cluster.local';
    const asked = spawnSync("unshare", ["-m", "sh", "-c", script, file], { encoding: "utf8" });
    assert.match(asked.stdout, /^10\.96\.0\.1\s/, asked.stderr);
  });
  rmSync(folder, { recursive: true });
  assert.ok(uplink !== "" && !links().includes(uplink), "what was set for the link is gone with it");
  assert.equal(readFileSync("/etc/resolv.conf", "utf8"), before);
  assert.ok(!existsSync("/etc/dnsmasq.d/fairlead.conf"));
});
