import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KubeObject } from "#api/meta/object.ts";
import { createCache } from "#apiserver/registry/cache.ts";
import { createItem, type Item } from "#apiserver/registry/item.ts";

function itemOf(key: string, revision: number): Item {
  const object: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: key } };
  return createItem(key, object, revision, []);
}

const keys = ["a/1", "a/2", "a-b/1", "a0/1", "b/1", "b/2", "b/3", "c/1"];
/** A change of a key, or a look at all there is. */
const steps = fc.array(
  fc.oneof(
    fc.record({ put: fc.constantFrom(...keys) }),
    fc.record({ remove: fc.constantFrom(...keys) }),
    fc.record({ look: fc.constantFrom(undefined, "a", "b") }),
  ),
  { maxLength: 40 },
);

test("whatever comes and goes between two looks, a cache shows what there is, in order of the keys", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const start = [itemOf("b/2", 1), itemOf("a/1", 1)];
      const cache = createCache(start, 1, (error) => assert.fail(String(error)));
      const known = new Map(start.map((item) => [item.key, item]));
      let revision = 1;
      const check = (namespace?: string) => {
        const wanted = [...known.keys()].filter((key) => namespace === undefined || key.startsWith(`${namespace}/`));
        assert.deepEqual(
          cache.items(namespace),
          wanted.sort().map((key) => known.get(key)),
        );
      };
      for (const step of taken) {
        if ("look" in step) {
          check(step.look);
          continue;
        }
        revision += 1;
        const key = "put" in step ? step.put : step.remove;
        const before = known.get(key);
        const after = "put" in step ? itemOf(key, revision) : undefined;
        cache.apply({ key, revision, at: 0, ...(before && { before }), ...(after && { after }) });
        if (after === undefined) known.delete(key);
        else known.set(key, after);
        assert.equal(cache.get(key), after);
        assert.equal(cache.size(), known.size);
      }
      check();
    }),
  );
});
