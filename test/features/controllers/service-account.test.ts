import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod, PodSpec } from "#api/core/pod/kind.ts";
import type { ServiceAccount } from "#api/core/serviceaccount/kind.ts";
import { isApiError } from "#api/meta/status.ts";
import { createFakeClient } from "#client/fake.ts";
import { createServiceAccountAdmission, mountPath } from "#controllers/service-account/admission.ts";
import { manualClock } from "../../fakes/clock.ts";
import { namespace } from "./cluster.ts";

const container = (name: string, more: Partial<Container> = {}): Container => ({ name, image: "x", ...more });

function ground(account: Partial<ServiceAccount> = {}) {
  const metadata = { name: "bot", namespace: "dev" };
  const clock = manualClock();
  const client = createFakeClient([
    namespace("dev"),
    { apiVersion: "v1", kind: "ServiceAccount", ...account, metadata },
  ]);
  const admission = createServiceAccountAdmission({ client: () => client, clock, nameSuffix: () => "abcde" });
  const admit = async (spec: Partial<PodSpec>, operation: "CREATE" | "UPDATE" = "CREATE"): Promise<PodSpec> => {
    const object: Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "dev" },
      spec: { containers: [container("main")], serviceAccountName: "bot", ...spec },
    };
    const user = { name: "test", groups: [] };
    await admission.admit({ operation, kind: "Pod", object, dryRun: false, user, warn: () => {} });
    return object.spec;
  };
  return { admit, client, clock };
}

test("every container gets the account's folder, one that has its own keeps it", async () => {
  const { admit } = ground();
  const own = { name: "mine", mountPath };
  const spec = await admit({
    initContainers: [container("first")],
    containers: [
      container("main", { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
      container("own", { volumeMounts: [own] }),
    ],
    volumes: [{ name: "data", emptyDir: {} }],
  });
  const mount = { name: "kube-api-access-abcde", readOnly: true, mountPath };
  assert.deepEqual(spec.initContainers?.[0]?.volumeMounts, [mount]);
  assert.deepEqual(spec.containers[0]?.volumeMounts, [{ name: "data", mountPath: "/data" }, mount]);
  assert.deepEqual(spec.containers[1]?.volumeMounts, [own]);
  assert.deepEqual(spec.volumes?.[1], {
    name: "kube-api-access-abcde",
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  });
});

const automounts: readonly (readonly [account: boolean | undefined, pod: boolean | undefined, mounted: boolean])[] = [
  [undefined, undefined, true],
  [false, undefined, false],
  [false, true, true],
  [true, false, false],
  [undefined, false, false],
];

for (const [byAccount, byPod, mounted] of automounts) {
  test(`automountServiceAccountToken ${byAccount} of the account and ${byPod} of the pod: ${mounted ? "" : "not "}mounted`, async () => {
    const { admit } = ground(byAccount === undefined ? {} : { automountServiceAccountToken: byAccount });
    const { volumes = [] } = await admit(byPod === undefined ? {} : { automountServiceAccountToken: byPod });
    assert.equal(volumes.length, mounted ? 1 : 0);
  });
}

test("a volume of that name is used, and pull secrets are taken over where the pod has none", async () => {
  const { admit } = ground({ imagePullSecrets: [{ name: "pull" }] });
  const volume = { name: "kube-api-access-given", emptyDir: {} };
  const spec = await admit({ volumes: [volume] });
  assert.deepEqual(spec.volumes, [volume]);
  assert.equal(spec.containers[0]?.volumeMounts?.[0]?.name, "kube-api-access-given");
  assert.deepEqual(spec.imagePullSecrets, [{ name: "pull" }]);
  assert.deepEqual((await admit({ imagePullSecrets: [{ name: "own" }] })).imagePullSecrets, [{ name: "own" }]);
});

test("a pod whose account is not there is refused, and one that is there already is left alone", async () => {
  const { admit } = ground();
  await assert.rejects(admit({ serviceAccountName: "none" }), (error) => {
    assert.ok(isApiError(error, "Forbidden"));
    const why = 'error looking up service account dev/none: serviceaccount "none" not found';
    assert.equal(error.message, `pods "web" is forbidden: ${why}`);
    return true;
  });
  assert.equal((await admit({}, "UPDATE")).volumes, undefined);
});

test("the default account of a new namespace is waited for, for two seconds", async () => {
  const { admit, client, clock } = ground();
  const soon = admit({ serviceAccountName: "default" });
  await client.create("ServiceAccount", { metadata: { name: "default", namespace: "dev" } });
  assert.equal((await soon).volumes?.length, 1);
  assert.equal(clock.pending(), 0);

  await client.delete("ServiceAccount", { name: "default", namespace: "dev" });
  const never = assert.rejects(admit({ serviceAccountName: "default" }), /serviceaccount "default" not found/);
  await new Promise(setImmediate);
  clock.advance(2000);
  await never;
});
