import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import { createFakeClient } from "#client/fake.ts";
import { startControllers } from "#controllers/start.ts";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { node, pod, service } from "./cluster.ts";
import { laggingClient } from "./lagging-client.ts";

const happenings = fc.array(
  fc.record({
    what: fc.constantFrom("add", "add", "remove", "ready", "unready", "leave", "port", "wait", "meddle"),
    pick: fc.nat(1000),
  }),
  { maxLength: 40 },
);

const web = { namespace: "dev", name: "web" };

/** Lets random things happen to pods, Service and slices; answers what the slices hold in the end and what they should. */
async function live(steps: { what: string; pick: number }[], max: number) {
  const fake = createFakeClient([node("node-1"), service("web")]);
  let seed = 7;
  const client = laggingClient(fake, () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647);
  const options = { client, log: silentLog, clock: systemClock, maxEndpointsPerSlice: max };
  const controllers = await startControllers(options);
  const quiet = async () => {
    for (let still = 0; still < 3; still += 1) {
      await controllers.idle();
      await setImmediate();
      if (!client.delivered()) still = -1;
    }
  };
  const slices = async () => (await fake.list("EndpointSlice")).items;
  const doubled: string[] = [];
  const standing = new Map<string, string[]>();
  fake.watch(
    "EndpointSlice",
    { since: "0" },
    {
      event({ type, object: { metadata, endpoints, ports } }) {
        standing.delete(metadata.name);
        const texts = endpoints.map(({ addresses }) => `${addresses.join()} ${ports?.[0]?.port}`);
        const others = new Set([...standing.values()].flat());
        if (type !== "DELETED") doubled.push(...texts.filter((text) => others.has(text)));
        if (type !== "DELETED") standing.set(metadata.name, texts);
      },
      end() {},
    },
  );
  let count = 0;
  for (const { what, pick } of steps) {
    const pods = (await fake.list("Pod")).items;
    const one = pods[pick % Math.max(1, pods.length)];
    if (what === "add") {
      count += 1;
      const status = { phase: "Running" as const, podIP: `10.0.0.${count}`, podIPs: [{ ip: `10.0.0.${count}` }] };
      await fake.create("Pod", pod(`p${count}`, { spec: { nodeName: "node-1" }, status }));
    } else if (what === "port")
      await fake.patch("Service", web, { spec: { ports: [{ port: 80, targetPort: 8000 + (pick % 2) }] } });
    else if (what === "wait") await quiet();
    else if (what === "meddle") {
      const all = await slices();
      const slice = all[pick % Math.max(1, all.length)];
      if (slice !== undefined)
        await fake.patch("EndpointSlice", slice.metadata, { endpoints: slice.endpoints.slice(1) });
    } else if (one !== undefined) {
      const conditions = [{ type: "Ready", status: what === "ready" ? "True" : "False" }];
      if (what === "remove") await fake.delete("Pod", one.metadata);
      else if (what === "leave") await fake.patch("Pod", one.metadata, { metadata: { labels: { app: "x" } } });
      else await fake.patch("Pod", one.metadata, { status: { conditions } });
    }
  }
  await quiet();
  const held = (await slices()).flatMap(({ endpoints, ports }) =>
    endpoints.map(({ addresses, conditions }) => `${addresses.join()} ${conditions?.ready} ${ports?.[0]?.port}`),
  );
  const target = (await fake.get("Service", web))?.spec.ports?.[0]?.targetPort;
  const wanted = (await fake.list("Pod", { labelSelector: "app=web" })).items.map(({ status }) => {
    return `${status?.podIP} ${status?.conditions?.[0]?.status === "True"} ${target}`;
  });
  const sizes = (await slices()).map(({ endpoints }) => endpoints.length);
  await controllers.stop();
  return { held: held.sort(), wanted: wanted.sort(), sizes, doubled };
}

test("slices come to hold every endpoint, and never one in two slices, however late changes are seen", () =>
  fc.assert(
    fc.asyncProperty(happenings, fc.integer({ min: 1, max: 4 }), async (steps, max) => {
      const { held, wanted, sizes, doubled } = await live(steps, max);
      assert.deepEqual(held, wanted);
      assert.deepEqual(doubled, []);
      assert.ok(sizes.length >= 1 && sizes.every((size) => size <= max));
    }),
    { numRuns: 100 },
  ));
