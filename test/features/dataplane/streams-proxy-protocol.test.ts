import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { readProxyHeader, writeProxyHeader } from "#wire/proxy-protocol.ts";
import { dial, listening, openStream, startPlane } from "./harness.ts";

const proxied = {
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.9", port: 443 },
};

interface Sketch {
  readonly accept?: boolean;
  readonly send?: 1 | 2;
  /** Who may say whom they speak for. */
  readonly trusted?: readonly string[];
}

/** A stream whose endpoint answers with the header it got, and then echoes. */
async function start(t: TestContext, { accept = false, send, trusted = ["127.0.0.0/8"] }: Sketch): Promise<number> {
  const server = createServer((socket) => {
    let seen = Buffer.alloc(0);
    let told = send === undefined;
    socket.on("data", (bytes: Buffer) => {
      if (told) return void socket.write(bytes);
      seen = Buffer.concat([seen, bytes]);
      const header = readProxyHeader(seen);
      if (header.type !== "header") return;
      told = true;
      const { address, port } = header.proxied?.source ?? { address: "nobody", port: 0 };
      socket.write(`${address} ${address === "127.0.0.1" ? "its-port" : port} `);
      socket.write(seen.subarray(header.length));
    });
  });
  const endpoint = await listening(t, server);
  const { plane } = await startPlane(t, { proxyProtocol: { isRequired: false, from: trusted } });
  const sketch = { acceptProxy: accept, tries: 1, ...(send === undefined ? {} : { sendProxy: send }) };
  const { port } = await openStream(plane, "tcp", [endpoint], sketch);
  return port;
}

test("endpoints are told the client's address, in version 1 or 2", async (t) => {
  for (const send of [1, 2] as const) {
    const client = await dial(t, await start(t, { send }));
    client.send("hello");
    assert.equal(await client.until(/hello/), "127.0.0.1 its-port hello");
  }
});

test("a header from a trusted proxy is passed on, wherever its bytes are split", async (t) => {
  const port = await start(t, { accept: true, send: 2 });
  for (const version of [1, 2] as const) {
    const bytes = Buffer.concat([writeProxyHeader(version, proxied), Buffer.from("hello")]);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const client = await dial(t, port);
      client.socket.setNoDelay(true);
      client.socket.write(bytes.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(bytes.subarray(cut));
      assert.equal(await client.until(/o$/), "192.0.2.7 51234 hello", `version ${version}, cut at ${cut}`);
      client.socket.destroy();
    }
  }
});

test("a header from anybody else is read and not believed", async (t) => {
  const client = await dial(t, await start(t, { accept: true, send: 1, trusted: ["10.0.0.0/8"] }));
  client.socket.write(Buffer.concat([writeProxyHeader(1, proxied), Buffer.from("hello")]));
  assert.equal(await client.until(/hello/), "127.0.0.1 its-port hello");
});

test("a proxy that speaks for itself is the client", async (t) => {
  const client = await dial(t, await start(t, { accept: true, send: 1 }));
  client.send("PROXY UNKNOWN\r\nhello");
  assert.equal(await client.until(/hello/), "127.0.0.1 its-port hello");
});

test("without a header a connection is closed, and nothing of it reaches the endpoint", async (t) => {
  const port = await start(t, { accept: true });
  for (const bytes of ["GET / HTTP/1.1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\nhello", "PROXY TCP4 "]) {
    const client = await dial(t, port);
    client.send(bytes);
    if (bytes.endsWith(" ")) client.socket.end();
    assert.equal(await client.end(), "");
  }
});
