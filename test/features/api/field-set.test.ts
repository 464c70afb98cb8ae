import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareFields } from "#api/merge/compare.ts";
import { keyElement, readElement, valueElement } from "#api/merge/element.ts";
import { fieldsOf } from "#api/merge/extract.ts";
import {
  contains,
  difference,
  FieldSetBuilder,
  intersection,
  isEmptySet,
  pathsOf,
  sameSet,
  union,
  type FieldSet,
} from "#api/merge/field-set.ts";
import { readFields, renderFields } from "#api/merge/fields-v1.ts";
import { fieldsText, packFields, unpackFields } from "#api/merge/packed.ts";
import { mergeConfiguration } from "#api/merge/merge.ts";
import { pruneFields } from "#api/merge/prune.ts";
import { shapeOf } from "#api/merge/shape.ts";

const options = { seed: 20_260_101, numRuns: 300 };

/** Sets of fields hold against sets of texts, which are simple enough to be right. */
const element = fc.oneof(
  fc.constantFrom("a", "b", "c", "__proto__", ".").map((name) => `f:${name}`),
  fc.integer({ min: 1, max: 3 }).map((port) =>
    keyElement([
      ["port", port],
      ["protocol", "TCP"],
    ]),
  ),
  fc.constantFrom("x", "y", 1, true).map((value) => valueElement(value)),
);
const paths = fc.array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 12 });

function setFrom(all: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of all) builder.add(path);
  return builder.build();
}

const textsOf = (set: FieldSet) => new Set(pathsOf(set).map((path) => JSON.stringify(path)));
const modelOf = (all: readonly (readonly string[])[]) => new Set(all.map((path) => JSON.stringify(path)));

