import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admission, Companion } from "#api/admission.ts";
import { ApiError } from "#api/meta/status.ts";
import { kinds } from "#api/kinds.ts";
import { createLocalClient } from "#apiserver/local.ts";
import { openRegistry } from "#apiserver/registry/registry.ts";
import { StoreError } from "#store/error.ts";
import { text } from "../../conformance/store/suite.ts";
import { drivers, openMemory, type OpenStore } from "../../fakes/stores.ts";

const admin = { name: "admin", groups: ["system:masters"] };
const key = { namespace: "n", name: "a" };

/** ConfigMaps whose data says what comes and goes along: `lease` made, `gone` removed, `claim` claimed, `drop` released. */
function followers(contested: (data: Record<string, string>, companion: Companion) => void = () => {}): Admission {
  const dataOf = (object: object) => (object as { data?: Record<string, string> }).data ?? {};
  return {
    name: "followers",
    kinds: ["ConfigMap"],
    admit() {},
    accompany({ object }) {
      const { lease, gone, claim, drop } = dataOf(object);
      const spec = { holderIdentity: "x" };
      return [
        ...(lease ? [{ kind: "Lease" as const, create: { metadata: { namespace: "n", name: lease }, spec } }] : []),
        ...(gone ? [{ kind: "Lease" as const, remove: { namespace: "n", name: gone }, when: () => true }] : []),
        ...(claim ?? "").split(" ").flatMap((name) => (name ? [{ claim: name }] : [])),
        ...(drop ?? "").split(" ").flatMap((name) => (name ? [{ release: name }] : [])),
      ];
    },
    contested: ({ object }, companion) => contested(dataOf(object), companion),
  };
}

async function open({ store, dispose }: OpenStore, admission = followers()) {
  const registry = await openRegistry({ store, definitions: kinds, admissions: [admission] });
  const client = createLocalClient(registry, admin);
  await client.create("Namespace", { metadata: { name: "n" } });
  return {
    store,
    registry,
    client,
    leases: async () => (await client.list("Lease")).items.map(({ metadata }) => metadata.name),
    claims: () => registry.claims.list("").map(({ name, owner }) => `${name} ${owner.name}`),
    async [Symbol.asyncDispose]() {
      registry.stop();
      await dispose();
    },
  };
}

for (const { name, skip, open: openDriver } of drivers) {
  test(
    `what an admission wants written along is written with the object, or nothing is: ${name}`,
    { skip },
    async () => {
      await using it = await open(await openDriver());
      const { client, leases, claims } = it;
      const made = await client.create("ConfigMap", { metadata: key, data: { lease: "b", claim: "ports/1 ports/2" } });
      const [lease] = (await client.list("Lease")).items;
      assert.equal(lease?.metadata.resourceVersion, made.metadata.resourceVersion);
      assert.ok(lease?.metadata.uid && lease.metadata.creationTimestamp);
      assert.deepEqual(claims(), ["ports/1 a", "ports/2 a"]);

      const before = it.registry.revision();
      const refused = { namespace: "n", name: "refused" };
      it.store.commit = ((commit) => async (writes) => {
        if (writes.some((write) => write.key.endsWith("/refused"))) throw new StoreError("full", "the disk is full");
        return commit(writes);
      })(it.store.commit.bind(it.store));
      await assert.rejects(
        client.create("ConfigMap", { metadata: refused, data: { lease: "c", claim: "ports/3" } }),
        /full/,
      );
      assert.deepEqual([await leases(), claims().length, it.registry.revision()], [["b"], 2, before]);

      const { metadata } = await client.patch("ConfigMap", key, {
        data: { gone: "b", lease: null, claim: null, drop: "ports/1" },
      });
      assert.deepEqual([await leases(), claims()], [[], ["ports/2 a"]]);
      assert.equal(it.registry.revision(), Number(metadata.resourceVersion));
      await client.patch("ConfigMap", key, { data: { gone: null, drop: "ports/2" } });
      assert.deepEqual(claims(), []);
    },
  );
}

