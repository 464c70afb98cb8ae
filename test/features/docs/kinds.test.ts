import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultRoles } from "#apiserver/auth/rbac/default-roles.ts";
import { bodiesLimit, bodyLimit } from "#apiserver/http/body.ts";
import { defaultRequestLimits } from "#apiserver/http/gate.ts";
import { connectionLimits } from "#apiserver/http/listener.ts";
import { reviews } from "#apiserver/rest/reviews.ts";
import { apiVersionOf, servedKinds, type ServedKind } from "#api/kinds.ts";
import { podLimit } from "#node/heartbeat/describe.ts";
import { codesOf, readPage, rowsOf, sectionOf } from "./pages.ts";

const page = readPage("docs/reference/kinds.md");

function rowOf({ definition, version }: ServedKind): string[] {
  const code = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(", ");
  const { resource, subresources } = definition;
  return [
    resource.kind,
    code([apiVersionOf(version)]),
    code([resource.plural, ...(version.shortNames ?? definition.shortNames)]),
    resource.namespaced ? "yes" : "no",
    code(subresources),
    version.warning === undefined ? "" : "deprecated: each request is answered with a warning",
  ];
}

test("the table of kinds is what the API serves", () => {
  assert.deepEqual(
    rowsOf(sectionOf(page, "Kinds")),
    servedKinds.map((served) => rowOf(served)),
  );
});

test("every question that is answered and not stored stands in the reference", () => {
  for (const { expected } of reviews) {
    assert.ok(page.text.includes(`\`${expected.apiVersion}\` ${expected.kind}`), expected.kind);
  }
});

test("the roles that every cluster has stand in the reference", () => {
  const [, list = ""] = sectionOf(page, "Who may do what").split("Every cluster has these ClusterRoles:");
  assert.deepEqual(
    codesOf(list),
    defaultRoles.map(({ name }) => name),
  );
});

test("the limits of the reference are those of the program", () => {
  const limits = sectionOf(page, "Limits");
  assert.ok(limits.includes(`One object: ${bodyLimit / 1024 ** 2} MiB`));
  assert.ok(limits.includes(`being answered: ${bodiesLimit / 1024 ** 2} MiB`));
  const { atOnce, ofUserAtOnce, ofUserPerSecond, ofUserBurst, ofUserStreams } = defaultRequestLimits;
  assert.ok(limits.includes(`${atOnce} requests at once`));
  const ofUser = `${ofUserAtOnce} at once, ${ofUserPerSecond} a second when they go on for more than ${ofUserBurst}`;
  assert.ok(limits.replaceAll(/\s+/g, " ").includes(`${ofUser}, and ${ofUserStreams} open watches`));
  assert.ok(limits.includes(`${connectionLimits.perClient} connections from one address`));
  assert.ok(limits.includes(`A node takes ${podLimit} pods`));
});
