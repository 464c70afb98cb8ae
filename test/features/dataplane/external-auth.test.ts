import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import type { ExternalAuth } from "#dataplane/table.ts";
import {
  ask,
  backend,
  change,
  deadPort,
  dial,
  echoEndpoint,
  field,
  host,
  httpEndpoint,
  rawEndpoint,
  route,
  startPlane,
} from "./harness.ts";

type Judge = (request: IncomingMessage, response: ServerResponse) => void;

async function guarded(t: TestContext, judge: Judge | number, more: Partial<ExternalAuth> = {}) {
  const { plane, port } = await startPlane(t);
  const endpoint = await echoEndpoint(t);
  const authenticator = typeof judge === "number" ? judge : await httpEndpoint(t, judge);
  const filter: ExternalAuth = {
    type: "external-auth",
    backend: "auth",
    host: "auth.example",
    target: "/verify",
    responseFields: [],
    timeouts: { connectMs: 5000, readMs: 5000, sendMs: 5000 },
    ...more,
  };
  const hosts = [host("*", [route("r", { filters: [filter] })])];
  await plane.apply(change({ hosts, backends: [backend("b", [endpoint]), backend("auth", [authenticator])] }));
  return { plane, port };
}

const answer =
  (status: number, fields: Record<string, string | string[]> = {}): Judge =>
  (_request, response) => {
    response.writeHead(status, fields);
    response.end("who reads this");
  };

for (const [said, status] of [
  [200, 200],
  [204, 200],
  [401, 401],
  [403, 403],
  [302, 500],
  [404, 500],
  [500, 500],
] as const) {
  test(`the authenticator's ${said} becomes ${status}`, async (t) => {
    const { port } = await guarded(t, answer(said));
    assert.equal((await ask(t, port, "GET /")).status, status);
  });
}

test("an authenticator that cannot be asked closes with 500, and the failure says why", async (t) => {
  const { plane, port } = await guarded(t, await deadPort());
  assert.equal((await ask(t, port, "GET /")).status, 500);
  const [failure] = await plane.failures();
  assert.match(failure?.reason ?? "", /authenticator auth.example did not answer: refused/);
});

test("an authenticator that is silent, or speaks nonsense, closes with 500", async (t) => {
  const timeouts = { connectMs: 5000, readMs: 50, sendMs: 5000 };
  const silent = await guarded(t, () => {}, { timeouts });
  assert.equal((await ask(t, silent.port, "GET /")).status, 500);
  const nonsense = await rawEndpoint(t, (socket) => void socket.on("data", () => socket.end("SSH-2.0\r\n\r\n")));
  const other = await guarded(t, nonsense);
  assert.equal((await ask(t, other.port, "GET /")).status, 500);
});

test("the authenticator is asked with the request's fields, what it was, and without its body", async (t) => {
  let seen: IncomingMessage | undefined;
  let body = 0;
  const { port } = await guarded(
    t,
    (request, response) => {
      seen = request;
      request.on("data", (bytes: Buffer) => (body += bytes.length));
      request.on("end", () => response.end());
    },
    { target: "/verify?uri=$request_uri&x=$http_x_odd", method: "GET", fields: [["X-Team", "blue $remote_addr"]] },
  );
  const client = await dial(t, port);
  const fields = [
    "Host: a.example:8080",
    "Cookie: a=b",
    "X-Odd: a b",
    "X-Original-URL: http://forged/",
    "X-Forwarded-For: 9.9.9.9",
  ];
  client.send(`POST /up?load HTTP/1.1\r\n${fields.join("\r\n")}\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc`);
  assert.match(await client.end(), /POST \/up\?load[^]*body 3/);
  assert.equal(seen?.method, "GET");
  assert.equal(seen?.url, "/verify?uri=/up?load&x=a%20b");
  assert.equal(body, 0);
  const { headers } = seen;
  assert.equal(headers.host, "auth.example");
  assert.equal(headers.cookie, "a=b");
  assert.equal(headers["content-length"], undefined);
  assert.equal(headers["x-original-url"], "http://a.example:8080/up?load");
  assert.equal(headers["x-original-method"], "POST");
  assert.equal(headers["x-original-uri"], "/up?load");
  assert.equal(headers["x-sent-from"], "nginx-ingress-controller");
  assert.equal(headers["x-forwarded-for"], "127.0.0.1");
  assert.equal(headers["x-auth-request-redirect"], "/up?load");
  assert.equal(headers["x-team"], "blue 127.0.0.1");
});

