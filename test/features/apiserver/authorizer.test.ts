import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicyRule } from "#api/rbac/rule.ts";
import type { Subject } from "#api/rbac/binding.ts";
import type { Attributes } from "#apiserver/auth/attributes.ts";
import { createAuthorizer } from "#apiserver/auth/authorize.ts";
import { compileRule, questionOf, ruleAllows } from "#apiserver/auth/rbac/rule.ts";
import { findUncovered, ruleText } from "#apiserver/auth/rbac/covers.ts";
import { createRbacTable, type Binding } from "#apiserver/auth/rbac/table.ts";

/** `get apps deployments/scale web` or `get /path`, as a request would ask. */
function asked(text: string): Attributes {
  const [verb = "", group = "", full = "", name] = text.split(" ");
  if (group.startsWith("/")) return { verb, path: group };
  const [resource = "", subresource] = full.split("/");
  return {
    verb,
    group: group === "core" ? "" : group,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(name === undefined ? {} : { name }),
  };
}

const pods: PolicyRule = { verbs: ["get", "list"], apiGroups: [""], resources: ["pods"] };
const one: PolicyRule = { verbs: ["get"], apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"] };
const scales: PolicyRule = { verbs: ["*"], apiGroups: ["apps"], resources: ["*/scale"] };
const all: PolicyRule = { verbs: ["*"], apiGroups: ["*"], resources: ["*"] };
const paths: PolicyRule = { verbs: ["get"], nonResourceURLs: ["/healthz", "/apis/*"] };
const anyPath: PolicyRule = { verbs: ["get"], nonResourceURLs: ["*"] };

const questions: readonly (readonly [rule: PolicyRule, question: string, allowed: boolean])[] = [
  [pods, "get core pods", true],
  [pods, "list core pods web", true],
  [pods, "watch core pods", false],
  [pods, "get apps pods", false],
  [pods, "get core pods/log", false],
  [pods, "get core nodes", false],
  [pods, "get /pods", false],
  [one, "get core secrets a", true],
  [one, "get core secrets c", false],
  [one, "get core secrets", false],
  [scales, "update apps deployments/scale", true],
  [scales, "update apps deployments", false],
  [scales, "update apps deployments/status", false],
  [all, "anything some.group things/parts", true],
  [all, "get /healthz", false],
  [{ ...all, resources: ["pods"] }, "get core pods/exec", false],
  [paths, "get /healthz", true],
  [paths, "get /healthz/etcd", false],
  [paths, "get /apis/apps/v1", true],
  [paths, "get /apis", false],
  [paths, "post /healthz", false],
  [paths, "get core pods", false],
  [anyPath, "get /metrics", true],
  // What is asked with a star is allowed by a star alone.
  [pods, "* core pods", false],
  [pods, "get * pods", false],
  [all, "* * *", true],
];

for (const [rule, question, allowed] of questions) {
  test(`${ruleText(rule)} ${allowed ? "allows" : "does not allow"} ${question}`, () => {
    assert.equal(ruleAllows(compileRule(rule), questionOf(asked(question))), allowed);
  });
}

function binding(name: string, subjects: Subject[], role: string, namespace?: string): Binding {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects,
  };
}

const user = (name: string, ...groups: string[]) => ({ name, groups });
const listPods = (namespace?: string) => ({
  verb: "list",
  group: "",
  resource: "pods",
  ...(namespace === undefined ? {} : { namespace }),
});

test("a binding counts in its namespace, one of the cluster everywhere; a change takes back what it gave", () => {
  const table = createRbacTable();
  const authorizer = createAuthorizer(table);
  const may = (name: string, namespace?: string, ...groups: string[]) =>
    authorizer.authorize(user(name, ...groups), listPods(namespace)).allowed;
  table.setBinding("a", binding("a", [{ kind: "User", name: "alice" }], "pods", "dev"));
  assert.equal(may("alice", "dev"), false, "the role is not there yet");
  table.setRole("pods", [pods]);
  assert.deepEqual(
    [may("alice", "dev"), may("alice", "other"), may("alice"), may("bob", "dev")],
    [true, false, false, false],
  );
  table.setBinding("b", binding("b", [{ kind: "Group", name: "crew" }], "pods"));
  assert.deepEqual(
    [may("bob", "dev", "crew"), may("bob", undefined, "x", "crew"), may("crew", "dev")],
    [true, true, false],
  );
  // An account without a namespace is one of the binding's.
  const account: Subject = { kind: "ServiceAccount", name: "bot" };
  table.setBinding("c", binding("c", [account], "pods", "dev"));
  assert.equal(may("system:serviceaccount:dev:bot", "dev"), true);
  assert.equal(may("system:serviceaccount:other:bot", "dev"), false);

  table.setBinding("a", binding("a", [{ kind: "User", name: "carol" }], "pods", "dev"));
  assert.deepEqual([may("alice", "dev"), may("carol", "dev")], [false, true]);
  table.setBinding("a", undefined);
  assert.equal(may("carol", "dev"), false);
  table.setRole("pods", []);
  assert.equal(may("bob", "dev", "crew"), false);
  table.setRole("pods", undefined);
  const asking = { verb: "get", group: "", resource: "pods", namespace: "dev" };
  assert.equal(
    authorizer.reasonOf({ allowed: false }, user("bob", "crew"), asking),
    'RBAC: clusterrole.rbac.authorization.k8s.io "pods" not found',
  );
});

