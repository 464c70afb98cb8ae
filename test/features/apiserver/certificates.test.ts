import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadCertificates } from "#apiserver/certificates.ts";

const day = 24 * 3600 * 1000;

test("certificates are issued once, kept private, and issued anew when they near their end or lack a name", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-pki-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const now = Date.UTC(2026, 5, 1);
  const nodes = ["node-1"];
  const first = await loadCertificates({ directory, now, nodes, names: ["172.30.0.254", "api.example.org"] });
  for (const file of readdirSync(directory)) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
  assert.equal(statSync(directory).mode & 0o777, 0o700);

  const server = new X509Certificate(first.server.cert);
  for (const name of ["localhost", "kubernetes", "kubernetes.default.svc.cluster.local", "api.example.org"]) {
    assert.ok(server.checkHost(name), name);
  }
  for (const address of ["127.0.0.1", "10.96.0.1", "172.30.0.254"]) assert.ok(server.checkIP(address), address);
  assert.ok(server.verify(new X509Certificate(first.ca).publicKey));
  assert.equal(server.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert.match(new X509Certificate(first.admin.cert).subject, /O=system:masters/);
  const node = new X509Certificate(first.nodes["node-1"]?.cert ?? "");
  assert.match(node.subject, /O=system:nodes\nCN=system:node:node-1/);
  assert.equal(new X509Certificate(first.proxy.cert).subject, "CN=system:kube-proxy");

  // Asking for less than there is changes nothing.
  assert.deepEqual(await loadCertificates({ directory, now: now + day, nodes }), first);
  const named = await loadCertificates({ directory, now, names: ["192.0.2.7"] });
  assert.equal(named.ca, first.ca);
  assert.deepEqual(named.admin, first.admin);
  assert.ok(new X509Certificate(named.server.cert).checkIP("192.0.2.7"));

  const later = await loadCertificates({ directory, now: now + 340 * day, names: ["192.0.2.7"] });
  assert.equal(later.ca, first.ca);
  assert.notEqual(later.admin.cert, first.admin.cert);
  assert.equal(later.tokenKey, first.tokenKey, "tokens that were given out go on");

  // A key that does not fit its certificate is no pair.
  writeFileSync(join(directory, "kube-proxy.key"), readFileSync(join(directory, "admin.key")));
  const mended = await loadCertificates({ directory, now: now + 340 * day });
  assert.notEqual(mended.proxy.cert, later.proxy.cert);
  assert.deepEqual(mended.admin, later.admin);

  writeFileSync(join(directory, "service-accounts.key"), "nothing");
  const keyed = await loadCertificates({ directory, now: now + 340 * day });
  assert.match(keyed.tokenKey, /^-----BEGIN PRIVATE KEY-----/);
  assert.notEqual(keyed.tokenKey, first.tokenKey);
});
