import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { test, type TestContext } from "node:test";
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createZstdDecompress,
  gunzipSync,
  zstdDecompressSync,
} from "node:zlib";
import { chooseOffer } from "#dataplane/filters/compression.ts";
import { ask, field, httpEndpoint, rawEndpoint, simple, startPlane } from "./harness.ts";

const filters = [{ type: "compress", coding: "gzip", level: 1, minBytes: 256, types: ["application/json"] }] as const;
const page = "all work and no play ".repeat(1000);

async function planeWith(t: TestContext, endpoint: number) {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([endpoint], { filters }));
  return port;
}

interface Got {
  readonly response: IncomingMessage;
  readonly body: Buffer;
}

function get(port: number, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port, host: "127.0.0.1", path, method, agent: false, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (bytes: Buffer) => parts.push(bytes));
      response.on("end", () => resolve({ response, body: Buffer.concat(parts) }));
      response.on("error", reject);
    });
    sent.on("error", reject).end();
  });
}

const wanted = { "Accept-Encoding": "gzip, deflate" };

test("an answer is compressed for who takes it, whatever its framing", async (t) => {
  const endpoint = await httpEndpoint(t, (request, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    if (request.url === "/length") response.setHeader("Content-Length", page.length);
    if (request.url === "/close") response.useChunkedEncodingByDefault = false;
    response.setHeader("ETag", '"abc"');
    for (let at = 0; at < page.length; at += 1000) response.write(page.slice(at, at + 1000));
    response.end();
  });
  const port = await planeWith(t, endpoint);
  for (const path of ["/length", "/chunked", "/close"]) {
    const { response, body } = await get(port, path, wanted);
    assert.equal(response.headers["content-encoding"], "gzip");
    assert.equal(response.headers["content-length"], undefined);
    assert.equal(response.headers["vary"], "Accept-Encoding");
    assert.equal(response.headers["etag"], 'W/"abc"');
    assert.ok(body.length < page.length / 10);
    assert.equal(gunzipSync(body).toString(), page);
    const plain = await get(port, path);
    assert.equal(plain.response.headers["content-encoding"], undefined);
    assert.equal(plain.response.headers["vary"], "Accept-Encoding");
    assert.equal(plain.body.toString(), page);
  }
});

test("what is small, of another type, compressed already, not to be changed, or no page stays as it is", async (t) => {
  const answers: Record<string, { status?: number; fields: Record<string, string>; body: string }> = {
    "/small": { fields: { "Content-Type": "application/json", "Content-Length": "255" }, body: "x".repeat(255) },
    "/image": { fields: { "Content-Type": "image/png" }, body: page },
    "/done": { fields: { "Content-Type": "text/html", "Content-Encoding": "br" }, body: page },
    "/kept": { fields: { "Content-Type": "text/html", "Cache-Control": "public, no-transform" }, body: page },
    "/error": { status: 500, fields: { "Content-Type": "text/html" }, body: page },
    "/typeless": { fields: {}, body: page },
  };
  const endpoint = await httpEndpoint(t, (request, response) => {
    const { status = 200, fields, body } = answers[request.url ?? ""] ?? assert.fail(request.url);
    response.writeHead(status, fields).end(body);
  });
  const port = await planeWith(t, endpoint);
  for (const [path, { fields, body }] of Object.entries(answers)) {
    const got = await get(port, path, wanted);
    assert.equal(got.response.headers["content-encoding"], fields["Content-Encoding"], path);
    assert.equal(got.body.toString(), body, path);
  }
});

test("HEAD and HTTP/1.0 are answered plainly", async (t) => {
  const endpoint = await httpEndpoint(t, (_request, response) => {
    response.writeHead(200, { "Content-Type": "text/html", "Content-Length": page.length }).end(page);
  });
  const port = await planeWith(t, endpoint);
  const { response, body } = await get(port, "/", wanted, "HEAD");
  assert.equal(response.headers["content-encoding"], undefined);
  assert.equal(body.length, 0);
  const { head } = await ask(t, port, "HEAD /", ["Accept-Encoding: gzip"]);
  assert.equal(field(head, "content-length"), String(page.length));
});

test("a large body that compresses badly arrives whole at a client that reads slowly", async (t) => {
  const bytes = randomBytes(8 << 20);
  const endpoint = await httpEndpoint(t, (_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": bytes.length }).end(bytes);
  });
  const port = await planeWith(t, endpoint);
  const parts: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const sent = httpRequest({ port, host: "127.0.0.1", agent: false, headers: wanted }, (response) => {
      response.on("data", (part: Buffer) => {
        parts.push(part);
        response.pause();
        setImmediate(() => response.resume());
      });
      response.on("end", resolve).on("error", reject);
    });
    sent.on("error", reject).end();
  });
  assert.ok(gunzipSync(Buffer.concat(parts)).equals(bytes));
});

test("pieces go out when they come, and an endpoint that breaks off cannot pass for one that ended", async (t) => {
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      socket.once("data", () => {});
    });
    t.after(() => socket.destroy());
    sockets.push(() => socket.destroy());
  });
  const sockets: (() => void)[] = [];
  const port = await planeWith(t, endpoint);
  const outcome = await new Promise<string>((resolve, reject) => {
    const sent = httpRequest({ port, host: "127.0.0.1", agent: false, headers: wanted }, (response) => {
      response.once("data", (part: Buffer) => {
        assert.ok(part.length > 10);
        sockets[0]?.();
      });
      response.on("end", () => resolve("ended"));
      response.on("error", () => resolve("broken"));
    });
    sent.on("error", reject).end();
  });
  assert.equal(outcome, "broken");
});

