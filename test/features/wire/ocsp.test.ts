import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test, type TestContext } from "node:test";
import { certificateId, readOcspResponse, writeOcspRequest } from "#wire/ocsp.ts";
import { createAuthority, type Authority } from "../../fakes/authority.ts";
import { answerOcsp, ocspFiles } from "../../fakes/ocsp-responder.ts";

function idOf(cert: string, authority: Authority) {
  return certificateId(new X509Certificate(cert), new X509Certificate(authority.cert)) ?? assert.fail("no id");
}

function answer(
  t: TestContext,
  authority: Authority,
  cert: string,
  known: readonly string[],
  revoked: readonly string[] = [],
) {
  const files = ocspFiles(authority, known, revoked);
  t.after(() => files.remove());
  return answerOcsp(files, writeOcspRequest(idOf(cert, authority)));
}

test("openssl understands the request, and its response is good for a week", async (t) => {
  const root = await createAuthority("CN=Root");
  const { cert } = await root.sign("CN=a", { names: "a.example" });
  const bytes = answer(t, root, cert, [cert]);
  const issuer = new X509Certificate(root.cert);
  const now = Date.now();
  const outcome = readOcspResponse(bytes, idOf(cert, root), issuer, now);
  assert.equal(outcome.type, "good");
  if (outcome.type !== "good") return;
  assert.ok(Math.abs(outcome.thisUpdate - now) < 600_000);
  assert.equal(outcome.nextUpdate, outcome.thisUpdate + 7 * 24 * 3600 * 1000);
});

test("whatever is wrong with a response has a name", async (t) => {
  const [root, other] = [await createAuthority("CN=Root"), await createAuthority("CN=Root")];
  const [a, b] = [await root.sign("CN=a"), await root.sign("CN=b")];
  const issuer = new X509Certificate(root.cert);
  const now = Date.now();
  const good = answer(t, root, a.cert, [a.cert]);
  const read = (bytes: Buffer, cert = a.cert, at = now, from = issuer) => {
    const outcome = readOcspResponse(bytes, idOf(cert, root), from, at);
    return outcome.type === "good" ? "good" : outcome.reason;
  };
  const day = 24 * 3600 * 1000;
  assert.equal(read(good), "good");
  assert.equal(read(good, b.cert), "it is about another certificate");
  assert.equal(read(good, a.cert, now + 8 * day), "its time is over");
  assert.equal(read(good, a.cert, now - day), "its time has not come");
  assert.equal(read(answer(t, root, a.cert, [a.cert], [a.cert])), "the certificate was revoked");
  assert.equal(read(answer(t, root, a.cert, [])), "the certificate is not known");
  assert.equal(read(good, a.cert, now, new X509Certificate(other.cert)), "it is signed by somebody else");
  assert.equal(read(Buffer.from("30030a0103", "hex")), "the responder says: try later");
  assert.equal(read(Buffer.from("<html>")), "it is no OCSP response");
  for (let end = 0; end < good.length; end += 1) assert.notEqual(read(good.subarray(0, end)), "good", `cut at ${end}`);
  // What it says of the certificate is signed.
  const { serial } = idOf(a.cert, root);
  const said = good.indexOf(serial);
  for (let at = said; at < said + 40; at += 1) {
    const changed = Buffer.from(good);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.notEqual(read(changed), "good", `changed at ${at - said}`);
  }
});
