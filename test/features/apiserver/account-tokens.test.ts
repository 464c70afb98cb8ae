import assert from "node:assert/strict";
import { createHmac, createPublicKey, createSign, generateKeyPairSync, verify } from "node:crypto";
import { test } from "node:test";
import type { ServiceAccount } from "#api/core/serviceaccount/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { createAccountTokens } from "#apiserver/auth/tokens/accounts.ts";
import { generateTokenKey, readTokenKey } from "#apiserver/auth/tokens/key.ts";
import { manualClock } from "../../fakes/clock.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
const account: ServiceAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "bot", namespace: "dev", uid: "u1" },
};
const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "dev", uid: "u2" } };

function ground() {
  const clock = manualClock();
  const objects = new Map<string, KubeObject>([
    ["ServiceAccount dev/bot", account],
    ["Pod dev/web", pod],
  ]);
  const find = (kind: string, { namespace, name }: { namespace?: string; name: string }) =>
    objects.get(`${kind} ${namespace}/${name}`);
  const pem = generateTokenKey();
  const tokens = createAccountTokens({ key: readTokenKey(pem), issuer, clock, find });
  const issue = (bound: { pod?: KubeObject } = {}, audiences = [issuer], seconds = 600) =>
    tokens.issue({ account, ...bound }, audiences, seconds, clock.now());
  return { clock, objects, pem, tokens, issue, counts: (token: string) => tokens.read(token, [issuer]) !== undefined };
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part = "") => JSON.parse(Buffer.from(part, "base64url").toString());

test("a token says who it is for, from whom and how long, and anybody can check it with the public key", () => {
  const { tokens, issue, clock } = ground();
  const [head = "", body = "", signature = ""] = issue({ pod }).split(".");
  assert.deepEqual(decode(head), { alg: "ES256", kid: tokens.publicKey["kid"] });
  const { jti, ...claims } = decode(body);
  assert.match(jti, /^[0-9a-f-]{36}$/);
  const now = clock.now() / 1000;
  assert.deepEqual(claims, {
    aud: [issuer],
    exp: now + 600,
    iat: now,
    iss: issuer,
    nbf: now,
    sub: "system:serviceaccount:dev:bot",
    "kubernetes.io": {
      namespace: "dev",
      serviceaccount: { name: "bot", uid: "u1" },
      pod: { name: "web", uid: "u2" },
    },
  });
  const key = createPublicKey({ key: { ...tokens.publicKey }, format: "jwk" });
  const dsaEncoding = "ieee-p1363" as const;
  const proof = Buffer.from(signature, "base64url");
  assert.ok(verify("sha256", Buffer.from(`${head}.${body}`), { key, dsaEncoding }, proof));
});

test("a token counts within its time only", () => {
  const { clock, issue, counts } = ground();
  const token = issue();
  assert.ok(counts(token));
  clock.advance(599_000);
  assert.ok(counts(token));
  clock.advance(1000);
  assert.ok(!counts(token));
  clock.advance(-700_000);
  assert.ok(!counts(token), "before it was given");
});

test("a token falls with its account and with what it is bound to", () => {
  for (const key of ["ServiceAccount dev/bot", "Pod dev/web"]) {
    const { clock, objects, issue, counts } = ground();
    const token = issue({ pod });
    const object = objects.get(key) as KubeObject;
    const other = { ...object, metadata: { ...object.metadata, uid: "another" } };
    objects.set(key, other);
    assert.ok(!counts(token), `another ${key}`);
    const going = { ...object.metadata, deletionTimestamp: new Date(clock.now()).toISOString() };
    objects.set(key, { ...object, metadata: going });
    assert.ok(counts(token), `a ${key} that ends needs its token to end well`);
    clock.advance(60_000);
    assert.ok(!counts(token), `a ${key} that should long be gone`);
    objects.delete(key);
    assert.ok(!counts(token), `no ${key}`);
  }
});

test("a token without an end counts as long as its Secret holds it", () => {
  const { clock, objects, tokens, counts } = ground();
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "dev", uid: "u3" } };
  const token = tokens.issue({ account, secret }, [issuer], undefined, clock.now());
  const hold = (text: string | undefined, uid = "u3") => {
    const data = text === undefined ? {} : { data: { token: Buffer.from(text).toString("base64") } };
    objects.set("Secret dev/s", { ...secret, metadata: { ...secret.metadata, uid }, ...data });
  };
  assert.ok(!counts(token), "there is no Secret");
  hold(token);
  clock.advance(10 * 365 * 86_400_000);
  assert.ok(counts(token));
  hold(`${token}x`);
  assert.ok(!counts(token), "another token");
  hold(undefined);
  assert.ok(!counts(token), "no token");
  hold(token, "another");
  assert.ok(!counts(token), "another Secret");
  // Bound to nothing, it is none.
  assert.ok(!counts(tokens.issue({ account }, [issuer], undefined, clock.now())));
});

test("a token is for its audiences only", () => {
  const { tokens, issue } = ground();
  const token = issue({}, ["vault", "other"]);
  assert.equal(tokens.read(token, [issuer]), undefined);
  assert.deepEqual(tokens.read(token, ["vault", issuer])?.audiences, ["vault"]);
});

test("nothing but our own signature over our own head makes a token", () => {
  const { tokens, issue, counts, pem } = ground();
  const token = issue();
  const [head = "", body = "", signature = ""] = token.split(".");
  const claims = decode(body);
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signedBy = (key: string, headText: string, bodyText: string) =>
    createSign("sha256")
      .update(`${headText}.${bodyText}`)
      .sign({ key, dsaEncoding: "ieee-p1363" })
      .toString("base64url");
  const foreignPem = stranger.privateKey.export({ type: "pkcs8", format: "pem" });
  const publicPem = createPublicKey(pem).export({ type: "spki", format: "pem" });
  const none = encode({ alg: "none" });
  const hmac = encode({ alg: "HS256", kid: tokens.publicKey["kid"] });
  const other = encode({ ...claims, sub: "system:serviceaccount:kube-system:default" });
  const forged: Record<string, string> = {
    "another body": `${head}.${other}.${signature}`,
    "another key": `${head}.${body}.${signedBy(foreignPem, head, body)}`,
    "no algorithm": `${none}.${body}.`,
    "no algorithm with the signature": `${none}.${body}.${signature}`,
    "the public key taken for a secret": `${hmac}.${body}.${createHmac("sha256", publicPem).update(`${hmac}.${body}`).digest("base64url")}`,
    "a head of another spelling": `${encode({ kid: tokens.publicKey["kid"], alg: "ES256" })}.${body}.${signature}`,
    "no signature": `${head}.${body}.`,
    "a short signature": `${head}.${body}.${signature.slice(0, 20)}`,
    "zeros for a signature": `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`,
    "two parts": `${head}.${body}`,
    "four parts": `${token}.x`,
    "not base64": `${head}.${body}.###`,
    nothing: "",
    dots: "..",
  };
  for (const [name, text] of Object.entries(forged)) assert.ok(!counts(text), name);
  assert.ok(counts(token));
  // The same key with another issuer is another cluster.
  const elsewhere = createAccountTokens({
    key: readTokenKey(pem),
    issuer: "https://x",
    clock: manualClock(),
    find: () => account,
  });
  assert.equal(elsewhere.read(token, [issuer]), undefined);
});

test("a key that is none of ours is refused at once", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });
  assert.throws(() => readTokenKey(rsa), /not a P-256 key/);
  assert.throws(() => readTokenKey("nothing"));
});
