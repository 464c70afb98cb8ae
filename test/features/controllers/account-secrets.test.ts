import assert from "node:assert/strict";
import { test } from "node:test";
import type { Secret } from "#api/core/secret/kind.ts";
import { namespace, startCluster } from "./cluster.ts";

const key = { namespace: "dev", name: "bot-token" };

function secretFor(account: string, more: Partial<Secret> = {}): Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...key, annotations: { "kubernetes.io/service-account.name": account } },
    type: "kubernetes.io/service-account-token",
    ...more,
  };
}

const text = (base64 = "") => Buffer.from(base64, "base64").toString();

test("a Secret that asks for a token gets it, waits for its account, and goes with it", async () => {
  await using cluster = await startCluster([namespace("dev")]);
  const { client } = cluster;
  const read = () => client.get("Secret", key);
  await client.create("Secret", secretFor("bot"));
  await cluster.settle();
  assert.equal((await read())?.data, undefined, "the account is not there yet");

  const account = await client.create("ServiceAccount", { metadata: { name: "bot", namespace: "dev" } });
  await cluster.settle();
  const filled = await read();
  assert.equal(text(filled?.data?.["token"]), `bot's by ${filled?.metadata.uid}`);
  assert.equal(text(filled?.data?.["namespace"]), "dev");
  assert.equal(text(filled?.data?.["ca.crt"]), "PEM");
  assert.equal(filled?.metadata.annotations?.["kubernetes.io/service-account.uid"], account.metadata.uid);

  // What was taken out comes back, and a token that is there stays.
  await client.patch("Secret", key, { data: { namespace: null, token: "bWluZQ==" } });
  await cluster.settle();
  assert.deepEqual([text((await read())?.data?.["namespace"]), text((await read())?.data?.["token"])], ["dev", "mine"]);

  await client.delete("ServiceAccount", { name: "bot", namespace: "dev" });
  await cluster.settle();
  assert.equal(await read(), undefined);
});

test("other Secrets, and those of other accounts, are left alone", async () => {
  const other = secretFor("bot", { type: "Opaque" });
  await using cluster = await startCluster([namespace("dev"), other]);
  const { client } = cluster;
  await client.create("ServiceAccount", { metadata: { name: "bot", namespace: "dev" } });
  await cluster.settle();
  assert.equal((await client.get("Secret", key))?.data, undefined);
  await client.delete("ServiceAccount", { name: "bot", namespace: "dev" });
  await cluster.settle();
  assert.ok(await client.get("Secret", key));
});
