import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, dial, echoEndpoint, field, httpEndpoint, rawEndpoint, simple, startPlane } from "./harness.ts";

test("a request reaches an endpoint of its route and the answer comes back", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  const { status, body } = await ask(t, port, "GET /a?b=c", ["Accept: text/plain"]);
  assert.equal(status, 200);
  assert.match(body, /^GET \/a\?b=c\n/);
  assert.match(body, /^Accept: text\/plain$/m);
  assert.match(body, /^Host: example.com$/m);
});

test("many requests go over one connection of the client and one to the endpoint", async (t) => {
  const { plane, port } = await startPlane(t);
  let connections = 0;
  const endpoint = await rawEndpoint(t, (socket) => {
    connections += 1;
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  for (let count = 1; count <= 20; count += 1) {
    client.text = "";
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.match(await client.until(/ok$/), /^HTTP\/1.1 200 OK\r\n/);
  }
  assert.equal(connections, 1);
});

test("pipelined requests are answered in order, by themselves or by endpoints", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await httpEndpoint(t, (request, response) => void response.end(`<${request.url}>`));
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  const bodies = ["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join("");
  client.send(
    `${bodies}POST /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  );
  const text = await client.end();
  assert.deepEqual(text.match(/<\/\d>/g), ["</1>", "</2>", "</3>", "</4>", "</5>"]);
});

test("HEAD, 204 and 304 have no body, whatever their head says, and the connection goes on", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", (bytes) => {
      const [, path] = bytes.toString().split(" ");
      if (path === "/204") socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      else if (path === "/304") socket.write("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
      else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    });
  });
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  for (const line of ["HEAD /head", "GET /204", "GET /304", "HEAD /again"]) {
    client.text = "";
    client.send(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until(/\r\n\r\n/);
  }
  assert.equal(client.closed, false);
  assert.match(client.text, /Content-Length: 9/);
});

test("a response without length reaches an HTTP/1.1 client in chunks and an HTTP/1.0 client until the end", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nhello"));
  });
  await plane.apply(simple([endpoint]));
  const { head, body } = await ask(t, port, "GET /");
  assert.equal(field(head, "transfer-encoding"), "chunked");
  assert.equal(body, "5\r\nhello\r\n0\r\n\r\n");
  const old = await dial(t, port);
  old.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  assert.match(await old.end(), /^HTTP\/1.1 200 OK\r\nConnection: close\r\n\r\nhello$/);
});

test("chunks are passed on as they came, and taken apart for HTTP/1.0", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", () =>
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"),
    );
  });
  await plane.apply(simple([endpoint]));
  assert.equal((await ask(t, port, "GET /")).body, "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n");
  const old = await dial(t, port);
  old.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  assert.match(await old.end(), /\r\n\r\nabcde$/);
});
