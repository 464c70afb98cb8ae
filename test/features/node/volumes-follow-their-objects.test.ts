import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Pod, Volume } from "#api/core/pod/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import { compileVolume, type VolumeSources } from "#node/pods/volume-files.ts";
import { writeVolume } from "#node/pods/volume-write.ts";
import { bindVolumes } from "#node/pods/volumes.ts";

const metadata = { name: "web", namespace: "dev", uid: "u1", labels: { b: "2", a: "1" } };
const settings: ConfigMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: "dev" },
  data: { "app.conf": "x=1", other: "y" },
  binaryData: { raw: "AAE=" },
};
const key: Secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "key" }, data: { token: "c2VjcmV0" } };
const podWith = (volumes: Volume[]): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata,
  spec: { containers: [], volumes },
});

const sources: VolumeSources = {
  pod: podWith([]),
  facts: { podIp: "10.244.1.2", hostIp: "172.30.0.11", nodeName: "node-1", allocatable: { cpu: 2, memory: 1 << 30 } },
  configMap: (name) => (name === "settings" ? settings : undefined),
  secret: (name) => (name === "key" ? key : undefined),
};

function filesOf(volume: Omit<Volume, "name">): Record<string, string> | string {
  const outcome = compileVolume({ name: "v", ...volume }, sources);
  if (outcome === undefined || !outcome.ok) return outcome?.message ?? "none";
  return Object.fromEntries(
    outcome.files.map(({ path, bytes, mode }) => [path, `${bytes.toString("latin1")} ${mode.toString(8)}`]),
  );
}

test("a ConfigMap is one file a key, its items choose and rename", () => {
  assert.deepEqual(filesOf({ configMap: { name: "settings" } }), {
    "app.conf": "x=1 644",
    other: "y 644",
    raw: "\0\u0001 644",
  });
  const items = [{ key: "app.conf", path: "etc/app.conf", mode: 0o600 }];
  assert.deepEqual(filesOf({ configMap: { name: "settings", items, defaultMode: 0o444 } }), {
    "etc/app.conf": "x=1 600",
  });
});

test("a projected volume puts Secret, ConfigMap and the pod's own facts together", () => {
  const projected = {
    sources: [
      { secret: { name: "key" } },
      { configMap: { name: "settings", items: [{ key: "other", path: "other" }] } },
      {
        downwardAPI: {
          items: [
            { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
            { path: "name", fieldRef: { fieldPath: "metadata.name" } },
          ],
        },
      },
    ],
  };
  assert.deepEqual(filesOf({ projected }), {
    token: "secret 644",
    other: "y 644",
    labels: 'a="1"\nb="2" 644',
    name: "web 644",
  });
});

test("what is missing is named, unless it is optional", () => {
  assert.equal(filesOf({ secret: { secretName: "none" } }), 'volume v: secret "none" not found');
  assert.deepEqual(filesOf({ secret: { secretName: "none", optional: true } }), {});
  const items = [{ key: "none", path: "x" }];
  assert.equal(filesOf({ configMap: { name: "settings", items } }), 'volume v: configmap "settings" has no key none');
});

test("no path leads out of the volume", () => {
  for (const path of ["../x", "a/../../x", "/etc/x"]) {
    assert.match(
      JSON.stringify(filesOf({ configMap: { name: "settings", items: [{ key: "other", path }] } })),
      /leaves the volume/,
    );
  }
});

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "fairlead-volume-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("all files of a volume change at once, through one link", (t) => {
  const path = folder(t);
  const file = (name: string, text: string) => ({ path: name, bytes: Buffer.from(text), mode: 0o640 });
  assert.equal(writeVolume(path, [file("a", "1"), file("sub/b", "2")]), true);
  assert.equal(readFileSync(join(path, "sub/b"), "utf8"), "2");
  assert.equal(statSync(join(path, "a")).mode & 0o777, 0o640);
  const before = readlinkSync(join(path, "..data"));
  assert.equal(writeVolume(path, [file("a", "1"), file("sub/b", "2")]), false);
  assert.equal(writeVolume(path, [file("a", "3")]), true);
  assert.notEqual(readlinkSync(join(path, "..data")), before);
  assert.equal(readFileSync(join(path, "a"), "utf8"), "3");
  assert.deepEqual(
    readdirSync(path).filter((name) => !name.startsWith("..")),
    ["a"],
  );
  assert.equal(readdirSync(path).length, 3);
});

test("a subPath stays inside its volume, whatever links a program has left there", (t) => {
  const path = folder(t);
  mkdirSync(join(path, "volumes/v/inside"), { recursive: true });
  symlinkSync("/etc", join(path, "volumes/v/escape"));
  const pod = podWith([{ name: "v", emptyDir: {} }]);
  const bind = (subPath: string) => {
    const outcome = bindVolumes(pod, { name: "c", volumeMounts: [{ name: "v", mountPath: "/m", subPath }] }, path);
    return outcome.ok ? outcome.mounts[0]?.source : outcome.message;
  };
  assert.equal(bind("inside"), join(path, "volumes/v/inside"));
  assert.equal(bind("made"), join(path, "volumes/v/made"));
  for (const subPath of ["escape", "escape/ssl", "../v", "/etc"]) assert.match(bind(subPath) ?? "", /is not inside it/);
});
