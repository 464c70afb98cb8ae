import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#api/meta/object.ts";
import { createFakeClient } from "#client/fake.ts";
import { defaultOptions } from "#roles/options.ts";
import { waitServed } from "#roles/wait.ts";

const ingress = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "dev", name: "good" },
  spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
} as KubeObject;

test("an Ingress whose Service does not exist is told, and an hour's patience is not spent on it", async () => {
  const warnings: string[] = [];
  const waits: never = { waitFor: async () => {} } as never;
  const isServed = await waitServed(
    createFakeClient([ingress]),
    { agent: undefined, dns: waits, ingress: waits },
    { ...defaultOptions, dataDir: "", waitTimeoutSeconds: 3600 },
    (event) => event.type === "warning" && warnings.push(event.text),
    new AbortController().signal,
  );
  assert.equal(isServed, false);
  assert.deepEqual(warnings, ["ingress dev/good: service dev/web does not exist"]);
});
