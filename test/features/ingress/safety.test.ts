import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableChange } from "#dataplane/table.ts";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import { makePair } from "../../fakes/certificate.ts";
import { ingress, replaceIngress, ruleFor, service, startedWorld, startWorld, tlsSecret, twoHosts } from "./world.ts";

test("an update that cannot be taken leaves the last good version in force", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  const bad = { "nginx.ingress.kubernetes.io/permanent-redirect": "https://x.example/$1" };
  await replaceIngress(world, ingress("web", { rules: [ruleFor("elsewhere.example", "web")] }, bad));
  await world.until("a problem", () => world.running.problems().length > 0);
  assert.equal(world.running.problems()[0]?.code, "annotation-invalid");
  assert.deepEqual([...world.running.compiled().hosts.keys()], ["api.example", "web.example"]);
  assert.deepEqual(world.taken(), []);
});

test("one Ingress that cannot be taken disturbs no other", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  const bad = { "nginx.ingress.kubernetes.io/server-snippet": "return 200;" };
  await world.client.create("Ingress", ingress("bad", { rules: [ruleFor("bad.example", "web")] }, bad));
  await world.until("a problem", () => world.running.problems().length > 0);
  assert.deepEqual(world.taken(), []);
});

test("a change that the data plane refuses is given again until it is taken", async (t) => {
  const taken: TableChange[] = [];
  let refusals = 3;
  const dataplane = {
    apply(change: TableChange) {
      refusals -= 1;
      if (refusals >= 0) return Promise.reject(new Error("a worker is gone"));
      taken.push(change);
      return Promise.resolve();
    },
  };
  const world = await startWorld(twoHosts(), { dataplane });
  t.after(() => world.running.stop());
  await world.until("the change", () => taken.length > 0);
  assert.deepEqual(
    taken[0]?.hosts.map(([name]) => name),
    ["api.example", "web.example"],
  );
  await world.until("applied", () => world.running.applied() !== "0");
});

test("changes stay in order while the data plane is slow", async (t) => {
  const order: string[] = [];
  let release: () => void = () => {};
  const dataplane = {
    apply(change: TableChange) {
      order.push(...change.hosts.map(([name]) => name));
      return new Promise<void>((resolve) => (release = resolve));
    },
  };
  const world = await startWorld(twoHosts(), { dataplane });
  t.after(() => world.running.stop());
  await world.until("the first table", () => order.length === 2);
  await world.client.create("Ingress", ingress("x", { rules: [ruleFor("x.example", "web")] }));
  await world.client.create("Ingress", ingress("y", { rules: [ruleFor("y.example", "web")] }));
  await world.pass(50);
  assert.equal(order.length, 2, "nothing is sent before the first is acknowledged");
  release();
  await world.until("both", () => order.length === 4);
  assert.deepEqual(order.slice(2), ["x.example", "y.example"]);
  release();
});

test("only the Secrets that Ingresses name are ever read", async (t) => {
  const fake = createFakeClient([
    service("web"),
    tlsSecret("named", await makePair("web.example")),
    tlsSecret("other", await makePair("x.example")),
    ingress("web", { tls: [{ hosts: ["web.example"], secretName: "named" }], rules: [ruleFor("web.example", "web")] }),
  ]);
  const asked: unknown[] = [];
  const client: Client = {
    ...fake,
    list(kind, scope) {
      if (kind === "Secret") asked.push(scope);
      return fake.list(kind, scope);
    },
  };
  const world = await startWorld([], { client });
  t.after(() => world.running.stop());
  await world.until("the first table", () => world.changes.length > 0);
  assert.deepEqual(asked, [{ namespace: "dev", fieldSelector: "metadata.name=named" }]);
});

test("the first table waits for the certificate, so no client sees the wrong one", async (t) => {
  const tls = [{ hosts: ["web.example"], secretName: "tls" }];
  const objects = [service("web"), ingress("web", { tls, rules: [ruleFor("web.example", "web")] })];
  const world = await startWorld([...objects, tlsSecret("tls", await makePair("web.example"))]);
  t.after(() => world.running.stop());
  await world.until("the first table", () => world.changes.length > 0);
  assert.equal(world.changes[0]?.hosts[0]?.[1]?.certificate, "dev/tls");
});

test("a Secret that cannot be read holds nothing up for long", async (t) => {
  const tls = [{ hosts: ["web.example"], secretName: "tls" }];
  const fake = createFakeClient([service("web"), ingress("web", { tls, rules: [ruleFor("web.example", "web")] })]);
  const client: Client = {
    ...fake,
    list: (kind, scope) => (kind === "Secret" ? Promise.reject(new Error("forbidden")) : fake.list(kind, scope)),
  };
  const world = await startWorld([], { client });
  t.after(() => world.running.stop());
  await world.until("the first table", () => world.changes.length > 0);
  assert.ok(world.clock.monotonic() < 400);
  assert.equal(world.changes[0]?.hosts[0]?.[1]?.certificate, undefined);
});

test("a Secret that no Ingress names any more is forgotten with its certificate", async (t) => {
  const tls = [{ hosts: ["web.example"], secretName: "tls" }];
  const objects = [service("web"), ingress("web", { tls, rules: [ruleFor("web.example", "web")] })];
  const world = await startedWorld([...objects, tlsSecret("tls", await makePair("web.example"))]);
  t.after(() => world.running.stop());
  await world.client.update("Ingress", ingress("web", { rules: [ruleFor("web.example", "web")] }));
  await world.until("a change", () => world.changes.length > 1);
  assert.deepEqual(world.taken()[0]?.certificates, [["dev/tls", undefined]]);
});
