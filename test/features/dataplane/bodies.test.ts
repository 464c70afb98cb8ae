import assert from "node:assert/strict";
import { createHash, randomFillSync } from "node:crypto";
import { request } from "node:http";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { httpEndpoint, simple, startPlane } from "./harness.ts";

const megabyte = 1 << 20;
const payload = randomFillSync(Buffer.alloc(24 * megabyte));
const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Reads a stream at an uneven pace: some reads wait many turns of the loop. */
async function slowHash(stream: AsyncIterable<Buffer>, pace: number): Promise<string> {
  const hash = createHash("sha256");
  let reads = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    reads += 1;
    if (reads % pace === 0) for (let wait = 0; wait < 5 * pace; wait += 1) await turn();
  }
  return hash.digest("hex");
}

for (const framing of ["length", "chunks"] as const) {
  test(`large bodies with ${framing} arrive unchanged both ways, at the pace of a slow reader`, async (t) => {
    const { plane, port } = await startPlane(t);
    const endpoint = await httpEndpoint(t, (incoming, response) => {
      void slowHash(incoming, 3).then((hash) => {
        response.setHeader("X-Got", hash);
        if (framing === "length") response.setHeader("Content-Length", payload.length);
        for (let at = 0; at < payload.length; at += megabyte) response.write(payload.subarray(at, at + megabyte));
        response.end();
      });
    });
    await plane.apply(simple([endpoint]));
    const transfers = [1, 2, 3].map(async (pace) => {
      const { promise, resolve, reject } = Promise.withResolvers<[string | undefined, string]>();
      const upload = request({ port, method: "POST", host: "127.0.0.1", agent: false }, (response) => {
        void slowHash(response, pace).then((hash) => resolve([response.headers["x-got"] as string, hash]), reject);
      });
      upload.on("error", reject);
      if (framing === "length") upload.setHeader("Content-Length", payload.length);
      for (let at = 0; at < payload.length; at += megabyte) upload.write(payload.subarray(at, at + megabyte));
      upload.end();
      return promise;
    });
    const wanted = hashOf(payload);
    for (const got of await Promise.all(transfers)) assert.deepEqual(got, [wanted, wanted]);
    assert.ok(plane.counters().total.bytesOut >= 3 * payload.length);
  });
}

test("a client that does not read holds back the endpoint, not the memory", async (t) => {
  const { plane, port } = await startPlane(t);
  let produced = 0;
  const { promise: stalled, resolve } = Promise.withResolvers<void>();
  const endpoint = await httpEndpoint(t, (_, response) => {
    const more = () => {
      while (produced < 512 * megabyte) {
        produced += megabyte;
        if (!response.write(payload.subarray(0, megabyte))) {
          const timer = setTimeout(resolve, 300);
          response.once("drain", () => {
            clearTimeout(timer);
            more();
          });
          return;
        }
      }
      resolve();
    };
    more();
  });
  await plane.apply(simple([endpoint]));
  const download = request({ port, host: "127.0.0.1", agent: false }, (response) => response.pause());
  download.on("error", () => {});
  download.end();
  await stalled;
  assert.ok(produced < 64 * megabyte, `${produced} bytes were taken from the endpoint`);
  download.destroy();
});