test("fields of the reply go to the endpoint, and a client cannot say them itself", async (t) => {
  const { port } = await guarded(t, answer(200, { "X-User": "ann" }), { responseFields: ["X-User", "X-Groups"] });
  const { body } = await ask(t, port, "GET /", ["X-User: eve", "X-Groups: admins"]);
  assert.match(body, /^X-User: ann$/m);
  assert.doesNotMatch(body, /eve|admins/);
});

test("401 brings what the authenticator asks for, or leads to the place to sign in with its cookies", async (t) => {
  const judge = answer(401, { "WWW-Authenticate": 'Bearer realm="x"', "Set-Cookie": ["a=1", "b=2"] });
  const plain = await guarded(t, judge);
  assert.equal(field((await ask(t, plain.port, "GET /")).head, "www-authenticate"), 'Bearer realm="x"');
  const { port } = await guarded(t, judge, { signIn: "https://$host/login" });
  const { status, head } = await ask(t, port, "GET /a/b?c=d+e", ["Host: a.example"]);
  assert.equal(status, 302);
  assert.equal(field(head, "location"), "https://a.example/login?rd=http://a.example%2Fa%2Fb%3Fc%3Dd%2Be");
  assert.deepEqual(
    head.match(/^Set-Cookie: .*$/gm),
    ["Set-Cookie: a=1\r", "Set-Cookie: b=2\r"].map((line) => line.trim()),
  );
  const named = await guarded(t, judge, { signIn: "https://x.example/?back=/", signInParameter: "back" });
  assert.equal(field((await ask(t, named.port, "GET /")).head, "location"), "https://x.example/?back=/");
});

test("cookies of the reply reach the client, with all statuses only when told so", async (t) => {
  const judge = answer(200, { "Set-Cookie": "seen=1" });
  const { port } = await guarded(t, judge);
  assert.equal(field((await ask(t, port, "GET /")).head, "set-cookie"), "seen=1");
});

test("a reply is used again for requests with the same key, for its time", async (t) => {
  let asked = 0;
  const judge: Judge = (request, response) => {
    asked += 1;
    response.writeHead(request.headers["authorization"] === "right" ? 200 : 403).end();
  };
  const { port } = await guarded(t, judge, {
    cache: { key: "$http_authorization", valid: [{ statuses: [200], ms: 60_000 }] },
  });
  for (let count = 0; count < 3; count += 1) {
    assert.equal((await ask(t, port, "GET /", ["Authorization: right"])).status, 200);
    assert.equal((await ask(t, port, "GET /", ["Authorization: wrong"])).status, 403);
  }
  assert.equal(asked, 4);
});

test("the connection to the authenticator is used again", async (t) => {
  const ports = new Set<number | undefined>();
  const { port } = await guarded(t, (request, response) => {
    ports.add(request.socket.remotePort);
    response.end("ok");
  });
  for (let count = 0; count < 5; count += 1) assert.equal((await ask(t, port, "GET /")).status, 200);
  assert.equal(ports.size, 1);
});

test("a client that leaves while the authenticator thinks ends the question, and nothing stays open", async (t) => {
  const closed = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const { plane, port } = await guarded(t, (request) => {
    request.socket.on("close", () => closed.resolve());
    asked.resolve();
  });
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await asked.promise;
  client.socket.destroy();
  await closed.promise;
  assert.equal(plane.counters().routes.get("r")?.open, 0);
});
