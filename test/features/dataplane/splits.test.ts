import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as check, asyncProperty, array, constantFrom, integer } from "fast-check";
import { dial, httpEndpoint, simple, startPlane } from "./harness.ts";

const requests = [
  "GET /one HTTP/1.1\r\nHost: a\r\n\r\n",
  "HEAD /two HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST /three HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
  "POST /four HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX: y\r\n\r\n",
  "GET /none HTTP/1.1\r\nHost: nobody\r\n\r\n",
];

test("pipelined requests, cut anywhere, get the answers they get one by one", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await httpEndpoint(t, (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      response.sendDate = false;
      response.setHeader("Content-Length", Buffer.byteLength(`<${request.method} ${request.url} ${body}>`));
      response.end(`<${request.method} ${request.url} ${body}>`);
    });
  });
  const table = simple([endpoint]);
  await plane.apply({ ...table, hosts: [...table.hosts, ["nobody", { name: "nobody", routes: [] }]] });
  const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const strip = (text: string) => text.replaceAll(/Date: .*\r\n/g, "");
  const send = async (pieces: readonly string[]) => {
    const client = await dial(t, port);
    for (const piece of pieces) {
      client.send(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return strip(await client.end()).replaceAll(/Connection: .*\r\n|Keep-Alive: .*\r\n/g, "");
  };
  const alone = new Map<string, string>();
  for (const request of [...requests, last]) {
    const closing = request === last ? request : request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    alone.set(request, await send([closing]));
  }
  await check(
    asyncProperty(
      array(constantFrom(...requests), { maxLength: 6 }),
      array(integer({ min: 0, max: 600 }), { maxLength: 8 }),
      async (chosen, cuts) => {
        const all = [...chosen, last];
        const bytes = all.join("");
        const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const pieces = ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
        assert.equal(await send(pieces), all.map((request) => alone.get(request)).join(""));
      },
    ),
    { numRuns: 150 },
  );
});