test("connections to clients and endpoints go on after a compressed answer", async (t) => {
  const ports = new Set<number | undefined>();
  const endpoint = await httpEndpoint(t, (request, response) => {
    ports.add(request.socket.remotePort);
    response.writeHead(200, { "Content-Type": "text/html" }).end(page);
  });
  const port = await planeWith(t, endpoint);
  for (let count = 0; count < 5; count += 1) {
    assert.equal(gunzipSync((await get(port, "/", wanted)).body).toString(), page);
  }
  assert.equal(ports.size, 1);
});

test("a response that breaks a rule at once is answered with a page that is not compressed", async (t) => {
  const endpoint = await rawEndpoint(t, (socket) => {
    const head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
    socket.once("data", () => socket.write(`${head}zz\r\n`));
  });
  const { response, body } = await get(await planeWith(t, endpoint), "/", wanted);
  assert.equal(response.statusCode, 502);
  assert.equal(response.headers["content-encoding"], undefined);
  assert.match(body.toString(), /502 Bad Gateway/);
});

for (const [text, expected] of [
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["gzip, deflate, br", "br"],
  ["gzip, deflate, br, zstd", "br"],
  ["gzip, zstd", "zstd"],
  ["br;q=0.9, GZIP;q=1.0", "gzip"],
  ["br;q=0.5, zstd;q=0.8, gzip;q=0.8", "zstd"],
  ["deflate, *;q=0.1", "br"],
  ["br;q=0, *", "zstd"],
  ["*;q=0.5, gzip;q=0.7", "gzip"],
  ["identity;q=1, gzip;q=0.5", undefined],
  ["identity;q=0.5, gzip", "gzip"],
  ["identity, gzip", "gzip"],
  ["gzip;q=0", undefined],
  ["*, gzip;q=0.000, br;q=0, zstd;q=0", undefined],
  ["gzip;q=lots", undefined],
  ["gzip;q=1.5", undefined],
  ["identity", undefined],
  ["", undefined],
  ["gzipped", undefined],
  ["br;q=0.001,", "br"],
] as const) {
  test(`Accept-Encoding "${text}" means ${expected ?? "as it is"}`, () => {
    const offers = (["br", "zstd", "gzip"] as const).map((coding) => ({ coding, level: 1 }));
    assert.equal(chooseOffer(offers, text)?.coding, expected);
  });
}

const readers = { br: brotliDecompressSync, zstd: zstdDecompressSync, gzip: gunzipSync };

for (const coding of ["br", "zstd"] as const) {
  test(`${coding}: whole, and in pieces`, async (t) => {
    const endpoint = await httpEndpoint(t, (request, response) => {
      response.setHeader("Content-Type", "application/json");
      if (request.url === "/length") response.setHeader("Content-Length", page.length);
      for (let at = 0; at < page.length; at += 1000) response.write(page.slice(at, at + 1000));
      response.end();
    });
    const { plane, port } = await startPlane(t);
    const both = [filters[0], { ...filters[0], coding, level: 4 }];
    await plane.apply(simple([endpoint], { filters: both }));
    for (const path of ["/length", "/chunked"]) {
      const { response, body } = await get(port, path, { "Accept-Encoding": `gzip, ${coding}` });
      assert.equal(response.headers["content-encoding"], coding);
      assert.equal(response.headers["vary"], "Accept-Encoding");
      assert.ok(body.length < page.length / 10);
      assert.equal(readers[coding](body).toString(), page);
      const other = await get(port, path, wanted);
      assert.equal(other.response.headers["content-encoding"], "gzip");
    }
  });

  test(`${coding}: pieces go out when they come`, async (t) => {
    const endpoint = await rawEndpoint(t, (socket) => {
      const head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
      socket.once("data", () => socket.write(`${head}5\r\nhello\r\n`));
    });
    const { plane, port } = await startPlane(t);
    await plane.apply(simple([endpoint], { filters: [{ ...filters[0], coding }] }));
    const first = await new Promise<Buffer>((resolve, reject) => {
      const headers = { "Accept-Encoding": coding };
      const sent = httpRequest({ port, host: "127.0.0.1", agent: false, headers }, (response) => {
        response.once("data", resolve).on("error", () => {});
        t.after(() => response.destroy());
      });
      sent.on("error", reject).end();
    });
    const unpack = coding === "br" ? createBrotliDecompress() : createZstdDecompress();
    t.after(() => unpack.destroy());
    unpack.write(first);
    const [text] = (await once(unpack, "data")) as [Buffer];
    assert.equal(text.toString(), "hello");
  });
}

test("each coding has its own least length and types", async (t) => {
  const endpoint = await httpEndpoint(t, (request, response) => {
    response.setHeader("Content-Type", request.url === "/css" ? "text/css" : "text/html");
    response.setHeader("Content-Length", 100).end("x".repeat(100));
  });
  const { plane, port } = await startPlane(t);
  const brotli = { type: "compress", coding: "br", level: 4, minBytes: 20, types: [] } as const;
  const gzip = { type: "compress", coding: "gzip", level: 1, minBytes: 20, types: ["text/css"] } as const;
  const zstd = { type: "compress", coding: "zstd", level: 3, minBytes: 101, types: ["*"] } as const;
  await plane.apply(simple([endpoint], { filters: [gzip, brotli, zstd] }));
  const codingOf = async (path: string, accepted: string) =>
    (await get(port, path, { "Accept-Encoding": accepted })).response.headers["content-encoding"];
  assert.equal(await codingOf("/", "br, gzip, zstd"), "br");
  assert.equal(await codingOf("/css", "br, gzip, zstd"), "gzip");
  assert.equal(await codingOf("/", "zstd"), undefined);
});
