import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Secret } from "#api/core/secret/kind.ts";
import { createAuthority } from "../../fakes/authority.ts";
import { eventually } from "../../fakes/eventually.ts";
import { startEcho, startEntry } from "./entry.ts";

test("curl gets in with a certificate of the Secret's authority only, over HTTP/1.1 and HTTP/2", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-client-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [root, other] = [await createAuthority("CN=Root"), await createAuthority("CN=Other")];
  const paths = async (name: string, authority: typeof root) => {
    const { cert, key } = await authority.sign(`CN=${name}`);
    writeFileSync(join(dir, `${name}.crt`), cert);
    writeFileSync(join(dir, `${name}.key`), key);
    return ["--cert", join(dir, `${name}.crt`), "--key", join(dir, `${name}.key`)];
  };
  const secretOf = (ca: string): Secret => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "dev", name: "ca" },
    data: { "ca.crt": Buffer.from(ca).toString("base64") },
  });
  const annotations = { "auth-tls-secret": "dev/ca", "auth-tls-pass-certificate-to-upstream": "true" };
  const entry = await startEntry(t, [await startEcho(t)], { annotations, objects: [secretOf(root.cert)], tls: true });
  const [ann, bob] = [await paths("ann", root), await paths("bob", other)];
  for (const version of ["--http1.1", "--http2"]) {
    const served = await entry.curl("https:/", version, ...ann);
    assert.equal(served.status, 200, version);
    assert.match(served.body, /^ssl-client-verify: SUCCESS$/m);
    assert.match(served.body, /^ssl-client-subject-dn: CN=ann$/m);
    assert.match(served.body, /^ssl-client-cert: -----BEGIN%20CERTIFICATE-----%0A/m);
    assert.match((await entry.curl("https:/", version)).body, /No required SSL certificate was sent/);
    assert.match((await entry.curl("https:/", version, ...bob)).body, /The SSL certificate error/);
    assert.equal((await entry.curl("https:/", version, "-H", "Host: other.test", ...ann)).status, 404);
  }
  assert.equal((await entry.curl("/")).status, 308);
  // Another authority takes the place of the first.
  await entry.client.update("Secret", secretOf(other.cert));
  await eventually(async () => assert.equal((await entry.curl("https:/", ...bob)).status, 200));
  assert.equal((await entry.curl("https:/", ...ann)).status, 400);
  await entry.client.delete("Secret", { namespace: "dev", name: "ca" });
  await eventually(async () => assert.equal((await entry.curl("https:/", ...bob)).status, 403));
});
