import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { connect, type ConnectionOptions } from "node:tls";
import { readClientHello } from "#wire/tls-hello.ts";

/** The first bytes that Node's own TLS sends. */
async function greetingOf(t: TestContext, options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const greeting = new Promise<Buffer>((resolve) => {
    server.once("connection", (socket) => {
      let seen = Buffer.alloc(0);
      socket.on("error", () => {});
      socket.on("data", (bytes: Buffer) => {
        seen = Buffer.concat([seen, bytes]);
        if (seen.length < 5 || seen.length < 5 + seen.readUInt16BE(3)) return;
        socket.destroy();
        resolve(seen);
      });
    });
  });
  connect({ host: "127.0.0.1", port, ...options }).on("error", () => {});
  return greeting;
}

/** The same greeting in records of so many bytes. */
function inRecords(greeting: Buffer, size: number): Buffer {
  const content = greeting.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) {
    const part = content.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

interface Sketch {
  readonly extensions?: readonly Buffer[];
  readonly session?: number;
  readonly after?: readonly number[];
}

const two = (value: number) => [value >> 8, value & 255];
const vector = (bytes: readonly number[]) => [...two(bytes.length), ...bytes];
const extension = (type: number, content: readonly number[]) => Buffer.from([...two(type), ...vector(content)]);
const named = (name: string, type = 0) => extension(0, vector([type, ...vector([...Buffer.from(name, "latin1")])]));

/** A greeting made by hand. */
function hello({ extensions = [], session = 0, after = [] }: Sketch): Buffer {
  const random = new Array<number>(32).fill(7);
  const body = [3, 3, ...random, session, ...new Array<number>(session).fill(1), ...vector([19, 1]), 1, 0];
  if (extensions.length > 0) body.push(...vector(Array.from(Buffer.concat(extensions))));
  body.push(...after);
  const message = [1, 0, ...two(body.length), ...body];
  return Buffer.from([22, 3, 1, ...vector(message)]);
}

test("the name of a real client is read, whole or in any number of records, and no byte too early", async (t) => {
  for (const [options, serverName] of [
    [{ servername: "Www.A.example" }, "www.a.example"],
    [{ servername: "a.example", maxVersion: "TLSv1.2" }, "a.example"],
    [{ servername: "" }, undefined],
  ] as const) {
    const greeting = await greetingOf(t, options);
    const wanted = serverName === undefined ? { type: "hello" } : { type: "hello", serverName };
    for (const size of [greeting.length, 1, 3, 64, 200]) {
      const bytes = inRecords(greeting, size);
      assert.deepEqual(readClientHello(bytes), wanted, `records of ${size}`);
      const step = size === 1 ? 17 : 1;
      for (let end = 0; end < bytes.length; end += step) {
        assert.deepEqual(readClientHello(bytes, 0, end), { type: "incomplete" }, `records of ${size}, cut at ${end}`);
      }
    }
  }
});

test("names are lower case without final dot; what no host can be called is no name", () => {
  for (const [name, serverName] of [
    ["A.EXAMPLE.", "a.example"],
    ["_x.a-b.example", "_x.a-b.example"],
  ] as const) {
    assert.deepEqual(readClientHello(hello({ extensions: [named(name)] })), { type: "hello", serverName });
  }
  for (const name of ["", ".", "a..b", "a b", "a\0.example", "ä.example", "*.example", `${"a.".repeat(130)}b`]) {
    assert.deepEqual(readClientHello(hello({ extensions: [named(name)] })), { type: "other" }, name);
  }
});

test("what is no greeting, or does not add up, is something else", () => {
  const good = hello({ extensions: [named("a.example")], session: 32 });
  assert.equal(readClientHello(good).type, "hello");
  assert.deepEqual(readClientHello(hello({})), { type: "hello" });
  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };
  for (const [bytes, what] of [
    [Buffer.from("GET / HTTP/1.1\r\n\r\n"), "HTTP"],
    [changed(0, 21), "an alert"],
    [changed(1, 2), "SSL 2"],
    [Buffer.from([22, 3, 1, 0, 0]), "an empty record"],
    [Buffer.from([22, 3, 1, 0x40, 1]), "a record that is too long"],
    [changed(5, 2), "another message"],
    [changed(6, 1), "a greeting that is too long"],
    [changed(8, (good[8] ?? 0) - 1), "a message that ends early"],
    [hello({ extensions: [named("a.example"), named("b.example")] }), "two names"],
    [hello({ extensions: [named("a.example", 1)] }), "a name of another type"],
    [hello({ extensions: [extension(0, [0, 3, 0, 0, 9])] }), "a name that is too short"],
    [hello({ extensions: [named("a.example")], after: [0] }), "something behind the extensions"],
    [hello({ after: [0, 1] }), "extensions that are not there"],
    [hello({}).fill(255, 43, 44), "fields past the end"],
  ] as const) {
    assert.deepEqual(readClientHello(bytes), { type: "other" }, what);
  }
});
