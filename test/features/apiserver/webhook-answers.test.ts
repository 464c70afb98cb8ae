import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Status } from "#api/meta/status.ts";
import { addressOf, endpointOf } from "#apiserver/webhooks/address.ts";
import { DeniedError, readReview, reviewVersionOf } from "#apiserver/webhooks/review.ts";

const head = { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1" };

const wrongAnswers: [what: string, answer: unknown, message: RegExp][] = [
  ["no JSON", "oops", /the answer is no JSON/],
  ["a list", [], /the answer is no object/],
  ["no response", head, /^webhook response was absent$/],
  ["an empty response", { ...head, response: {} }, /^expected response.uid="u1", got ""$/],
  ["another uid", { ...head, response: { uid: "u2", allowed: true } }, /^expected response.uid="u1", got "u2"$/],
  [
    "another version",
    { ...head, apiVersion: "admission.k8s.io/v1beta1", response: { uid: "u1", allowed: true } },
    /^expected webhook response of admission.k8s.io\/v1, Kind=AdmissionReview, got admission.k8s.io\/v1beta1, Kind=AdmissionReview$/,
  ],
];
for (const [what, answer, message] of wrongAnswers) {
  test(`an answer of a webhook that is none: ${what}`, () => {
    const text = typeof answer === "string" ? answer : JSON.stringify(answer);
    assert.throws(() => readReview(text, "v1", "u1"), { message });
  });
}

test("the older AdmissionReview needs neither uid nor version", () => {
  const verdict = readReview(JSON.stringify({ response: { allowed: true, warnings: ["a", 1] } }), "v1beta1", "u1");
  assert.deepEqual(verdict, { allowed: true, status: undefined, warnings: ["a"] });
  assert.equal(reviewVersionOf(["v2", "v1beta1", "v1"]), "v1beta1");
});

test("only true allows", () => {
  const verdict = readReview(JSON.stringify({ ...head, response: { uid: "u1", allowed: "yes" } }), "v1", "u1");
  assert.equal(verdict.allowed, false);
});

const refusals: [what: string, status: Partial<Status> | undefined, expected: Partial<Status>][] = [
  ["nothing", undefined, { code: 400, message: 'admission webhook "a.b.c" denied the request without explanation' }],
  ["a message", { message: "no" }, { code: 400, message: 'admission webhook "a.b.c" denied the request: no' }],
  [
    "a reason",
    { reason: "Forbidden" },
    { code: 400, reason: "Forbidden", message: 'admission webhook "a.b.c" denied the request: Forbidden' },
  ],
  [
    "everything",
    { code: 403, reason: "Forbidden", message: "no", details: { name: "web" } },
    {
      code: 403,
      reason: "Forbidden",
      message: 'admission webhook "a.b.c" denied the request: no',
      details: { name: "web" },
    },
  ],
  [
    "a code of success",
    { code: 200 },
    { code: 400, message: 'admission webhook "a.b.c" denied the request without explanation' },
  ],
];
for (const [what, status, expected] of refusals) {
  test(`a refusal of a webhook with ${what}`, () => {
    const error = new DeniedError("a.b.c", status);
    const rest = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
    assert.deepEqual(error.toStatus(), { ...rest, ...expected });
    assert.equal(error.code, expected.code);
  });
}

test("the URL of a webhook says how long it has", () => {
  const textOf = (...config: Parameters<typeof addressOf>) => addressOf(...config).text;
  assert.equal(textOf({ url: "https://hooks.test:8443/check" }, 5), "https://hooks.test:8443/check?timeout=5s");
  const service = { namespace: "ns", name: "hook", path: "/check", port: 8443 };
  assert.equal(textOf({ service }, 10), "https://hook.ns.svc:8443/check?timeout=10s");
  assert.equal(textOf({ service: { namespace: "ns", name: "hook" } }, 10), "https://hook.ns.svc:443/?timeout=10s");
});

const service = {
  spec: {
    ports: [
      { name: "web", port: 80 },
      { name: "hook", port: 443 },
    ],
  },
} as Service;

function slice(port: number, ...addresses: [string, boolean][]): EndpointSlice {
  const endpoints = addresses.map(([address, ready]) => ({ addresses: [address], conditions: { ready } }));
  return { endpoints, ports: [{ name: "hook", port }] } as unknown as EndpointSlice;
}

function sources(slices: EndpointSlice[], known: Service | undefined = service, random = () => 0) {
  return { service: () => known, slices: () => slices, random };
}

test("a webhook behind a Service is called at one of its ready endpoints", () => {
  const config = { service: { namespace: "ns", name: "hook", port: 443 } };
  const slices = [slice(8443, ["10.0.0.1", false], ["10.0.0.2", true]), slice(9443, ["10.0.0.3", true])];
  assert.deepEqual(endpointOf(config, sources(slices)), { host: "10.0.0.2", port: 8443 });
  assert.deepEqual(
    endpointOf(
      config,
      sources(slices, service, () => 0.9),
    ),
    { host: "10.0.0.3", port: 9443 },
  );
  assert.equal(endpointOf({ url: "https://x.test" }, sources([])), undefined);
});

test("a Service that leads nowhere is said", () => {
  const config = { service: { namespace: "ns", name: "hook", port: 443 } };
  assert.throws(() => endpointOf(config, sources([])), { message: 'no endpoints available for service "hook"' });
  const other = { service: { ...config.service, port: 444 } };
  assert.throws(() => endpointOf(other, sources([])), { message: 'no service port 444 found for service "hook"' });
  const nowhere = { ...sources([]), service: () => undefined };
  assert.throws(() => endpointOf(config, nowhere), { message: 'service "hook" not found' });
});
