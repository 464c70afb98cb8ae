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
import { ask, connectedClient, startTestServer } from "../../fakes/api-server.ts";

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
  assert.equal((await whoami({ who: "nobody" })).code, 403);
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

test("an agent may do its work and nothing else", async (t) => {
  const server = await startTestServer();
  const admin = connectedClient(server);
  const agent = connectedClient(server, "agent");
  t.after(() => server.stop());
  t.after(() => admin.close());
  t.after(() => agent.close());
  await admin.create("Namespace", { metadata: { name: "n" } });
  const node = await agent.create("Node", { metadata: { name: "node-1" } });
  await agent.updateStatus("Node", node);
  const lists = ["Service", "Endpoints", "EndpointSlice", "Node", "Pod", "ConfigMap", "Secret", "Namespace"] as const;
  for (const kind of lists) await agent.list(kind);
  const metadata = { namespace: "n", name: "l" };
  await agent.create("Lease", { metadata, spec: { holderIdentity: "x" } });

  const refused = (call: Promise<unknown>) => assert.rejects(call, (error) => isApiError(error, "Forbidden"));
  await refused(agent.create("ConfigMap", { metadata }));
  await refused(agent.create("Service", { metadata, spec: { ports: [{ port: 80 }] } }));
  await refused(agent.delete("Namespace", { name: "n" }));
  await refused(agent.list("Deployment"));
  await refused(agent.list("Ingress"));
});
