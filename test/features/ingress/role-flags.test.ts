import assert from "node:assert/strict";
import { test } from "node:test";
import { checkIngressFlags, type IngressRoleOptions } from "#roles/ingress-options.ts";

const good: IngressRoleOptions = {
  httpPort: 80,
  httpsPort: 443,
  healthz: "10254",
  ingressClass: "fairlead",
  controllerClasses: ["fairlead.dev/ingress"],
  watchIngressWithoutClass: false,
  publishStatusAddresses: [],
  reportNodeInternalIpAddress: false,
  updateStatus: true,
  electionId: "leader",
  electionNamespace: "kube-system",
  accessLogFormat: "line",
  runAs: "1000",
  drainSeconds: 0,
};

for (const [healthz, expected] of [
  ["10254", { address: "0.0.0.0", port: 10254 }],
  [":1", { address: "0.0.0.0", port: 1 }],
  ["127.0.0.1:0", { address: "127.0.0.1", port: 0 }],
  ["[::1]:10254", { address: "::1", port: 10254 }],
] as const) {
  test(`--healthz ${healthz}`, () => {
    assert.deepEqual(checkIngressFlags({ ...good, healthz }).healthz, expected);
  });
}

test("an account's group is its own number unless another one is said", () => {
  assert.deepEqual(checkIngressFlags(good).account, { uid: 1000, gid: 1000 });
  assert.deepEqual(checkIngressFlags({ ...good, runAs: "1000:7" }).account, { uid: 1000, gid: 7 });
});

test("all that is wrong is told at once", () => {
  const wrong = {
    ...good,
    httpPort: 0,
    healthz: "here",
    runAs: "0:0",
    publishService: "front",
    configmap: "dev/a",
    ingressConfig: "file",
  };
  assert.throws(
    () => checkIngressFlags(wrong),
    /--http-port: 0 is not a port\n--publish-service: front is not NAMESPACE\/NAME\n--configmap and --ingress-config both.*\n--healthz: here.*\n--run-as: 0:0 is not UID:GID of somebody else than root/,
  );
});
