import assert from "node:assert/strict";
import { createDecipheriv } from "node:crypto";
import { test } from "node:test";
import { renderProblem } from "#api/config/problem.ts";
import { createCipher } from "#store/encryption/cipher.ts";
import { readEncryption } from "#store/encryption/read.ts";
import { compileRules, type Way } from "#store/encryption/rules.ts";

const secret = (bytes: number) => Buffer.alloc(bytes, "s3cret").toString("base64");
const head = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n";
const nameOf = (way: Way | undefined) => (typeof way === "object" ? way.prefix : way);

test("upstream's example is read: the first provider writes, each reads, the first rule of a resource counts", () => {
  const text = `${head}resources:
  - resources: [secrets, deployments.apps]
    providers:
      - aesgcm:
          keys:
            - {name: key2, secret: ${secret(32)}}
            - {name: key1, secret: ${secret(16)}}
      - aescbc:
          keys: [{name: old, secret: ${secret(24)}}]
      - identity: {}
  - resources: ["*.apps"]
    providers: [identity: {}]
  - resources: ["*."]
    providers: [aescbc: {keys: [{name: rest, secret: ${secret(32)}}]}]
`;
  const { rules, problems } = readEncryption(text, "enc.yaml");
  assert.deepEqual(problems, []);
  const compiled = compileRules(rules);
  const ways = (plural: string, group: string) => compiled.waysOf(plural, group).map((way) => nameOf(way));
  const first = ["k8s:enc:aesgcm:v1:key2:", "k8s:enc:aesgcm:v1:key1:", "k8s:enc:aescbc:v1:old:", "identity"];
  assert.deepEqual(ways("secrets", ""), first);
  assert.deepEqual(ways("deployments", "apps"), first);
  assert.deepEqual(ways("replicasets", "apps"), ["identity"]);
  assert.deepEqual(ways("configmaps", ""), ["k8s:enc:aescbc:v1:rest:"]);
  assert.deepEqual(ways("leases", "coordination.k8s.io"), ["identity"]);
});

const aes = (key: string) => `${head}resources: [{resources: [secrets], providers: [aesgcm: {keys: [${key}]}]}]`;
const providers = (list: string) => `${head}resources: [{resources: [secrets], providers: [${list}]}]`;

const refused: readonly (readonly [text: string, problem: RegExp])[] = [
  ["", /^enc.yaml:1: the file must be a mapping/],
  ["a: [", /^enc.yaml:1: this is no YAML \(/],
  ["kind: EncryptionConfig", /apiVersion is missing/],
  [`${head}resources: []`, /^enc.yaml:3: resources must not be empty$/],
  [`${head}resources: [{resources: [], providers: [identity: {}]}]`, /resources\[0\].resources must not be empty/],
  [`${head}resources: [{resources: ["*"], providers: [identity: {}]}]`, /must be a resource such as secrets/],
  [`${head}resources: [{resources: [secrets]}]`, /resources\[0\].providers is missing/],
  [providers("aesgmc: {}"), /providers\[0\].aesgmc is not a key; did you mean aesgcm\?/],
  [providers("{identity: {}, aesgcm: {keys: []}}"), /keys must not be empty/],
  [
    providers("{identity: {}, aescbc: {keys: [{name: a, secret: AAAAAAAAAAAAAAAAAAAAAA==}]}}"),
    /must name one way, not/,
  ],
  [
    providers("secretbox: {keys: []}"),
    /secretbox is not offered here, since Node's cryptography has no XSalsa20: use aesgcm/,
  ],
  [providers("kms: {}"), /kms is not offered here: use aesgcm or aescbc/],
  [aes("{name: a}"), /keys\[0\].secret is missing/],
  [aes(`{name: "a:b", secret: ${secret(32)}}`), /keys\[0\].name must be the name of a key, without colons/],
  [
    aes(`{name: a, secret: ${secret(20)}}`),
    /secret must be 16, 24 or 32 random bytes in base64, not 20 bytes: head -c 32/,
  ],
  [aes(`{name: a, secret: "Pssst!!"}`), /secret must be 16, 24 or 32 random bytes in base64, not something else/],
  [aes(`{name: a, secret: ${secret(32)}}, {name: a, secret: ${secret(32)}}`), /has two keys of the name "a"/],
];

test("what cannot be used is told with file, line and field, and never with a secret", () => {
  for (const [text, problem] of refused) {
    const { rules, problems } = readEncryption(text, "enc.yaml");
    const told = problems.map((one) => renderProblem(one)).join("\n");
    assert.match(told, problem, text);
    assert.deepEqual(rules, [], text);
    for (const bytes of [16, 20, 24, 32]) assert.ok(!told.includes(secret(bytes)), told);
    assert.ok(!told.includes("Pssst"), told);
  }
});

test("values have upstream's form: prefix, nonce, text and tag, tied to the key they stand under", () => {
  const bytes = Buffer.alloc(32, 7);
  const cipher = createCipher("aesgcm", "k", bytes);
  const plain = Buffer.from('{"a":1}');
  const sealed = cipher.seal("/registry/secrets/n/a", plain);
  assert.equal(sealed.subarray(0, 20).toString(), "k8s:enc:aesgcm:v1:k:");
  assert.equal(sealed.length, 20 + 12 + plain.length + 16);
  const decipher = createDecipheriv("aes-256-gcm", bytes, sealed.subarray(20, 32));
  decipher.setAAD(Buffer.from("/registry/secrets/n/a")).setAuthTag(sealed.subarray(-16));
  assert.deepEqual(Buffer.concat([decipher.update(sealed.subarray(32, -16)), decipher.final()]), plain);
  assert.notDeepEqual(cipher.seal("/registry/secrets/n/a", plain), sealed, "no nonce is used twice");
  assert.deepEqual(cipher.open("/registry/secrets/n/a", sealed), plain);
  assert.throws(() => cipher.open("/registry/secrets/n/b", sealed), "moved to another name");
  assert.throws(() => cipher.open("/registry/secrets/n/a", sealed.subarray(0, -1)), "cut");
  assert.throws(() => createCipher("aesgcm", "k", Buffer.alloc(32, 8)).open("/registry/secrets/n/a", sealed));

  const cbc = createCipher("aescbc", "k", Buffer.alloc(16, 7));
  assert.deepEqual(cbc.open("x", cbc.seal("x", plain)), plain);
  const other = createCipher("aescbc", "k", Buffer.alloc(16, 8));
  for (let turn = 0; turn < 600; turn += 1) assert.throws(() => other.open("x", cbc.seal("x", plain)));
});
