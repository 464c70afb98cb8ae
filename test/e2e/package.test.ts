import assert from "node:assert/strict";
import { existsSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { eventually, run, whyNoCluster } from "./cluster.ts";

const repository = join(import.meta.dirname, "../..");

test(
  "the published package runs: bundled JavaScript, under whatever Node starts it",
  { skip: whyNoCluster() },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-package-"));
    const pack = run("npm", ["pack", "--prefix", repository, "--pack-destination", folder, repository]);
    assert.equal(pack.status, 0, pack.stderr);
    assert.equal(
      run("tar", ["-xf", join(folder, pack.stdout.trim().split("\n").at(-1) ?? ""), "-C", folder]).status,
      0,
    );
    const root = join(folder, "package");
    assert.equal(existsSync(join(root, "src")), false, "the package carries no TypeScript sources");
    // What npm would install beside it, without asking a registry.
    symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
    // The Node that a person's shell finds, which may be an older one.
    const path = (process.env["PATH"] ?? "").split(delimiter).filter((part) => !part.includes("node_modules"));
    const env = { PATH: path.join(delimiter), HOME: folder };
    const fairlead = (...args: string[]) => run(join(root, "dist/fairlead.js"), args, { env });
    assert.match(fairlead("version").stdout, /^fairlead v\d+\.\d+\.\d+ \(node v26\./);
    const dataDir = join(folder, "data");
    try {
      const up = fairlead("up", join(root, "examples/quickstart"), "--detach", "--data-dir", dataDir);
      assert.equal(up.status, 0, up.stdout + up.stderr);
      const kubectl = (...args: string[]) =>
        run("kubectl", args, { env: { ...env, KUBECONFIG: join(dataDir, "kubeconfig") } });
      assert.match(run("curl", ["-s", "--max-time", "5", "http://hello.localhost/"]).stdout, /^Hostname: hello-/);
      await eventually(() =>
        assert.match(run("curl", ["-s", "http://172.30.0.12:10256/healthz"]).stdout, /"nodeEligible":true/),
      );
      const pod = kubectl("get", "pod", "-o", "name").stdout.split("\n")[0] ?? "";
      assert.equal(kubectl("exec", pod, "--", "hostname").stdout.trim(), pod.replace("pod/", ""));
      assert.match(run("dig", ["@10.96.0.10", "hello.default.svc.cluster.local", "+short"]).stdout, /^10\./);
    } finally {
      const down = fairlead("down", "--purge", "--data-dir", dataDir);
      assert.equal(down.status, 0, down.stdout + down.stderr);
    }
  },
);
