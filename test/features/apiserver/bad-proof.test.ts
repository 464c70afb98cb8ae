import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadCertificates } from "#apiserver/certificates.ts";
import { ask, byToken, startTestServer, type Question } from "../../fakes/api-server.ts";
import { manualClock } from "../../fakes/clock.ts";
import { watchedLog } from "../../fakes/log.ts";

test("forged and outlived tokens, and certificates of another authority, are answered 401", async (t) => {
  const clock = manualClock(Date.now());
  const { log, faults } = watchedLog();
  const server = await startTestServer({ clock, log });
  t.after(() => server.stop());
  const client = server.localClient({ name: "test", groups: ["system:masters"] });
  await client.create("Namespace", { metadata: { name: "n" } });
  await client.create("ServiceAccount", { metadata: { name: "bot", namespace: "n" } });
  const request = JSON.stringify({ spec: { expirationSeconds: 600 } });
  const asked = await ask(server, "/api/v1/namespaces/n/serviceaccounts/bot/token", { method: "POST", body: request });
  const { token } = JSON.parse(asked.body.toString()).status as { token: string };
  const whoAmI = async (proof: Question) => {
    const answer = await ask(server, "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      method: "POST",
      body: "{}",
      ...proof,
    });
    const { reason, message, code } = JSON.parse(answer.body.toString());
    return answer.code === 401 ? `${code} ${reason} ${message}` : answer.code;
  };
  const unauthorized = "401 Unauthorized Unauthorized";
  assert.equal(await whoAmI(byToken(token)), 403, "it counts, and may nothing yet");

  const [head = "", body = "", signature = ""] = token.split(".");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  const foreign = createSign("sha256").update(`${head}.${body}`).sign({ key, dsaEncoding: "ieee-p1363" });
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
  const longer = Buffer.from(JSON.stringify({ ...claims, exp: 9e9 })).toString("base64url");
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  const forged = [
    `${head}.${body}.${foreign.toString("base64url")}`,
    `${head}.${longer}.${signature}`,
    `${none}.${longer}.`,
    `${head}.${body}`,
    "x",
    "a".repeat(10_000),
  ];
  for (const text of forged) assert.equal(await whoAmI(byToken(text)), unauthorized, text);
  clock.advance(599_000);
  assert.equal(await whoAmI(byToken(token)), 403);
  clock.advance(2000);
  assert.equal(await whoAmI(byToken(token)), unauthorized, "past its time");

  const directory = mkdtempSync(join(tmpdir(), "fairlead-pki-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const elsewhere = await loadCertificates({ directory });
  assert.equal(await whoAmI({ who: elsewhere.admin }), unauthorized, "another authority");
  const distrusted = (error: NodeJS.ErrnoException) => /SELF_SIGNED_CERT|UNABLE_TO_VERIFY/.test(error.code ?? "");
  await assert.rejects(ask({ ...server, certificates: elsewhere }, "/readyz"), distrusted);
  assert.equal((await ask(server, "/readyz")).code, 200);
  assert.deepEqual(faults, []);
});
