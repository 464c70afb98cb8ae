import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { readPools } from "#loadbalancer/config.ts";
import { addressesAnnotation, loadBalancerClass, poolAnnotation, sharingAnnotation } from "#loadbalancer/wishes.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codesOf, readPage, root, rowsOf, sectionOf } from "./pages.ts";

const page = readPage("docs/reference/load-balancer.md");

test("the ConfigMap of the page is one that is used", () => {
  const text = /```yaml\n([^]*?)```/.exec(page.text)?.[1] ?? "";
  const map = parse(text) as { data: Record<string, string> };
  const { pools, problems } = readPools(map.data["config.yaml"] ?? "", []);
  assert.deepEqual(problems, []);
  assert.equal(pools.length, 1);
});

test("the fields of the page are those of a pool", () => {
  const fields = rowsOf(sectionOf(page, "Pools")).flatMap(([field = ""]) => codesOf(field));
  for (const field of fields) {
    const [first = "", second] = field.split(".");
    const pool = { [first]: second === undefined ? {} : { [second]: {} } };
    const { problems } = readPools(JSON.stringify({ pools: [pool] }), []);
    assert.ok(!problems.some(({ text }) => text.includes("is not a key")), field);
  }
  assert.equal(fields.length, 8);
});

test("the names and reasons of the page are those of the program", () => {
  const asked = rowsOf(sectionOf(page, "What a Service can ask for")).map(([name = ""]) => codesOf(name)[0] ?? "");
  for (const name of [addressesAnnotation, poolAnnotation, sharingAnnotation]) assert.ok(asked.includes(name), name);
  assert.ok(page.text.includes(`\`${loadBalancerClass}\``));
  const source = readFileSync(join(root, "src/loadbalancer/assign.ts"), "utf8");
  const type = /export type PendingReason =([^;]*);/.exec(source)?.[1] ?? "";
  const reasons = [...type.matchAll(/"(\w+)"/g)].map(([, reason]) => reason);
  assert.deepEqual(asked.filter((name) => reasons.includes(name)).sort(), reasons.sort());
});
