import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { createServiceCompiler } from "#routing/l4/compiler.ts";
import { mergeDiffs } from "#routing/l4/diff.ts";
import type { ServiceDiff, ServicePortEntry } from "#routing/l4/table.ts";
import { service, slice } from "./objects.ts";

const names = ["a", "b", "c"];
const change = fc.record({
  kind: fc.constantFrom("Service", "EndpointSlice"),
  of: fc.constantFrom(...names),
  gone: fc.boolean(),
  port: fc.integer({ min: 80, max: 82 }),
  endpoints: fc.subarray(["10.244.1.1", "10.244.1.2", "10.244.2.1"]),
  part: fc.constantFrom("1", "2"),
  take: fc.boolean(),
});

function applied(to: ReadonlyMap<string, ServicePortEntry>, { added, changed, removed }: ServiceDiff) {
  const ports = new Map(to);
  for (const { id } of removed) ports.delete(id);
  for (const entry of [...added, ...changed.map(({ after }) => after)]) ports.set(entry.id, entry);
  return ports;
}

/** What traffic notices of a table. */
const effects = (ports: ReadonlyMap<string, ServicePortEntry>) =>
  [...ports.values()].map((entry) => ({ ...entry, because: undefined })).sort((a, b) => (a.id < b.id ? -1 : 1));

test("a table kept up by changes is the table of a whole compile, and so is what its differences add up to", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const compiler = createServiceCompiler();
      const services = new Map<string, Service>();
      const slices = new Map<string, EndpointSlice>();
      const diffs: ServiceDiff[] = [];
      let followed: ReadonlyMap<string, ServicePortEntry> = new Map();
      const take = () => {
        const diff = compiler.take();
        if (diff === undefined) return;
        diffs.push(diff);
        followed = applied(followed, diff);
      };
      for (const [index, { kind, of, gone, port, endpoints, part, take: takes }] of changes.entries()) {
        const revision = String(index + 1);
        if (kind === "Service") {
          const before = services.get(of);
          const after = gone ? undefined : service(of, { ports: [{ port }] }, revision);
          if (after === undefined) services.delete(of);
          else services.set(of, after);
          compiler.service({ before, after });
        } else {
          const name = `${of}-${part}`;
          const before = slices.get(name);
          const after = gone ? undefined : slice(of, endpoints, { name, resourceVersion: revision });
          if (after === undefined) slices.delete(name);
          else slices.set(name, after);
          compiler.slice({ before, after });
        }
        if (takes) take();
      }
      take();
      const whole = effects(compileTable([...services.values()], [...slices.values()]).ports);
      assert.deepEqual(effects(compiler.table().ports), whole);
      assert.deepEqual(effects(followed), whole);
      const nothing: ServiceDiff = { added: [], changed: [], removed: [], revision: "0" };
      const merged = diffs.reduce((all, next) => mergeDiffs(all, next), nothing);
      assert.deepEqual(effects(applied(new Map(), merged)), whole);
    }),
    { numRuns: 150 },
  );
});

test("a change that traffic does not notice moves the revision alone", () => {
  const compiler = createServiceCompiler();
  const before = service("a", {}, "1");
  compiler.service({ after: before });
  assert.equal(compiler.take()?.added.length, 1);
  compiler.service({ before, after: { ...before, metadata: { ...before.metadata, resourceVersion: "7" } } });
  assert.deepEqual(compiler.take(), { added: [], changed: [], removed: [], revision: "7" });
  assert.equal(compiler.take(), undefined);
  assert.equal(compiler.table().ports.get("dev/a:/TCP")?.because.from[0]?.revision, "7");
});
