import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import { templateHash, sameTemplate } from "#controllers/deployment/hash.ts";
import { rolloutLimits } from "#controllers/deployment/limits.ts";
import { compileNewSize, compileOldSizes, compileProportionalSizes } from "#controllers/deployment/scale.ts";
import { deployment } from "./cluster.ts";

interface Shape {
  size: number;
  pods?: number;
  available?: number;
  observed?: boolean;
  max?: number;
  desired?: number;
}

/** Sets in the order of their age, `s0` the oldest. */
function sets(...shapes: Shape[]): ReplicaSet[] {
  return shapes.map(({ size, pods = size, available = pods, observed = true, max, desired }, index) => ({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `s${index}`,
      generation: 2,
      creationTimestamp: `2026-01-01T00:00:0${index}Z`,
      annotations: {
        ...(max && { "deployment.kubernetes.io/max-replicas": String(max) }),
        ...(desired && { "deployment.kubernetes.io/desired-replicas": String(desired) }),
      },
    },
    spec: { replicas: size, selector: {} },
    status: { replicas: pods, availableReplicas: available, observedGeneration: observed ? 2 : 1 },
  }));
}

function sized(scalings: ReturnType<typeof compileOldSizes>): Record<string, number> {
  return Object.fromEntries(scalings.map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas]));
}

function shrink(limits: [replicas: number, maxUnavailable: number], old: Shape[], next: Shape) {
  const [replicas, maxUnavailable] = limits;
  const all = sets(...old, next);
  return sized(
    compileOldSizes(
      { replicas, maxUnavailable, maxSurge: 0 },
      { next: all.at(-1) as ReplicaSet, old: all.slice(0, -1) },
    ),
  );
}

const limits: [strategy: object, replicas: number, surge: number, unavailable: number][] = [
  [{}, 10, 3, 2],
  [{}, 1, 1, 0],
  [{ maxSurge: 0, maxUnavailable: 0 }, 3, 0, 1],
  [{ maxSurge: "0%", maxUnavailable: "10%" }, 3, 0, 1],
  [{ maxSurge: "50%", maxUnavailable: 5 }, 3, 2, 3],
  [{ maxSurge: 2, maxUnavailable: "34%" }, 3, 2, 1],
];
for (const [rollingUpdate, replicas, maxSurge, maxUnavailable] of limits) {
  test(`limits of ${JSON.stringify(rollingUpdate)} for ${replicas}: ${maxSurge} more, ${maxUnavailable} fewer`, () => {
    const found = rolloutLimits(deployment("web", { replicas, strategy: { rollingUpdate } }));
    assert.deepEqual(found, { replicas, maxSurge, maxUnavailable });
  });
}

test("the new set grows as far as the pods there may be leave room", () => {
  const grow = (current: number, ...shapes: Shape[]) =>
    compileNewSize({ replicas: 10, maxSurge: 3, maxUnavailable: 2 }, current, sets(...shapes));
  assert.equal(grow(0, { size: 10 }, { size: 0 }), 3);
  assert.equal(grow(3, { size: 8, pods: 10 }, { size: 3 }), 3);
  assert.equal(grow(3, { size: 8 }, { size: 3 }), 5);
  assert.equal(grow(3, { size: 8, observed: false }, { size: 3 }), 3);
  assert.equal(grow(12, { size: 0 }, { size: 12 }), 10);
});

test("old sets first lose what is not available, then the oldest available ones", () => {
  assert.deepEqual(shrink([10, 2], [{ size: 10 }], { size: 0 }), { s0: 8 });
  assert.deepEqual(shrink([10, 2], [{ size: 10, available: 5 }], { size: 3, available: 0 }), { s0: 8 });
  assert.deepEqual(shrink([10, 0], [{ size: 5, available: 3 }, { size: 5 }], { size: 3 }), { s0: 2 });
  assert.deepEqual(shrink([4, 2], [{ size: 1 }, { size: 3 }], { size: 2 }), { s0: 0, s1: 0 });
});

test("pods of an old set that are on their way out do not count as available", () => {
  const leaving = { size: 1, pods: 3, available: 3 };
  assert.deepEqual(shrink([4, 1], [leaving, { size: 3, available: 0 }], { size: 0 }), { s1: 2 });
});

test("a scaling is shared in proportion, the largest set takes the rest", () => {
  const scale = (replicas: number, maxSurge: number, ...shapes: Shape[]) => {
    const all = sets(...shapes);
    const parts = { next: all.at(-1), old: all.slice(0, -1), rolling: true };
    return sized(compileProportionalSizes({ replicas, maxSurge, maxUnavailable: 0 }, parts));
  };
  assert.deepEqual(scale(20, 4, { size: 8, max: 12 }, { size: 4, max: 12 }), { s0: 16, s1: 8 });
  assert.deepEqual(scale(5, 0, { size: 6, max: 10 }, { size: 4, max: 10 }), { s0: 3, s1: 2 });
  assert.deepEqual(scale(12, 0, { size: 5, max: 11 }, { size: 6, max: 11 }), { s1: 7 });
  assert.deepEqual(scale(0, 0, { size: 6, max: 10 }, { size: 4, max: 10 }), { s0: 0, s1: 0 });
  assert.deepEqual(scale(7, 1, { size: 3 }, { size: 0 }), { s0: 7 });
});

test("equal templates have equal names whatever the order of fields; the hash label does not count", () => {
  const spec = { containers: [{ name: "web", image: "web:1" }] };
  const other = { containers: [{ image: "web:1", name: "web" }] };
  const labelled = { metadata: { labels: { app: "web", "pod-template-hash": "x" } }, spec };
  assert.equal(templateHash({ spec }), templateHash({ spec: other }));
  assert.notEqual(templateHash({ spec }), templateHash({ spec }, 1));
  assert.ok(sameTemplate(labelled, { metadata: { labels: { app: "web" } }, spec: other }));
  assert.ok(!sameTemplate(labelled, { spec }));
});
