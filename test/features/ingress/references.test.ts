import assert from "node:assert/strict";
import { test } from "node:test";
import type { Secret } from "#api/core/secret/kind.ts";
import type { Filter } from "#dataplane/table.ts";
import { ingress, ruleFor, service, slice, startedWorld, touched, twoHosts, type World } from "./world.ts";

const prefix = "nginx.ingress.kubernetes.io/";
const guarded = { [`${prefix}auth-type`]: "basic", [`${prefix}auth-secret`]: "users" };

function users(text: string): Secret {
  const data = { auth: Buffer.from(text).toString("base64") };
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace: "dev", name: "users" }, data };
}

const objects = () => [
  service("web"),
  slice("web", ["10.0.0.1"]),
  ingress("guarded", { rules: [ruleFor("guarded.example", "web")] }, guarded),
  ...twoHosts().filter(({ kind, metadata }) => kind !== "Service" || metadata.name !== "web"),
];

function routeOf(world: World) {
  return world.running.compiled().hosts.get("guarded.example")?.routes[0] ?? assert.fail("no route");
}

function usersOf(filters: readonly Filter[]): readonly string[] {
  const found = filters.find(({ type }) => type === "basic-auth");
  return found?.type === "basic-auth" ? found.users.map(([name]) => name) : assert.fail("nobody is asked");
}

test("a Secret that comes, changes and goes touches the hosts that name it, and no others", async (t) => {
  const world = await startedWorld(objects());
  t.after(() => world.running.stop());
  assert.equal(routeOf(world).target.type, "answer");
  assert.equal(world.running.problems()[0]?.code, "auth-secret-not-found");

  await world.client.create("Secret", users("ann:{PLAIN}one"));
  await world.until("the guard", () => routeOf(world).target.type === "backend");
  assert.deepEqual(usersOf(routeOf(world).filters), ["ann"]);
  assert.deepEqual(world.running.problems(), []);
  assert.deepEqual(touched(world.taken().at(-1) ?? assert.fail())["hosts"], ["guarded.example"]);

  await world.client.update("Secret", users("ann:{PLAIN}one\nben:{PLAIN}two"));
  await world.until("the new user", () => usersOf(routeOf(world).filters).length === 2);
  assert.deepEqual(touched(world.taken().at(-1) ?? assert.fail())["hosts"], ["guarded.example"]);

  await world.client.delete("Secret", { namespace: "dev", name: "users" });
  await world.until("the closing", () => routeOf(world).target.type === "answer");
  assert.deepEqual(routeOf(world).filters, []);
});

test("a route tells which Secret and ConfigMap it was compiled from, and no password is in what is told", async (t) => {
  const annotations = { ...guarded, [`${prefix}custom-headers`]: "more" };
  const more = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "dev", name: "more" },
    data: { "X-A": "1" },
  } as const;
  const world = await startedWorld([
    service("web"),
    slice("web", ["10.0.0.1"]),
    users("ann:{PLAIN}top secret\nold:rqXexS6ZhobKA"),
    more,
    ingress("guarded", { rules: [ruleFor("guarded.example", "web")] }, annotations),
  ]);
  t.after(() => world.running.stop());
  await world.until("the guard", () => routeOf(world).target.type === "backend");
  const { because, problems } = world.running.compiled();
  const from = because.get(routeOf(world).id)?.from.map(({ kind, name }) => `${kind} ${name}`);
  assert.deepEqual(from, ["Ingress guarded", "Service web", "Secret users", "ConfigMap more"]);
  assert.equal(problems[0]?.code, "auth-password-unreadable");
  assert.doesNotMatch(JSON.stringify([[...because], problems, world.running.routes()]), /top secret|rqXexS6/);
});