test("whatever the objects say, administrators pass, nodes do their work, and probes are answered", () => {
  const authorizer = createAuthorizer(createRbacTable());
  const nodes = user("system:node:n", "system:nodes");
  assert.equal(authorizer.authorize(user("root", "system:masters"), asked("delete core nodes")).allowed, true);
  assert.equal(
    authorizer.authorize(user("system:masters"), asked("delete core nodes")).allowed,
    false,
    "a group, no user",
  );
  assert.equal(authorizer.authorize(nodes, asked("update core pods/status")).allowed, true);
  assert.equal(authorizer.authorize(nodes, asked("list core services")).allowed, true);
  assert.equal(authorizer.authorize(nodes, asked("delete core services")).allowed, false);
  for (const path of ["/healthz", "/livez", "/readyz", "/readyz/etcd"]) {
    assert.equal(authorizer.authorize(user("anybody"), asked(`get ${path}`)).allowed, true, path);
    assert.equal(authorizer.authorize(user("anybody"), asked(`delete ${path}`)).allowed, false, path);
  }
  for (const path of ["/version", "/healthzz", "/api"]) {
    assert.equal(authorizer.authorize(user("anybody"), asked(`get ${path}`)).allowed, false, path);
  }
});

const grants: readonly (readonly [held: PolicyRule[], wished: PolicyRule[], missing: string[]])[] = [
  [[all], [pods, one, scales], []],
  [[all], [paths], ['{NonResourceURLs:["/healthz"], Verbs:["get"]}', '{NonResourceURLs:["/apis/*"], Verbs:["get"]}']],
  [[anyPath], [paths], []],
  [
    [paths],
    [{ verbs: ["get"], nonResourceURLs: ["/apis/apps", "/apis*"] }],
    ['{NonResourceURLs:["/apis*"], Verbs:["get"]}'],
  ],
  // Two rules may hold together what one wishes for.
  [
    [
      { ...pods, verbs: ["get"] },
      { ...pods, verbs: ["list"] },
    ],
    [pods],
    [],
  ],
  [[{ ...pods, verbs: ["get"] }], [pods], ['{APIGroups:[""], Resources:["pods"], Verbs:["list"]}']],
  [[pods], [{ ...pods, resourceNames: ["web"] }], []],
  [[one], [{ ...one, resourceNames: [] }], ['{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}']],
  [
    [one],
    [{ ...one, resourceNames: ["b", "c"] }],
    ['{APIGroups:[""], Resources:["secrets"], ResourceNames:["c"], Verbs:["get"]}'],
  ],
  [[pods], [{ ...pods, verbs: ["*"] }], ['{APIGroups:[""], Resources:["pods"], Verbs:["*"]}']],
  [
    [scales],
    [{ verbs: ["get"], apiGroups: ["apps"], resources: ["deployments/scale", "*/scale", "deployments"] }],
    ['{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}'],
  ],
  [[], [{}], []],
];

for (const [held, wished, missing] of grants) {
  test(`who holds [${held.map((rule) => ruleText(rule)).join(" ")}] gives [${wished.map((rule) => ruleText(rule)).join(" ")}]`, () => {
    const compiled = held.map((rule) => compileRule(rule));
    const found = findUncovered(compiled, wished);
    assert.ok("missing" in found);
    assert.deepEqual(
      found.missing.map((rule) => ruleText(rule)),
      missing,
    );
  });
}

test("a rule of countless single permissions is refused and not counted out", () => {
  const many = Array.from({ length: 2000 }, (_, index) => `x${index}`);
  const wished: PolicyRule = { verbs: many, apiGroups: many, resources: many };
  assert.deepEqual(findUncovered([compileRule(pods)], [wished]), { tooMany: 8e9 });
  assert.deepEqual(findUncovered([compileRule(all)], [wished]), { missing: [] });
});
