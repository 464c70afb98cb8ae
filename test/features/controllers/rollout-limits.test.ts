import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import { rolloutLimits } from "#controllers/deployment/limits.ts";
import { isReady } from "#controllers/pods/state.ts";
import { deployment, imagePatch, startCluster, threeNodes, type TestCluster } from "./cluster.ts";
import { laggingClient } from "./lagging-client.ts";

const web = { namespace: "dev", name: "web" };

const limit = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`),
);
const rollouts = fc.record({
  replicas: fc.integer({ min: 1, max: 8 }),
  maxSurge: limit,
  maxUnavailable: limit,
  /** What happens, one after the other: a pod gets ready, a pod stops being ready, or the template changes. */
  happenings: fc.array(fc.record({ what: fc.constantFrom("ready", "ready", "unready", "image"), pick: fc.nat(1000) }), {
    maxLength: 30,
  }),
});

type Rollout = typeof rollouts extends fc.Arbitrary<infer T> ? T : never;

/** Follows the pods as they are written and notes each time a limit is broken. */
function watchLimits(client: Client, { most, least }: { most: number; least: number }) {
  const pods = new Map<string, Pod>();
  const broken: string[] = [];
  let reached = false;
  client.watch(
    "Pod",
    { since: "0" },
    {
      event({ type, object }) {
        const { name } = object.metadata;
        if (type === "DELETED") pods.delete(name);
        else pods.set(name, object);
        const available = [...pods.values()].filter(isReady).length;
        reached ||= available >= least;
        if (pods.size > most) broken.push(`${pods.size} pods when ${name} came, ${most} allowed`);
        if (type === "DELETED" && reached && isReady(object) && available < least) {
          broken.push(`${available} available after ${name} went, ${least} required`);
        }
      },
      end() {},
    },
  );
  return broken;
}

async function finish(cluster: TestCluster, quiet: () => Promise<void>): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const waiting = (await cluster.pods()).filter((pod) => !isReady(pod));
    if (waiting.length === 0) return;
    for (const pod of waiting) await cluster.setReady(pod, true);
    await quiet();
  }
  assert.fail("the rollout did not end in 100 rounds");
}

async function check({ replicas, maxSurge, maxUnavailable, happenings }: Rollout, lag: boolean): Promise<void> {
  const wanted = deployment("web", { replicas, strategy: { rollingUpdate: { maxSurge, maxUnavailable } } });
  const limits = rolloutLimits(wanted);
  const fake = createFakeClient([...threeNodes, wanted]);
  let seed = 1;
  const late = laggingClient(fake, () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647);
  const most = replicas + limits.maxSurge;
  // Seen late, a pod may become available while it is already on its way out; only the upper limit holds then.
  const broken = watchLimits(fake, { most, least: lag ? 0 : replicas - limits.maxUnavailable });
  await using cluster = await startCluster([], { client: lag ? late : fake });
  const quiet = async () => {
    do {
      await cluster.settle();
      await setImmediate();
    } while (!late.delivered());
    await cluster.settle();
  };
  let image = 1;
  for (const { what, pick } of happenings) {
    const pods = (await cluster.pods()).filter((pod) => isReady(pod) === (what === "unready"));
    const pod = pods[pick % Math.max(1, pods.length)];
    if (what === "image") await cluster.client.patch("Deployment", web, imagePatch(`web:${(image += 1)}`));
    else if (pod !== undefined) await cluster.setReady(pod, what === "ready");
    if (!lag || pick % 3 === 0) await quiet();
    else await setImmediate();
  }
  await quiet();
  await finish(cluster, quiet);
  assert.deepEqual(broken, []);
  const pods = await cluster.pods();
  assert.equal(pods.length, replicas);
  const images = new Set(pods.map(({ spec }) => spec.containers[0]?.image));
  assert.deepEqual([...images], [`web:${image}`]);
}

test("a rolling update keeps both limits whatever its pods do", () =>
  fc.assert(
    fc.asyncProperty(rollouts, (rollout) => check(rollout, false)),
    { numRuns: 60 },
  ));

test("a rolling update never has more pods than the surge allows, however late changes are seen", () =>
  fc.assert(
    fc.asyncProperty(rollouts, (rollout) => check(rollout, true)),
    { numRuns: 60 },
  ));
