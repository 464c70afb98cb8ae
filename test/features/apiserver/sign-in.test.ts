import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isApiError } from "#api/meta/status.ts";
import { bootstrapRoles } from "#apiserver/bootstrap-roles.ts";
import { loadCertificates } from "#apiserver/certificates.ts";
import { parseTokenFile } from "#apiserver/start.ts";
import { createRemoteClient } from "#client/remote.ts";
import { ask, startTestServer } from "../../fakes/api-server.ts";

test("people sign in by certificate or token, and wrong proof is never taken for none", async (t) => {
  const tokens = parseTokenFile('# people\ns3cret,alice,1,"system:masters,crew"\n0ther,bob,2\n');
  const server = await startTestServer({ tokens });
  t.after(() => server.stop());
  await bootstrapRoles(server.localClient({ name: "test", groups: ["system:masters"] }));
  const whoami = async (question: Parameters<typeof ask>[2]) => {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const answer = await ask(server, path, { ...question, method: "POST", body: "{}" });
    return { code: answer.code, user: JSON.parse(answer.body.toString()).status?.userInfo };
  };
  const bearer = (token: string) => ({ who: "nobody", headers: { Authorization: `Bearer ${token}` } }) as const;

  const everybody = "system:authenticated";
  const { extra, ...admin } = (await whoami({})).user;
  assert.deepEqual(admin, { username: "fairlead-admin", groups: ["system:masters", everybody] });
  const { fingerprint256 } = new X509Certificate(server.certificates.admin.cert);
  const credential = `X509SHA256=${fingerprint256.replaceAll(":", "").toLowerCase()}`;
  assert.deepEqual(extra, { "authentication.kubernetes.io/credential-id": [credential] });
  const groups = ["system:masters", "crew", everybody];
  assert.deepEqual((await whoami(bearer("s3cret"))).user, { username: "alice", groups });
  assert.deepEqual((await whoami(bearer("0ther"))).user, { username: "bob", groups: [everybody] });
  assert.equal((await whoami(bearer("s3cre"))).code, 401);
  assert.equal((await whoami({ who: "nobody", headers: { Authorization: "Basic YTpi" } })).code, 401);
  assert.equal((await whoami({ who: "nobody" })).code, 401);
  assert.equal((await ask(server, "/api/v1/services", bearer("0ther"))).code, 403);

  const directory = mkdtempSync(join(tmpdir(), "fairlead-pki-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const foreign = await loadCertificates({ directory });
  assert.equal((await whoami({ who: foreign.admin })).code, 401);

  // A client that trusts another authority does not even ask.
  const stranger = createRemoteClient({ server: server.url, ca: foreign.ca, token: "s3cret" });
  t.after(() => stranger.close());
  await assert.rejects(stranger.list("Service"), (error) => isApiError(error, "ServiceUnavailable"));
  assert.throws(() => parseTokenFile("a,b\n"), /line 1/);
});

/** What is answered to who shows nothing, by default and where anonymous clients are let in. */
const unproven: readonly (readonly [path: string, byDefault: number, letIn: number])[] = [
  ["/healthz", 200, 200],
  ["/livez?verbose", 200, 200],
  ["/readyz/etcd", 200, 200],
  ["/version", 401, 200],
  ["/healthz-not", 401, 403],
  ["/api", 401, 403],
  ["/api/v1/healthz", 401, 403],
  ["/openid/v1/jwks", 401, 403],
  ["/api/v1/namespaces/default/pods", 401, 403],
];

test("who shows no proof gets health checks only, unless anonymous clients are let in", async (t) => {
  const strict = await startTestServer();
  t.after(() => strict.stop());
  const open = await startTestServer({ anonymousAuth: true });
  t.after(() => open.stop());
  for (const server of [strict, open]) {
    await bootstrapRoles(server.localClient({ name: "test", groups: ["system:masters"] }));
  }
  for (const [path, byDefault, letIn] of unproven) {
    assert.equal((await ask(strict, path, { who: "nobody" })).code, byDefault, path);
    assert.equal((await ask(open, path, { who: "nobody" })).code, letIn, `${path} with anonymous clients`);
  }
  const { message, reason } = JSON.parse((await ask(strict, "/api", { who: "nobody" })).body.toString());
  assert.deepEqual([message, reason], ["Unauthorized", "Unauthorized"]);
});
