import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { kinds } from "#api/kinds.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { resourcePath } from "#api/resources.ts";
import { manualClock, type ManualClock } from "../../fakes/clock.ts";
import { ask, startTestServer, type TestServer } from "../../fakes/api-server.ts";

/**
 * Each `.yaml` file holds cases, one a document: `name`, the `kind` of the object (a ConfigMap by default), and `steps`.
 *
 * A step is one write: `apply`, `create`, `put`, `merge`, `strategic` or `json`, with the manager's name, and the `body`.
 * With it may stand `force`, `subresource`, `version` (of the apiVersion), `dryRun`, `validation`, and `later` (seconds
 * that pass before it).
 * What must come back:
 * - `code`, `message`, `conflicts` ("manager: field", in any order)
 * - `object`: contained in the answer; a null must not be there, a list is the whole list; `{name}` is the object's name
 * - `held`: all of `metadata.managedFields`, as `manager operation apiVersion[ subresource]`: its fields' paths
 * - `order`: the managers' names in the order of the entries; `times`: seconds since the start, by manager
 * - `unchanged`: nothing was stored
 */
interface Case {
  readonly name: string;
  readonly kind?: string;
  readonly steps: readonly Step[];
}

type Write = "apply" | "create" | "put" | "merge" | "strategic" | "json";

interface Step extends Partial<Record<Write, string>> {
  readonly body?: unknown;
  readonly force?: boolean;
  readonly subresource?: string;
  readonly version?: string;
  readonly dryRun?: boolean;
  readonly validation?: string;
  readonly later?: number;
  readonly code?: number;
  readonly message?: string;
  readonly conflicts?: readonly string[];
  readonly object?: unknown;
  readonly held?: Readonly<Record<string, readonly string[]>>;
  readonly order?: readonly string[];
  readonly times?: Readonly<Record<string, number>>;
  readonly unchanged?: boolean;
}

const writes: Readonly<Record<Write, { method: string; type: string }>> = {
  apply: { method: "PATCH", type: "application/apply-patch+yaml" },
  create: { method: "POST", type: "application/json" },
  put: { method: "PUT", type: "application/json" },
  merge: { method: "PATCH", type: "application/merge-patch+json" },
  strategic: { method: "PATCH", type: "application/strategic-merge-patch+json" },
  json: { method: "PATCH", type: "application/json-patch+json" },
};

const folder = new URL(".", import.meta.url);
const start = Date.parse("2026-01-01T00:00:00Z");

describe("server-side apply", () => {
  let server: TestServer;
  let clock: ManualClock;
  before(async () => {
    clock = manualClock(start);
    server = await startTestServer({ clock });
    await server
      .localClient({ name: "test", groups: ["system:masters"] })
      .create("Namespace", { metadata: { name: "n" } });
  });
  after(() => server.stop());

  let count = 0;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".yaml"))) {
    const documents = parseAllDocuments(readFileSync(new URL(file, folder), "utf8"));
    for (const document of documents) {
      const { name, kind = "ConfigMap", steps } = document.toJS() as Case;
      test(`${file.replace(".yaml", "")}: ${name}`, async () => {
        count += 1;
        await play(steps, { server, clock, kind, name: `c${count}` });
      });
    }
  }
});

interface Ground {
  readonly server: TestServer;
  readonly clock: ManualClock;
  readonly kind: string;
  readonly name: string;
}

async function play(steps: readonly Step[], ground: Ground): Promise<void> {
  const began = ground.clock.now();
  let revision: string | undefined;
  for (const [index, step] of steps.entries()) {
    ground.clock.advance((step.later ?? 0) * 1000);
    const { code, answer } = await write(step, ground);
    const shown = `step ${index + 1} was answered ${code}: ${JSON.stringify(answer, null, 1)}`;
    assert.equal(code, step.code ?? (step.create === undefined && index > 0 ? 200 : 201), shown);
    if (step.message !== undefined) assert.equal(answer.message, step.message, shown);
    if (step.conflicts !== undefined) assert.deepEqual(conflictsIn(answer), [...step.conflicts].sort(), shown);
    if (step.object !== undefined) expectContained(filled(step.object, ground), answer, shown);
    if (step.held !== undefined) assert.deepEqual(heldIn(answer), sortedLists(step.held), shown);
    const entries = answer.metadata?.managedFields ?? [];
    if (step.order !== undefined)
      assert.deepEqual(
        entries.map(({ manager }) => manager),
        step.order,
        shown,
      );
    for (const [manager, seconds] of Object.entries(step.times ?? {})) {
      const time = entries.find((entry) => entry.manager === manager)?.time ?? "";
      assert.equal((Date.parse(time) - began) / 1000, seconds, `${manager}'s time; ${shown}`);
    }
    if (step.unchanged) assert.equal(answer.metadata?.resourceVersion, revision, `something was stored; ${shown}`);
    if (code < 300 && !step.dryRun) revision = answer.metadata?.resourceVersion;
  }
}

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly time?: string;
  readonly subresource?: string;
  readonly fieldsType: string;
  readonly fieldsV1: object;
}

