import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmissionRequest } from "#api/admission.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { IngressClass } from "#api/networking/ingressclass/kind.ts";
import { createIngressClassAdmission } from "#controllers/ingress-class/admission.ts";

function ingressClass(name: string, creationTimestamp: string, isDefault = "true"): IngressClass {
  const annotations = { "ingressclass.kubernetes.io/is-default-class": isDefault };
  const metadata = { name, creationTimestamp, annotations };
  return { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", metadata, spec: { controller: "example.com/x" } };
}

async function classOf(parts: Partial<AdmissionRequest>, classes: IngressClass[], ingress: Partial<Ingress> = {}) {
  const object: Ingress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: "dev" },
    spec: {},
    ...ingress,
  };
  const user = { name: "admin", groups: [] };
  const request = { operation: "CREATE" as const, kind: "Ingress" as const, object, dryRun: false, user, warn() {} };
  await createIngressClassAdmission({ listClasses: () => classes }).admit({ ...request, ...parts });
  return object.spec.ingressClassName;
}

const old = ingressClass("old", "2026-01-01T00:00:00Z");
const newer = ingressClass("newer", "2026-01-02T00:00:00Z");

test("a new Ingress without class gets the default one, of several the newest", async () => {
  assert.equal(await classOf({}, [old, ingressClass("no", "2026-02-01T00:00:00Z", "false")]), "old");
  assert.equal(await classOf({}, [old, newer, ingressClass("also", "2026-01-02T00:00:00Z")]), "also");
});

test("a class that is named, by field or annotation, stays; updates are left alone", async () => {
  const metadata = { name: "web", namespace: "dev", annotations: { "kubernetes.io/ingress.class": "mine" } };
  assert.equal(await classOf({}, [old], { spec: { ingressClassName: "mine" } }), "mine");
  assert.equal(await classOf({}, [old], { metadata }), undefined);
  assert.equal(await classOf({ operation: "UPDATE" }, [old]), undefined);
  assert.equal(await classOf({}, []), undefined);
});