/** Pod templates with most of what merges in its own way: maps, keyed lists, sets, atomic lists and objects. */
const shape = shapeOf("core.v1.Pod", "main");
const name = fc.constantFrom("a", "b", "c");
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const port = fc.record(
  { containerPort: fc.integer({ min: 1, max: 3 }), name: some(name) },
  { requiredKeys: ["containerPort"] },
);
const container = fc.record(
  {
    name,
    image: name,
    args: fc.array(name, { minLength: 1, maxLength: 2 }),
    ports: fc.uniqueArray(port, { selector: ({ containerPort }) => containerPort, minLength: 1, maxLength: 3 }),
    resources: fc.record({ limits: fc.dictionary(name, name, { minKeys: 1, maxKeys: 2 }) }),
  },
  { requiredKeys: ["name"] },
);
const pod = fc
  .record(
    {
      metadata: fc.record(
        {
          labels: fc.dictionary(name, name, { minKeys: 1, maxKeys: 3 }),
          finalizers: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
        },
        { requiredKeys: [] },
      ),
      spec: fc.record(
        {
          containers: fc.uniqueArray(container, { selector: (one) => one.name, minLength: 1, maxLength: 3 }),
          volumes: fc.uniqueArray(fc.record({ name, emptyDir: fc.record({ medium: name }) }), {
            selector: (one) => one.name,
            minLength: 1,
            maxLength: 3,
          }),
          nodeSelector: fc.dictionary(name, name, { minKeys: 1, maxKeys: 2 }),
          tolerations: fc.array(fc.record({ key: name }), { minLength: 1, maxLength: 2 }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  .map((value) => {
    // As read from JSON, without `undefined`; empty objects are fields of their own, with cases of their own.
    const clean = JSON.parse(JSON.stringify(value)) as Record<string, object>;
    return Object.fromEntries(Object.entries(clean).filter(([, part]) => Object.keys(part).length > 0));
  });

test("a set holds the paths that were added, each once", () => {
  fc.assert(
    fc.property(paths, (all) => assert.deepEqual(textsOf(setFrom(all)), modelOf(all))),
    options,
  );
});

test("union, intersection, difference and inclusion are those of the paths", () => {
  fc.assert(
    fc.property(paths, paths, (left, right) => {
      const [a, b] = [setFrom(left), setFrom(right)];
      const [x, y] = [modelOf(left), modelOf(right)];
      assert.deepEqual(textsOf(union(a, b)), x.union(y));
      assert.deepEqual(textsOf(intersection(a, b)), x.intersection(y));
      assert.deepEqual(textsOf(difference(a, b)), x.difference(y));
      assert.equal(contains(a, b), y.isSubsetOf(x));
      assert.equal(sameSet(a, b), x.symmetricDifference(y).size === 0);
      assert.equal(isEmptySet(a), x.size === 0);
    }),
    options,
  );
});

test("no operation changes its operands", () => {
  fc.assert(
    fc.property(paths, paths, (left, right) => {
      const [a, b] = [setFrom(left), setFrom(right)];
      const before = [textsOf(a), textsOf(b)];
      union(union(a, b), difference(b, intersection(a, b)));
      assert.deepEqual([textsOf(a), textsOf(b)], before);
    }),
    options,
  );
});

test("a set written as fieldsV1 is read back, and equal sets have one text", () => {
  fc.assert(
    fc.property(paths, fc.func(fc.nat()), (all, order) => {
      const set = setFrom(all);
      const text = renderFields(set);
      assert.ok(sameSet(readFields(JSON.parse(text)) as FieldSet, set));
      assert.equal(renderFields(setFrom(all.toSorted((a, b) => order(a) - order(b)))), text);
    }),
    options,
  );
});

test("a set that is packed is unpacked as it was, whether its fields have numbers or not", () => {
  fc.assert(
    fc.property(pod, paths, fc.constantFrom("core.v1.Pod", ""), (object, more, schema) => {
      const set = union(fieldsOf(shape, object), setFrom(more));
      const text = packFields(set, schema);
      assert.ok(sameSet(unpackFields(text, schema), set));
      assert.equal(fieldsText(text, schema), renderFields(set));
    }),
    options,
  );
});

test("what is no element of a path is refused, and what is one has one spelling", () => {
  assert.equal(readElement('k:{"protocol": "TCP", "port": 80}'), 'k:{"port":80,"protocol":"TCP"}');
  assert.equal(readElement('v: "x"'), 'v:"x"');
  for (const wrong of ["", "f", "x:a", "k:[]", "k:1", "k:{", "v:", "i:-1", "i:x"]) {
    assert.equal(readElement(wrong), undefined, wrong);
  }
});

test("nothing differs from itself, and what is added one way is removed the other", () => {
  fc.assert(
    fc.property(pod, pod, (left, right) => {
      const none = compareFields(shape, left, structuredClone(left));
      assert.ok([none.added, none.modified, none.removed].every((set) => isEmptySet(set)));
      const there = compareFields(shape, left, right);
      const back = compareFields(shape, right, left);
      assert.ok(sameSet(there.added, back.removed) && sameSet(there.removed, back.added));
      assert.ok(sameSet(there.modified, back.modified));
    }),
    options,
  );
});

test("a merged object has all that was applied, and applying it again changes nothing", () => {
  fc.assert(
    fc.property(pod, pod, (live, configuration) => {
      const merged = mergeConfiguration(shape, live, configuration);
      assert.ok(contains(fieldsOf(shape, merged), fieldsOf(shape, configuration)));
      assert.ok(contains(fieldsOf(shape, merged), fieldsOf(shape, live)));
      assert.deepEqual(mergeConfiguration(shape, merged, configuration), merged);
    }),
    options,
  );
});

test("a merge changes only what is applied", () => {
  fc.assert(
    fc.property(pod, pod, (live, configuration) => {
      const before = structuredClone([live, configuration]);
      const { modified, removed } = compareFields(shape, live, mergeConfiguration(shape, live, configuration));
      assert.ok(isEmptySet(removed));
      assert.ok(contains(fieldsOf(shape, configuration), modified));
      assert.deepEqual([live, configuration], before);
    }),
    options,
  );
});

test("what one applied and nobody holds any more is gone, what somebody holds stays", () => {
  fc.assert(
    fc.property(pod, pod, pod, (mine, others, next) => {
      const live = mergeConfiguration(shape, mergeConfiguration(shape, others, mine), next);
      const last = fieldsOf(shape, mine);
      const held = union(fieldsOf(shape, others), fieldsOf(shape, next));
      const left = fieldsOf(shape, pruneFields(shape, live, last, held));
      assert.ok(contains(left, held));
      assert.ok(isEmptySet(intersection(left, difference(last, held))));
    }),
    options,
  );
});
