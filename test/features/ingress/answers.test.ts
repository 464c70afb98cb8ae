import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { test } from "node:test";
import { createDefaultCertificate } from "#ingress/certificate.ts";
import { ingressClassManifest } from "#ingress/class.ts";
import { readOptions } from "#ingress/options.ts";
import { makePair } from "../../fakes/certificate.ts";
import { ingress, ruleFor, service, slice, startedWorld, startWorld, tlsSecret, twoHosts } from "./world.ts";

test("waitFor resolves when a write is served", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  const { metadata } = await world.client.create("Ingress", ingress("x", { rules: [ruleFor("x.example", "web")] }));
  let isServed = false;
  const served = world.running.waitFor(metadata.resourceVersion ?? "").then(() => (isServed = true));
  await world.until("served", () => isServed);
  await served;
  assert.equal(world.taken()[0]?.hosts[0]?.[0], "x.example");
  await world.running.waitFor(metadata.resourceVersion ?? "");
});

test("waitFor rejects when the controller stops", async () => {
  const world = await startedWorld(twoHosts());
  const waiting = assert.rejects(world.running.waitFor("999999"), /has stopped/);
  await world.running.stop();
  await waiting;
  await assert.rejects(world.running.waitFor("999999"), /has stopped/);
});

test("after stop nothing is sent and no timer waits", async () => {
  const world = await startedWorld(twoHosts(), { publishAddresses: ["172.30.0.254"] });
  await world.pass(500);
  await world.running.stop();
  await world.client.create("Ingress", ingress("x", { rules: [ruleFor("x.example", "web")] }));
  await world.pass(100);
  assert.deepEqual(world.taken(), []);
  assert.equal(world.clock.pending(), 0);
});

test("routes are listed with their backend, its endpoints and the host's certificate", async (t) => {
  const tls = [{ hosts: ["web.example"], secretName: "tls" }, { hosts: ["gone.example"] }];
  const rules = [ruleFor("web.example", "web"), ruleFor("gone.example", "gone")];
  const objects = [service("web"), slice("web", ["10.0.0.1", "10.0.0.2"]), ingress("web", { tls, rules })];
  const world = await startedWorld([...objects, tlsSecret("tls", await makePair("web.example"))]);
  t.after(() => world.running.stop());
  assert.deepEqual(world.running.routes(), [
    {
      id: "dev/web:gone.example/",
      host: "gone.example",
      path: "/",
      match: "prefix",
      backend: "503 no Service dev/gone",
      endpoints: 0,
      tls: "default",
    },
    {
      id: "dev/web:web.example/",
      host: "web.example",
      path: "/",
      match: "prefix",
      backend: "dev/web:80",
      endpoints: 2,
      tls: "dev/tls",
    },
  ]);
});

test("a class that becomes ours brings its Ingresses in, and out again", async (t) => {
  const spec = { ingressClassName: "fairlead", rules: [ruleFor("c.example", "web")] };
  const world = await startedWorld([...twoHosts(), ingress("c", spec)]);
  t.after(() => world.running.stop());
  assert.match(world.running.compiled().ignored.get("dev/c") ?? "", /no IngressClass has this name/);
  await world.client.create("IngressClass", ingressClassManifest());
  await world.until("in", () => world.changes.length > 1);
  assert.equal(world.taken()[0]?.hosts[0]?.[0], "c.example");
  await world.client.delete("IngressClass", { name: "fairlead" });
  await world.until("out", () => world.changes.length > 2);
  assert.deepEqual(world.taken()[0]?.hosts, [["c.example", undefined]]);
});

test("without a certificate of the user's, a default one is made", async (t) => {
  const world = await startWorld(twoHosts(), { defaultCertificate: undefined });
  t.after(() => world.running.stop());
  await world.until("the first table", () => world.changes.length > 0);
  const [id, entry] = world.changes[0]?.certificates[0] ?? assert.fail("no certificate");
  assert.equal(world.changes[0]?.defaultCertificate, id);
  const certificate = new X509Certificate(entry?.cert ?? "");
  assert.match(certificate.subject, /CN=Fairlead default certificate/);
});

test("the default certificate is a year's, self-signed, with its own key", async () => {
  const { cert, key } = await createDefaultCertificate(Date.UTC(2026, 0, 1));
  const certificate = new X509Certificate(cert);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert.equal(certificate.validToDate.getUTCFullYear(), 2027);
  assert.equal(certificate.ca, false);
});

test("the ConfigMap of ingress-nginx gives defaults, and keeps them where a value cannot be used", () => {
  const { options, refused } = readOptions({
    "proxy-body-size": "8m",
    "proxy-connect-timeout": "50k",
    "ssl-redirect": "false",
    "http-redirect-code": "301",
    "no-tls-redirect-locations": "/a, /b",
    "some-other-key": "x",
    __proto__: "x",
  });
  assert.deepEqual(options, {
    maxBodyBytes: 8 * 1024 * 1024,
    sslRedirect: false,
    redirectStatus: 301,
    noTlsRedirectPaths: ["/a", "/b"],
  });
  assert.deepEqual(refused, ["proxy-connect-timeout"]);
});
