import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod } from "#api/core/pod/kind.ts";
import { compileEnv, type EnvSources } from "#node/pods/env.ts";
import { expand } from "#node/pods/expand.ts";
import { renderHosts } from "#node/pods/hosts.ts";
import { parseQuantity } from "#api/meta/quantity.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-0", namespace: "dev", uid: "u", annotations: { note: "hi" } },
  spec: { containers: [], serviceAccountName: "runner" },
};

const sources: EnvSources = {
  pod,
  facts: { podIp: "10.244.1.2", hostIp: "172.30.0.11", nodeName: "node-1", allocatable: { cpu: 2, memory: 2 ** 30 } },
  services: new Map([
    ["WEB_SERVICE_HOST", "10.96.0.7"],
    ["MODE", "from the service"],
  ]),
  configMap: (name) =>
    name === "settings"
      ? { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "1", b: "2" } }
      : undefined,
  secret: (name) =>
    name === "key" ? { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { token: "c2VjcmV0" } } : undefined,
};

function envOf(container: Omit<Container, "name">): Record<string, string> | string {
  const outcome = compileEnv({ name: "c", ...container }, sources);
  return outcome.ok ? Object.fromEntries(outcome.env) : outcome.message;
}

test("env overrides envFrom, which overrides the variables of Services", () => {
  const env = envOf({
    envFrom: [{ configMapRef: { name: "settings" } }, { prefix: "S_", secretRef: { name: "key" } }],
    env: [
      { name: "a", value: "9" },
      { name: "MODE", value: "own" },
    ],
  });
  assert.deepEqual(env, { WEB_SERVICE_HOST: "10.96.0.7", MODE: "own", a: "9", b: "2", S_token: "secret" });
});

test("values refer to what stands before them", () => {
  const env = envOf({
    env: [
      { name: "FIRST", value: "1" },
      { name: "URL", value: "http://$(WEB_SERVICE_HOST)/$(FIRST)/$(LATER)/$$(FIRST)" },
      { name: "LATER", value: "x" },
    ],
  });
  assert.equal((env as Record<string, string>)["URL"], "http://10.96.0.7/1/$(LATER)/$(FIRST)");
});

test("the pod's own facts", () => {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const env = envOf({
    resources: { limits: { cpu: "1500m" } },
    env: [
      field("NAME", "metadata.name"),
      field("IP", "status.podIP"),
      field("NODE", "spec.nodeName"),
      field("ACCOUNT", "spec.serviceAccountName"),
      field("NOTE", "metadata.annotations['note']"),
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "MILLI", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
      { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
    ],
  });
  const { WEB_SERVICE_HOST: _host, MODE: _mode, ...own } = env as Record<string, string>;
  assert.deepEqual(own, {
    NAME: "web-0",
    IP: "10.244.1.2",
    NODE: "node-1",
    ACCOUNT: "runner",
    NOTE: "hi",
    CPU: "2",
    MILLI: "1500",
    MEMORY: "1024",
  });
});

test("what is missing is named in upstream's words, unless it is optional", () => {
  const from = (valueFrom: object) => envOf({ env: [{ name: "X", valueFrom }] });
  assert.equal(from({ configMapKeyRef: { name: "none", key: "a" } }), 'configmap "none" not found');
  assert.equal(from({ secretKeyRef: { name: "key", key: "b" } }), "couldn't find key b in Secret key");
  assert.equal(typeof from({ secretKeyRef: { name: "none", key: "b", optional: true } }), "object");
  assert.equal(envOf({ envFrom: [{ secretRef: { name: "none" } }] }), 'secret "none" not found');
});

test("references that are none stay as they are", () => {
  const valueOf = (name: string) => (name === "A" ? "1" : undefined);
  for (const [text, expected] of [
    ["$(A)$(A)", "11"],
    ["$A ${A} $", "$A ${A} $"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$(A", "$(A"],
  ] as const) {
    assert.equal(expand(text, valueOf), expected, text);
  }
});

test("quantities", () => {
  const texts = {
    "100m": 0.1,
    "1": 1,
    "1.5": 1.5,
    "64Mi": 67_108_864,
    "1e3": 1000,
    "2k": 2000,
    "1Gi": 2 ** 30,
    x: undefined,
  };
  for (const [text, value] of Object.entries(texts)) assert.equal(parseQuantity(text), value, text);
});

test("the hosts file names the pod, with its domain when it has one", () => {
  const base = {
    name: "web-0",
    namespace: "dev",
    clusterDomain: "cluster.local",
    addresses: ["10.244.1.2"],
    hostFile: "",
  };
  const spec = { containers: [], subdomain: "web", hostAliases: [{ ip: "1.2.3.4", hostnames: ["a", "b"] }] };
  const text = renderHosts({ ...base, spec });
  assert.match(text, /^10\.244\.1\.2\tweb-0\.web\.dev\.svc\.cluster\.local\tweb-0$/m);
  assert.match(text, /^1\.2\.3\.4\ta\tb$/m);
  assert.match(renderHosts({ ...base, spec: { containers: [] } }), /^10\.244\.1\.2\tweb-0$/m);
  const both = renderHosts({ ...base, addresses: ["10.244.1.2", "fd00::2"], spec: { containers: [] } });
  assert.match(both, /^10\.244\.1\.2\tweb-0\nfd00::2\tweb-0$/m);
});
