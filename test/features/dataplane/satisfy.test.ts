import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Filter } from "#dataplane/table.ts";
import { ask, backend, change, echoEndpoint, host, httpEndpoint, route, startPlane } from "./harness.ts";

const inside: Filter = { type: "source-ranges", allow: ["127.0.0.0/8"], deny: [] };
const outside: Filter = { type: "source-ranges", allow: ["10.0.0.0/8"], deny: [] };
const password: Filter = { type: "basic-auth", realm: "x", users: [["ann", "{PLAIN}one"]] };
const authenticator: Filter = {
  type: "external-auth",
  backend: "auth",
  host: "auth.example",
  target: "/",
  responseFields: [],
  timeouts: { connectMs: 5000, readMs: 5000, sendMs: 5000 },
};
const any: Filter = { type: "satisfy-any" };
const ann = `Authorization: Basic ${btoa("ann:one")}`;

async function statusWith(t: TestContext, filters: readonly Filter[], judged: number, fields: readonly string[] = []) {
  const { plane, port } = await startPlane(t);
  const auth = await httpEndpoint(t, (_request, response) => response.writeHead(judged).end());
  const backends = [backend("b", [await echoEndpoint(t)]), backend("auth", [auth])];
  await plane.apply(change({ hosts: [host("*", [route("r", { filters })])], backends }));
  return (await ask(t, port, "GET /", fields)).status;
}

for (const { title, filters, judged = 200, fields = [], status } of [
  { title: "an address alone", filters: [inside, password, any], status: 200 },
  { title: "a password alone", filters: [outside, password, any], fields: [ann], status: 200 },
  { title: "an authenticator alone", filters: [outside, password, authenticator, any], status: 200 },
  {
    title: "a password, not asking further",
    filters: [password, authenticator, any],
    judged: 500,
    fields: [ann],
    status: 200,
  },
  { title: "none: 401 before 403", filters: [outside, password, authenticator, any], judged: 403, status: 401 },
  { title: "none of those that only refuse", filters: [outside, authenticator, any], judged: 403, status: 403 },
  { title: "an authenticator that fails", filters: [outside, authenticator, any], judged: 500, status: 500 },
  { title: "all without any: an address does not do", filters: [inside, password], status: 401 },
] as const) {
  test(`${title}: ${status}`, async (t) => assert.equal(await statusWith(t, filters, judged, fields), status));
}
