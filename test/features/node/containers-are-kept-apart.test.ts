import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerConfig } from "#node/runtime/contract.ts";
import { layoutOf } from "#node/runtime/process/layout.ts";
import { compileSpec } from "#node/runtime/process/spec.ts";

const config: ContainerConfig = {
  name: "main",
  attempt: 0,
  image: "busybox",
  args: ["sh"],
  env: [],
  cwd: "/",
  user: 0,
  group: 0,
  groups: [],
  mounts: [],
  files: [],
  tty: false,
  stdin: false,
  stdinOnce: false,
  readOnlyRoot: false,
  privileged: false,
  terminationMessagePath: "/dev/termination-log",
};

interface Spec {
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  linux: { maskedPaths: string[] };
}

function specOf(change: Partial<ContainerConfig> = {}, dataDir = "/data/cluster"): Spec {
  return compileSpec({
    config: { ...config, ...change },
    layout: layoutOf("abcd", `${dataDir}/nodes`, [dataDir, `${dataDir}/pki`]),
    id: "1",
    podUid: "2",
    hostname: "pod",
    netns: "/run/netns/x",
    root: "/x/root",
    topFolders: ["usr", "etc", "proc", "data", "work", "tmp", "lost+found"],
    lastWords: "/x/words",
  }) as Spec;
}

const mountAt = (spec: Spec, destination: string) => spec.mounts.findLast((mount) => mount.destination === destination);

test("folders of the machine that hold no programs are empty", () => {
  const spec = specOf();
  for (const folder of ["/data", "/work", "/tmp", "/lost+found", "/root"]) {
    assert.equal(mountAt(spec, folder)?.type, "tmpfs", folder);
  }
  assert.equal(mountAt(spec, "/usr"), undefined);
  assert.equal(mountAt(spec, "/etc"), undefined);
});

test("the cluster's own folder is hidden with its keys, wherever it stands", () => {
  const spec = specOf({}, "/opt/cluster");
  assert.deepEqual(mountAt(spec, "/opt/cluster")?.options, ["nosuid", "mode=000", "size=4k", "ro"]);
  assert.equal(mountAt(spec, "/opt/cluster/nodes"), undefined, "one mount hides both");
});

test("a volume in a hidden place is seen, and what is beside it is not", () => {
  const at = (target: string) => specOf({ mounts: [{ source: "/x/v", target, readOnly: false }] });
  assert.ok(specOf().linux.maskedPaths.includes("/etc/ssh"));
  for (const target of ["/etc/ssh", "/etc/ssh/", "/etc"]) {
    assert.ok(!at(target).linux.maskedPaths.includes("/etc/ssh"), target);
  }
  const spec = at("/etc/ssh/keys");
  assert.ok(!spec.linux.maskedPaths.includes("/etc/ssh"));
  const places = spec.mounts.map(({ destination }) => destination);
  assert.ok(places.indexOf("/etc/ssh") !== -1 && places.indexOf("/etc/ssh") < places.indexOf("/etc/ssh/keys"));
  assert.ok(spec.linux.maskedPaths.includes("/etc/shadow"));
});
