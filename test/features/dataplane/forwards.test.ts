import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, dial, echoEndpoint, field, simple, startPlane } from "./harness.ts";

test("an endpoint is told about the client as ingress-nginx tells it", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  const { body } = await ask(t, port, "GET /x?y", [
    "Host: Example.com:81",
    "X-Forwarded-For: 6.6.6.6",
    "X-Real-IP: 6.6.6.6",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil",
    "X-Scheme: https",
  ]);
  const wanted = {
    Host: "Example.com:81",
    "X-Real-IP": "127.0.0.1",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "Example.com:81",
    "X-Forwarded-Port": String(port),
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Scheme": "http",
    "X-Scheme": "http",
    "X-Original-Forwarded-For": "6.6.6.6",
    "X-Original-Uri": "/x?y",
  };
  for (const [name, value] of Object.entries(wanted)) {
    assert.deepEqual(body.match(new RegExp(`^${name}: .*$`, "gim")), [`${name}: ${value}`]);
  }
  assert.match(field(body, "X-Request-ID") ?? "", /^[0-9a-f]{32}$/);
});

test("a request id of the client is kept", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  const { body } = await ask(t, port, "GET /", ["X-Request-Id: mine"]);
  assert.deepEqual(body.match(/^X-Request-ID: .*$/gim), ["X-Request-ID: mine"]);
});

test("a trusted proxy is believed, and the chain grows by its address", async (t) => {
  const { plane, port } = await startPlane(t, { trustedProxies: ["127.0.0.0/8"] });
  await plane.apply(simple([await echoEndpoint(t)]));
  const { body } = await ask(t, port, "GET /", [
    "X-Forwarded-For: 6.6.6.6, 7.7.7.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: outer.example",
  ]);
  assert.equal(field(body, "X-Real-IP"), "7.7.7.7");
  assert.equal(field(body, "X-Forwarded-For"), "6.6.6.6, 7.7.7.7, 127.0.0.1");
  assert.equal(field(body, "X-Forwarded-Proto"), "https");
  assert.equal(field(body, "X-Forwarded-Port"), "443");
  assert.equal(field(body, "X-Forwarded-Host"), "outer.example");
});

test("fields of the client's hop, names with underscores and nominated fields do not pass", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  const { body } = await ask(t, port, "GET /", [
    "Keep-Alive: 5",
    "Proxy-Connection: close",
    "Proxy: evil",
    "TE: trailers",
    "X_Real_Ip: 6.6.6.6",
    "Connection: X-Secret, Host, Authorization",
    "X-Secret: 1",
    "Authorization: Basic x",
    "X-Kept: 1",
  ]);
  assert.match(body, /^X-Kept: 1$/m);
  assert.match(body, /^Authorization: Basic x$/m);
  assert.match(body, /^Host: example.com$/m);
  assert.doesNotMatch(body, /Keep-Alive:|Proxy|^TE:|X_Real|X-Secret/im);
  assert.equal(body.match(/^Connection: /gim), null);
});

test("request trailers end here: an endpoint could take them for fields that passed the rules", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  for (const cut of [0, 3, 8, 20]) {
    const client = await dial(t, port);
    const body = "2\r\nhi\r\n0\r\nX-Real-IP: 6.6.6.6\r\n\r\n";
    client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
    if (cut > 0) {
      client.send(body.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.send(body.slice(cut));
    const text = await client.end();
    assert.match(text, /body 2/);
    assert.doesNotMatch(text, /6\.6\.6\.6/);
  }
});
