import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Namespace } from "#api/core/namespace/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { createNameCompiler, type NameCompiler } from "#routing/names/compile.ts";
import type { NameDiff, NameEntry } from "#routing/names/table.ts";
import { manualClock } from "../../fakes/clock.ts";
import { namespace, service, slice, zone } from "./fixture.ts";

const at = <T extends { metadata: object }>(object: T, resourceVersion: string): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});
const dev = at(namespace("dev") as Namespace, "1");
const web = at(service("web", { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80 }] }) as Service, "2");
const db = at(service("db", { clusterIP: "None", ports: [{ name: "http", port: 80 }] }) as Service, "3");
const dbSlice = at(slice("db", ["10.244.0.1", "10.244.0.2"]) as EndpointSlice, "4");

function compiler(): NameCompiler {
  const clock = manualClock(1_700_000_000_000);
  const made = createNameCompiler({ zone, clock });
  made.namespace({ after: dev });
  made.service({ after: web });
  made.service({ after: db });
  made.slice({ after: dbSlice });
  return made;
}

const namesOf = (diff: NameDiff | undefined) => diff?.names.map(([name]) => name).sort();

test("the first difference holds all names, the next one only what changed", () => {
  const names = compiler();
  const first = names.take();
  assert.equal(first?.revision, "4");
  assert.equal(first?.serial, 1_700_000_000);
  assert.equal(first?.names.length, names.table().names.size);
  assert.equal(names.take(), undefined);

  const grown = at(slice("db", ["10.244.0.1", "10.244.0.2", "10.244.0.3"]) as EndpointSlice, "5");
  names.slice({ before: dbSlice, after: grown });
  const diff = names.take();
  assert.deepEqual(namesOf(diff), [
    "10-244-0-3.db.dev.svc.cluster.local",
    "_http._tcp.db.dev.svc.cluster.local",
    "db.dev.svc.cluster.local",
  ]);
  assert.deepEqual(
    diff?.reverse.map(([name]) => name),
    ["3.0.244.10.in-addr.arpa"],
  );
});

test("a change that no answer shows makes an empty difference that moves the revision, and keeps the serial", () => {
  const names = compiler();
  names.take();
  names.service({ before: web, after: at(web, "9") });
  assert.deepEqual(names.take(), { names: [], reverse: [], serial: 1_700_000_000, revision: "9" });
  assert.equal(names.take("10")?.revision, "10");
  assert.equal(names.take("10"), undefined);
  assert.equal(names.table().names.get(`web.dev.svc.${zone}`)?.because?.from[0]?.revision, "9");
});

test("every name says which objects it came from", () => {
  const names = compiler();
  names.take();
  const table = names.table();
  const from = (name: string) =>
    table.names.get(`${name}.${zone}`)?.because?.from.map(({ kind, name, revision }) => `${kind} ${name} ${revision}`);
  assert.deepEqual(from("web.dev.svc"), ["Service web 2"]);
  assert.deepEqual(from("db.dev.svc"), ["Service db 3", "EndpointSlice db-1 4"]);
  assert.deepEqual(from("10-244-0-2.db.dev.svc"), ["EndpointSlice db-1 4", "Service db 3"]);
  const source = table.names.get(`10-244-0-2.db.dev.svc.${zone}`)?.because?.from[0];
  assert.equal(source?.field, "endpoints[1]");
});

test("an endpoint with a Service's own address loses its reverse name to it, and says so", () => {
  const names = compiler();
  names.slice({ before: dbSlice, after: at(slice("db", ["10.96.0.20"]) as EndpointSlice, "5") });
  names.take();
  const entry = names.table().reverse.get("20.0.96.10.in-addr.arpa");
  assert.deepEqual(entry?.ptr, [`web.dev.svc.${zone}`]);
  assert.equal(entry?.because?.losers?.[0]?.name, "db-1");
});

