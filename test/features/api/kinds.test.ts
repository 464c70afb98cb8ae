import assert from "node:assert/strict";
import { test } from "node:test";
import { groups, kindByGvk, kindByName, kindByPath, kinds, servedKinds } from "#api/kinds.ts";
import { resources } from "#api/resources.ts";
import { messageOf } from "#api/schema/message.ts";

test("every kind of the resource list is served, once", () => {
  assert.deepEqual(kinds.map(({ resource }) => resource.kind).sort(), Object.keys(resources).sort());
  assert.deepEqual(
    kinds.map(({ resource }) => resource),
    kinds.map(({ resource }) => resources[resource.kind]),
  );
});

test("a kind is found by name, by path and by what it says it is", () => {
  assert.equal(kindByName("Service").singular, "service");
  assert.equal(kindByPath("", "v1", "services")?.definition.resource.kind, "Service");
  assert.equal(kindByPath("extensions", "v1beta1", "ingresses")?.version.schema, "extensions.v1beta1.Ingress");
  assert.equal(kindByPath("apps", "v1beta1", "deployments"), undefined);
  assert.equal(kindByGvk("apps/v1", "Deployment")?.definition.resource.plural, "deployments");
  assert.equal(kindByGvk("v1", "Deployment"), undefined);
});

test("the stored version comes first, and each other converts both ways", () => {
  for (const { resource, versions } of kinds) {
    const [stored, ...others] = versions;
    assert.equal(stored?.group === "" ? stored.version : `${stored?.group}/${stored?.version}`, resource.apiVersion);
    assert.equal(stored?.toStored, undefined);
    for (const { toStored, fromStored } of others) assert.ok(toStored !== undefined && fromStored !== undefined);
  }
});

test("every version has a message, in a group that discovery knows; legacy groups come last", () => {
  for (const { version } of servedKinds) {
    assert.ok(messageOf(version.schema).byName.has("metadata"));
    assert.ok(groups.includes(version.group));
  }
  assert.equal(groups.at(-1), "extensions");
});

test("no short name means two things", () => {
  const names = servedKinds.flatMap(({ definition, version }) =>
    (version.shortNames ?? definition.shortNames).map((name) => `${name} ${definition.resource.kind}`),
  );
  const kindsOfName = Map.groupBy(new Set(names), (name) => name.split(" ")[0]);
  for (const [name, meanings] of kindsOfName) assert.equal(meanings.length, 1, `${name}: ${meanings.join(", ")}`);
  const extensions = kindByPath("extensions", "v1beta1", "ingresses");
  assert.deepEqual(extensions?.version.shortNames, []);
});

test("a pod that runs stops gracefully, one without a node or past its end does not", () => {
  const grace = (nodeName: string, phase: string) =>
    kindByName("Pod").gracePeriodSeconds?.({
      spec: { nodeName, terminationGracePeriodSeconds: 7 },
      status: { phase },
    } as never);
  assert.deepEqual([grace("n", "Running"), grace("", "Pending"), grace("n", "Failed")], [7, undefined, undefined]);
});
