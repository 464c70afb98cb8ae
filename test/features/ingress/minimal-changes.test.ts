import assert from "node:assert/strict";
import { test } from "node:test";
import { makePair } from "../../fakes/certificate.ts";
import { ingress, ruleFor, service, slice, startedWorld, startWorld, tlsSecret, touched, twoHosts } from "./world.ts";

test("the first table comes whole, with the default certificate", async (t) => {
  const world = await startWorld(twoHosts());
  t.after(() => world.running.stop());
  await world.until("the first table", () => world.changes.length > 0);
  const [first] = world.taken();
  assert.ok(first);
  assert.deepEqual(touched(first), {
    hosts: ["api.example", "web.example"],
    backends: ["dev/api:80", "dev/web:80"],
    certificates: ["default"],
  });
  assert.equal(first.defaultCertificate, "default");
  await world.running.ready;
});

test("an endpoint change touches its backend only", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  await world.client.update("EndpointSlice", slice("web", ["10.0.0.9"]));
  await world.until("a change", () => world.changes.length > 1);
  const [change] = world.taken();
  assert.ok(change);
  assert.deepEqual(touched(change), { hosts: [], backends: ["dev/web:80"], certificates: [] });
  assert.deepEqual(change.backends[0]?.[1]?.endpoints, [{ address: "10.0.0.9", port: 8080 }]);
});

test("an Ingress change touches its host only", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  const annotations = { "nginx.ingress.kubernetes.io/proxy-body-size": "10m" };
  await world.client.update("Ingress", ingress("web", { rules: [ruleFor("web.example", "web")] }, annotations));
  await world.until("a change", () => world.changes.length > 1);
  const [change] = world.taken();
  assert.ok(change);
  assert.deepEqual(touched(change), { hosts: ["web.example"], backends: [], certificates: [] });
  assert.equal(change.hosts[0]?.[1]?.routes[0]?.maxBodyBytes, 10 * 1024 * 1024);
});

test("a new Ingress brings its host and its backend, a deleted one takes them away", async (t) => {
  const world = await startedWorld([...twoHosts(), service("new"), slice("new", ["10.0.0.7"])]);
  t.after(() => world.running.stop());
  await world.client.create("Ingress", ingress("new", { rules: [ruleFor("new.example", "new")] }));
  await world.until("a change", () => world.changes.length > 1);
  assert.deepEqual(world.taken().map(touched), [
    { hosts: ["new.example"], backends: ["dev/new:80"], certificates: [] },
  ]);
  await world.client.delete("Ingress", { namespace: "dev", name: "new" });
  await world.until("a change", () => world.changes.length > 2);
  assert.deepEqual(world.taken().map(touched), [
    { hosts: ["-new.example"], backends: ["-dev/new:80"], certificates: [] },
  ]);
});

test("a renewed certificate touches the certificate only", async (t) => {
  const tls = [{ hosts: ["web.example"], secretName: "tls" }];
  const objects = [...twoHosts(), ingress("tls", { tls, rules: [{ host: "web.example" }] })];
  const world = await startedWorld([...objects, tlsSecret("tls", await makePair("web.example"))]);
  t.after(() => world.running.stop());
  const renewed = await makePair("web.example");
  await world.client.update("Secret", tlsSecret("tls", renewed));
  await world.until("a change", () => world.changes.length > 1);
  const [change] = world.taken();
  assert.ok(change);
  assert.deepEqual(touched(change), { hosts: [], backends: [], certificates: ["dev/tls"] });
  assert.equal(change.certificates[0]?.[1]?.cert, renewed.cert);
});

test("a change that alters nothing in the tables is not sent, and still counts as applied", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  const labelled = { ...service("web"), metadata: { namespace: "dev", name: "web", labels: { a: "b" } } };
  const { metadata } = await world.client.update("Service", labelled);
  const revision = metadata.resourceVersion ?? assert.fail("no revision");
  await world.until("applied", () => world.running.applied() === revision);
  assert.deepEqual(world.taken(), []);
});

test("a burst of changes is one change of the tables", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  for (const name of ["a", "b", "c", "d"]) {
    await world.client.create("Ingress", ingress(name, { rules: [ruleFor(`${name}.example`, "web")] }));
  }
  await world.until("a change", () => world.changes.length > 1);
  const [change, ...more] = world.taken();
  assert.ok(change);
  assert.deepEqual(touched(change).hosts, ["a.example", "b.example", "c.example", "d.example"]);
  assert.deepEqual(more, []);
});
