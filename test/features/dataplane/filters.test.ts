import assert from "node:assert/strict";
import { test } from "node:test";
import type { Filter } from "#dataplane/table.ts";
import {
  ask,
  backend,
  change,
  dial,
  echoEndpoint,
  field,
  host,
  httpEndpoint,
  route,
  startPlane,
  type RouteSketch,
} from "./harness.ts";

async function planeWith(t: Parameters<typeof startPlane>[0], sketch: RouteSketch): Promise<number> {
  const { plane, port } = await startPlane(t);
  const endpoint = await echoEndpoint(t);
  await plane.apply(change({ hosts: [host("*", [route("r", sketch)])], backends: [backend("b", [endpoint])] }));
  return port;
}

test("https-redirect sends to the same host and target without port", async (t) => {
  const port = await planeWith(t, { filters: [{ type: "https-redirect", status: 308, stripSlash: true }] });
  const locationOf = async (target: string) => {
    const { status, head } = await ask(t, port, `GET ${target}`, ["Host: Example.com:8080"]);
    assert.equal(status, 308);
    return field(head, "location");
  };
  assert.equal(await locationOf("/"), "https://example.com");
  assert.equal(await locationOf("/a/"), "https://example.com/a");
  assert.equal(await locationOf("/a?b=c/"), "https://example.com/a?b=c");
  assert.equal(await locationOf("/a%0d%0aX:1"), "https://example.com/a%0d%0aX:1");
});

test("https-redirect names another port, and keeps the slash when told so", async (t) => {
  const port = await planeWith(t, { filters: [{ type: "https-redirect", status: 301, port: 8443 }] });
  const { head } = await ask(t, port, "GET /a/");
  assert.equal(field(head, "location"), "https://example.com:8443/a/");
});

test("redirect answers with its place, and not with fields smuggled into it", async (t) => {
  const port = await planeWith(t, {
    filters: [{ type: "redirect", status: 302, location: "https://x/\r\nSet-Cookie: a" }],
  });
  const { status, head } = await ask(t, port, "GET /");
  assert.equal(status, 302);
  assert.equal(field(head, "location"), "https://x/Set-Cookie: a");
  assert.equal(field(head, "set-cookie"), undefined);
});

test("redirect takes the query along when told so", async (t) => {
  const port = await planeWith(t, {
    filters: [{ type: "redirect", status: 301, location: "/caf%C3%A9/", keepQuery: true }],
  });
  assert.equal(field((await ask(t, port, "GET /x?a=b")).head, "location"), "/caf%C3%A9/?a=b");
  assert.equal(field((await ask(t, port, "GET /x?")).head, "location"), "/caf%C3%A9/");
});

test("rewrite puts groups of the match into the path and keeps the query", async (t) => {
  const port = await planeWith(t, {
    match: { type: "regex", source: "/something(/|$)(.*)" },
    filters: [{ type: "rewrite", to: "/$2" }],
  });
  const lineOf = async (target: string) => (await ask(t, port, `GET ${target}`)).body.split("\n")[0];
  assert.equal(await lineOf("/something"), "GET /");
  assert.equal(await lineOf("/something/new?a=b"), "GET /new?a=b");
  assert.equal(await lineOf("/SomeThing/x%20y%3fz%0d%0aA:b"), "GET /x%20y%3Fz%0D%0AA:b");
  assert.equal((await ask(t, port, "GET /other")).status, 404);
});

test("request and response fields are set and removed", async (t) => {
  const filters: Filter[] = [
    {
      type: "request-headers",
      set: [
        ["X-Added", "é\r\nX-Evil: 1"],
        ["Accept", undefined],
        ["Host", "inner.example"],
      ],
    },
    {
      type: "response-headers",
      set: [
        ["Server", undefined],
        ["X-Frame-Options", "DENY"],
        ["Content-Length", "0"],
      ],
    },
  ];
  const { plane, port } = await startPlane(t);
  const endpoint = await httpEndpoint(t, (request, response) => {
    response.setHeader("Server", "secret");
    response.end(JSON.stringify({ ...request.headers }));
  });
  await plane.apply(change({ hosts: [host("*", [route("r", { filters })])], backends: [backend("b", [endpoint])] }));
  const { head, body } = await ask(t, port, "GET /", ["Accept: x", "X-Added: before"]);
  const seen = JSON.parse(body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1)) as Record<string, string>;
  assert.equal(Buffer.from(seen["x-added"] ?? "", "latin1").toString(), "Ã©X-Evil: 1");
  assert.equal(seen["accept"], undefined);
  assert.equal(seen["host"], "inner.example");
  assert.equal(seen["x-forwarded-host"], "example.com");
  assert.equal(field(head, "server"), undefined);
  assert.equal(field(head, "x-frame-options"), "DENY");
});

test("a body beyond the limit is 413, declared or streamed", async (t) => {
  const port = await planeWith(t, { maxBodyBytes: 10 });
  const declared = await ask(t, port, "POST /", ["Content-Length: 11", "Expect: 100-continue"]);
  assert.equal(declared.status, 413);
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("6\r\nabcdef\r\n");
  client.send("6\r\nabcdef\r\n0\r\n\r\n");
  assert.match(await client.until(/<\/html>/), /^HTTP\/1.1 413 Request Entity Too Large\r\n/);
  const fits = await dial(t, port);
  fits.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789");
  assert.match(await fits.end(), /body 10/);
});
