import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Filter } from "#dataplane/table.ts";
import { ask, field, httpEndpoint, simple, startPlane } from "./harness.ts";

type Cors = Extract<Filter, { type: "cors" }>;

const rules: Cors = {
  type: "cors",
  origins: ["https://a.example", "http://*.b.example:8080", "null"],
  methods: "GET, POST",
  headers: "X-One",
  exposed: "X-Two",
  credentials: true,
  maxAge: 600,
};

async function planeWith(t: TestContext, more: Partial<Cors> = {}, after: readonly Filter[] = []) {
  const { plane, port } = await startPlane(t);
  let asked = 0;
  const endpoint = await httpEndpoint(t, (_request, response) => {
    asked += 1;
    response.writeHead(200, { "Access-Control-Allow-Origin": "https://endpoint.example" }).end("ok");
  });
  await plane.apply(simple([endpoint], { filters: [{ ...rules, ...more }, ...after] }));
  return { port, asked: () => asked };
}

const origin = (head: string) => field(head, "access-control-allow-origin");

for (const [given, allowed] of [
  ["https://a.example", true],
  ["HTTPS://A.example", true],
  ["http://x.b.example:8080", true],
  ["null", true],
  ["http://b.example:8080", false],
  ["http://x.y.b.example:8080", false],
  ["http://x.b.example", false],
  ["https://evil-https://a.example", false],
  ["https://a.example.evil.example", false],
  ["https://aXexample", false],
] as const) {
  test(`${given} ${allowed ? "gets its own name back" : "gets no leave"}`, async (t) => {
    const { port } = await planeWith(t);
    const { status, head } = await ask(t, port, "GET /", [`Origin: ${given}`]);
    assert.equal(status, 200);
    assert.equal(origin(head), allowed ? given : "https://endpoint.example");
    assert.equal(field(head, "access-control-allow-credentials"), allowed ? "true" : undefined);
    assert.equal(field(head, "access-control-expose-headers"), allowed ? "X-Two" : undefined);
  });
}

test("OPTIONS of an origin that is let in is answered here, before redirects and guards", async (t) => {
  const closed: Filter[] = [
    { type: "https-redirect", status: 308 },
    { type: "source-ranges", allow: ["10.0.0.0/8"], deny: [] },
  ];
  const { port, asked } = await planeWith(t, {}, closed);
  const { status, head, body } = await ask(t, port, "OPTIONS /", ["Origin: https://a.example"]);
  assert.equal(status, 204);
  assert.equal(body, "");
  assert.equal(origin(head), "https://a.example");
  assert.equal(field(head, "access-control-allow-methods"), "GET, POST");
  assert.equal(field(head, "access-control-allow-headers"), "X-One");
  assert.equal(field(head, "access-control-max-age"), "600");
  assert.equal(field(head, "content-type"), "text/plain charset=UTF-8");
  assert.equal((await ask(t, port, "OPTIONS /", ["Origin: https://x.example"])).status, 308);
  assert.equal(asked(), 0);
});

test("answers of the proxy itself carry the fields too", async (t) => {
  const { port } = await planeWith(t, {}, [{ type: "source-ranges", allow: ["10.0.0.0/8"], deny: [] }]);
  const { status, head } = await ask(t, port, "GET /", ["Origin: https://a.example"]);
  assert.equal(status, 403);
  assert.equal(origin(head), "https://a.example");
});

test("a star lets in all, also who names no origin, and needs no credentials to be said", async (t) => {
  const { port } = await planeWith(t, { origins: ["https://a.example", "*"], credentials: false, exposed: undefined });
  const { head } = await ask(t, port, "GET /");
  assert.equal(origin(head), "*");
  assert.equal(field(head, "access-control-allow-credentials"), undefined);
  assert.equal(field(head, "access-control-expose-headers"), undefined);
  assert.equal((await ask(t, port, "OPTIONS /")).status, 204);
});