interface Answer {
  readonly message?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly managedFields?: readonly Entry[] };
  readonly details?: { readonly causes?: readonly { reason: string; message: string; field: string }[] };
}

async function write(step: Step, { server, kind, name }: Ground): Promise<{ code: number; answer: Answer }> {
  const verb = (Object.keys(writes) as Write[]).find((one) => step[one] !== undefined) ?? "apply";
  const { method, type } = writes[verb];
  const definition = kinds.find(({ resource }) => resource.kind === kind);
  assert.ok(definition, `no kind ${kind}`);
  const { resource } = definition;
  const apiVersion = step.version ?? resource.apiVersion;
  const place = { ...(verb === "create" ? {} : { name }), ...(resource.namespaced ? { namespace: "n" } : {}) };
  const at = resourcePath(
    { ...resource, apiVersion },
    { ...place, ...(step.subresource && { subresource: step.subresource }) },
  );
  const query = new URLSearchParams({
    ...(step[verb] ? { fieldManager: step[verb] } : {}),
    ...(step.force === undefined ? {} : { force: String(step.force) }),
    ...(step.dryRun ? { dryRun: "All" } : {}),
    ...(step.validation === undefined ? {} : { fieldValidation: step.validation }),
  });
  const isWhole = verb === "apply" || verb === "create" || verb === "put";
  const body = typeof step.body === "string" ? step.body : JSON.stringify(isWhole ? whole(step.body) : step.body);
  const answer = await ask(server, `${at}?${query.toString()}`, { method, headers: { "Content-Type": type }, body });
  return { code: answer.code, answer: JSON.parse(answer.body.toString()) as Answer };

  function whole(body: unknown): object {
    const { metadata, ...rest } = (body ?? {}) as Partial<KubeObject>;
    return {
      apiVersion,
      kind,
      ...rest,
      metadata: { name, ...(resource.namespaced && { namespace: "n" }), ...metadata },
    };
  }
}

function conflictsIn({ details }: Answer): string[] {
  return (details?.causes ?? [])
    .map(({ reason, message, field }) => {
      assert.equal(reason, "FieldManagerConflict");
      return `${message.replace("conflict with ", "")}: ${field}`;
    })
    .sort();
}

function heldIn({ metadata }: Answer): Record<string, string[]> {
  const entries = (metadata?.managedFields ?? []).map((entry) => {
    assert.equal(entry.fieldsType, "FieldsV1");
    const { manager, operation, apiVersion, subresource = "" } = entry;
    return [`${manager} ${operation} ${apiVersion} ${subresource}`.trim(), pathsIn(entry.fieldsV1, "").sort()];
  });
  return Object.fromEntries(entries) as Record<string, string[]>;
}

/** `f:` becomes a dot; keys and values stay as they are, after their element's letter. */
function pathsIn(fields: object, path: string): string[] {
  const inner = Object.entries(fields).filter(([name]) => name !== ".");
  const below = inner.flatMap(([name, child]) => {
    return pathsIn(child as object, `${path}${name.startsWith("f:") ? `.${name.slice(2)}` : `[${name}]`}`);
  });
  const isMember = path !== "" && (inner.length === 0 || "." in fields);
  return isMember ? [path, ...below] : below;
}

function sortedLists(held: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(held).map(([name, paths]) => [name, [...paths].sort()]));
}

function filled(wanted: unknown, { name }: Ground): unknown {
  return JSON.parse(JSON.stringify(wanted).replaceAll("{name}", name));
}

function expectContained(wanted: unknown, actual: unknown, shown: string): void {
  if (wanted === null) assert.equal(actual, undefined, shown);
  else if (Array.isArray(wanted)) {
    assert.ok(Array.isArray(actual) && actual.length === wanted.length, shown);
    for (const [index, item] of wanted.entries()) expectContained(item, (actual as unknown[])[index], shown);
  } else if (typeof wanted === "object") {
    for (const [key, value] of Object.entries(wanted)) {
      expectContained(value, (actual as Record<string, unknown> | undefined)?.[key], `${key}: ${shown}`);
    }
  } else assert.deepEqual(actual, wanted, shown);
}