test("a namespace hides its Services until it exists, and takes their names with it", () => {
  const names = createNameCompiler({ zone });
  names.service({ after: web });
  assert.equal(
    names.take()?.names.find(([name]) => name.startsWith("web.")),
    undefined,
  );
  names.namespace({ after: dev });
  assert.ok(names.take()?.names.some(([name, entry]) => name === `web.dev.svc.${zone}` && entry?.a));
  names.namespace({ before: dev });
  const gone = names.take();
  assert.ok(gone?.names.length && gone.names.every(([, entry]) => entry === undefined));
  assert.equal(names.table().reverse.size, 0);
});

test("an externalName that is an address makes no name, and a problem that says what to do", () => {
  const names = compiler();
  names.service({ after: at(service("ext", { type: "ExternalName", externalName: "192.0.2.1" }) as Service, "7") });
  names.take();
  assert.equal(names.table().names.has(`ext.dev.svc.${zone}`), false);
  assert.deepEqual(
    names.problems().map(({ code, at }) => [code, at.name, at.field]),
    [["external-name-is-address", "ext", "spec.externalName"]],
  );
});

test("after any changes the table is what the objects alone would give, and the differences add up to it", () => {
  const spec = fc.constantFrom<object>(
    { clusterIP: "10.96.0.1", ports: [{ name: "http", port: 80 }] },
    { clusterIP: "10.96.0.2", ports: [{ port: 80 }] },
    { clusterIP: "None" },
    { type: "ExternalName", externalName: "example.test" },
  );
  const pick = fc.constantFrom("a", "b");
  const step = fc.oneof(
    fc.record({ kind: fc.constant("service" as const), name: pick, spec: fc.option(spec, { nil: undefined }) }),
    fc.record({
      kind: fc.constant("slice" as const),
      name: fc.constantFrom("s1", "s2"),
      owner: pick,
      addresses: fc.option(fc.subarray(["10.244.0.1", "10.244.0.2", "10.96.0.1"]), { nil: undefined }),
    }),
    fc.record({ kind: fc.constant("namespace" as const), exists: fc.boolean() }),
    fc.record({ kind: fc.constant("take" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const clock = manualClock();
      const names = createNameCompiler({ zone, clock });
      const summed = { names: new Map<string, NameEntry>(), reverse: new Map<string, NameEntry>() };
      const services = new Map<string, Service>();
      const slices = new Map<string, EndpointSlice>();
      let space: Namespace | undefined;
      const add = (diff: NameDiff | undefined) => {
        for (const part of ["names", "reverse"] as const) {
          for (const [name, entry] of diff?.[part] ?? []) {
            if (entry === undefined) summed[part].delete(name);
            else summed[part].set(name, entry);
          }
        }
      };
      for (const taken of [...steps, { kind: "take" as const }]) {
        if (taken.kind === "take") add(names.take());
        else if (taken.kind === "namespace") {
          const after = taken.exists ? dev : undefined;
          if (after ?? space) names.namespace({ before: space, after });
          space = after;
        } else if (taken.kind === "service") {
          const after = taken.spec && at(service(taken.name, taken.spec) as Service, "1");
          const before = services.get(taken.name);
          if (after ?? before) names.service({ before, after });
          if (after === undefined) services.delete(taken.name);
          else services.set(taken.name, after);
        } else {
          const after = taken.addresses && at(slice(taken.owner, taken.addresses, taken.name) as EndpointSlice, "1");
          const before = slices.get(taken.name);
          if (after ?? before) names.slice({ before, after });
          if (after === undefined) slices.delete(taken.name);
          else slices.set(taken.name, after);
        }
      }
      const fresh = createNameCompiler({ zone, clock });
      if (space !== undefined) fresh.namespace({ after: space });
      for (const after of services.values()) fresh.service({ after });
      for (const after of slices.values()) fresh.slice({ after });
      fresh.take();
      for (const part of ["names", "reverse"] as const) {
        const bare = (map: ReadonlyMap<string, NameEntry>) =>
          [...map].map(([name, entry]) => [name, { ...entry, because: undefined }] as const).sort();
        assert.deepEqual(bare(names.table()[part]), bare(fresh.table()[part]));
        assert.deepEqual(bare(summed[part]), bare(fresh.table()[part]));
      }
    }),
    { numRuns: 300 },
  );
});
