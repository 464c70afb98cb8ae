import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { isApiError } from "#api/meta/status.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Client, Scope } from "#client/contract.ts";
import { openRegistry } from "#apiserver/registry/registry.ts";
import { createLocalClient } from "#apiserver/local.ts";
import { kinds } from "#api/kinds.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";

const names = ["a", "b", "c"];
const scopes: Scope[] = [{}, { labelSelector: "x=1" }, { namespace: "n", fieldSelector: "metadata.name!=a" }];

const action = fc.record({
  verb: fc.constantFrom("create", "label", "delete", "hold", "let go"),
  name: fc.constantFrom(...names),
  label: fc.constantFrom("1", "2"),
});

test("whoever follows a watch from any moment knows exactly what a list shows, whatever is written side by side", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(action, { maxLength: 6 }), { maxLength: 12 }), async (rounds) => {
      const store = createMemoryStore();
      const registry = await openRegistry({ store, definitions: kinds });
      const client = createLocalClient(registry, { name: "test", groups: [] });
      await client.create("Namespace", { metadata: { name: "n" } });
      const followers: { scope: Scope; known: Map<string, KubeObject>; problems: string[]; stop: () => void }[] = [];
      for (const actions of rounds) {
        for (const scope of scopes) followers.push(await follow(client, scope));
        await Promise.all(actions.map((one) => perform(client, one)));
      }
      for (const { scope, known, problems, stop } of followers) {
        assert.deepEqual(problems, []);
        const { items } = await client.list("ConfigMap", scope);
        assert.deepEqual(
          [...known.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
          items,
        );
        stop();
      }
      registry.stop();
      await store.close();
    }),
    { numRuns: 60 },
  );
});

async function follow(client: Client, scope: Scope) {
  const { items, resourceVersion } = await client.list("ConfigMap", scope);
  const known = new Map<string, KubeObject>(items.map((item) => [item.metadata.name, item]));
  const problems: string[] = [];
  let last = Number(resourceVersion);
  const stop = client.watch(
    "ConfigMap",
    { ...scope, since: resourceVersion },
    {
      event({ type, object }) {
        const { name } = object.metadata;
        const revision = Number(object.metadata.resourceVersion);
        if (revision <= last) problems.push(`${type} ${name} at ${revision} after ${last}`);
        last = revision;
        if (known.has(name) !== (type !== "ADDED")) problems.push(`${type} ${name} at ${revision}`);
        if (type === "DELETED") known.delete(name);
        else known.set(name, object);
      },
      end: ({ reason }) => problems.push(`the watch ended: ${reason}`),
    },
  );
  return { scope, known, problems, stop };
}

async function perform(
  client: Client,
  { verb, name, label }: { verb: string; name: string; label: string },
): Promise<void> {
  const key = { namespace: "n", name };
  const metadata = { labels: { x: label } };
  try {
    if (verb === "create") await client.create("ConfigMap", { metadata: { ...key, ...metadata } });
    else if (verb === "label") await client.patch("ConfigMap", key, { metadata });
    else if (verb === "hold") await client.patch("ConfigMap", key, { metadata: { finalizers: ["example.org/x"] } });
    else if (verb === "let go") await client.patch("ConfigMap", key, { metadata: { finalizers: null } });
    else await client.delete("ConfigMap", key);
  } catch (error) {
    if (!isApiError(error, "NotFound", "AlreadyExists", "Invalid")) throw error;
  }
}