test("a name that is taken asks the admission for another, and what it refuses leaves nothing behind", async () => {
  const contest = (data: Record<string, string>, companion: Companion) => {
    if ("claim" in companion) data["claim"] = companion.claim.replace(/\d+$/, (number) => String(Number(number) + 1));
    if ("create" in companion) throw new ApiError("Invalid", `${companion.create.metadata.name} is taken`);
  };
  await using it = await open(await openMemory(), followers(contest));
  const { client, leases, claims } = it;
  await client.create("ConfigMap", { metadata: key, data: { lease: "b", claim: "ports/1" } });
  const names = ["c", "d", "e"];
  const others = await Promise.all(
    names.map((name) => client.create("ConfigMap", { metadata: { namespace: "n", name }, data: { claim: "ports/1" } })),
  );
  assert.deepEqual(others.map(({ data }) => data?.["claim"]).sort(), ["ports/2", "ports/3", "ports/4"]);
  const late = { metadata: { namespace: "n", name: "late" }, data: { claim: "ports/9", lease: "b" } };
  await assert.rejects(client.create("ConfigMap", late), { reason: "Invalid", message: "b is taken" });
  assert.deepEqual([await leases(), claims().length], [["b"], 4]);
  // Only its owner gives a claim back; one that it holds already it need not claim.
  await client.patch("ConfigMap", key, { data: { lease: null, drop: "ports/2" } });
  assert.deepEqual(claims().length, 4);
});

test("what an admission changes when it says what goes along is written with the object", async () => {
  const late: Admission = {
    name: "late",
    kinds: ["ConfigMap"],
    admit() {},
    accompany({ object }) {
      Object.assign(object, { data: { lease: "late" } });
      return [{ kind: "Lease", create: { metadata: { namespace: "n", name: "late" } } }];
    },
  };
  await using it = await open(await openMemory(), late);
  const made = await it.client.create("ConfigMap", { metadata: key });
  const read = JSON.parse(text((await it.store.get("/registry/configmaps/n/a"))?.value)) as { data?: object };
  assert.deepEqual([made.data, read.data, await it.leases()], [{ lease: "late" }, { lease: "late" }, ["late"]]);
});

test("more claims than the store takes at once are made all the same, and given back", async () => {
  const { store, dispose } = await openMemory();
  const sizes: number[] = [];
  const small = {
    ...store,
    commitLimit: 10,
    commit: (writes: Parameters<typeof store.commit>[0]) => {
      sizes.push(writes.length);
      return store.commit(writes);
    },
  };
  await using it = await open({ store: small, dispose });
  const many = Array.from({ length: 35 }, (_, index) => `ports/${index}`).join(" ");
  await it.client.create("ConfigMap", { metadata: key, data: { claim: many, lease: "b" } });
  assert.equal(it.claims().length, 35);
  await it.client.patch("ConfigMap", key, { data: { claim: null, lease: null, drop: many } });
  assert.deepEqual(it.claims(), []);
  assert.equal(Math.max(...sizes), 10);
});

test("an object with finalizers that goes along begins to go, and a name that is free again may be claimed", async () => {
  await using it = await open(await openMemory());
  const { client } = it;
  await client.create("Lease", { metadata: { namespace: "n", name: "b", finalizers: ["example.com/hold"] } });
  await client.create("ConfigMap", { metadata: key, data: { gone: "b", claim: "ports/1" } });
  const [lease] = (await client.list("Lease")).items;
  assert.ok(lease?.metadata.deletionTimestamp);
  await client.patch("ConfigMap", key, { data: { claim: null, gone: null, drop: "ports/1" } });
  await client.create("ConfigMap", { metadata: { namespace: "n", name: "next" }, data: { claim: "ports/1" } });
  assert.deepEqual(it.claims(), ["ports/1 next"]);
});
