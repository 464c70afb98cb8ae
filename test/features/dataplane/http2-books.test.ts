import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "node:http2";
import { httpEndpoint, simple, startPlane } from "./harness.ts";

test("nothing stays open of requests that ended, were taken back, or lost their connection", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await httpEndpoint(t, (request, response) => {
    request.resume();
    if (request.url === "/never") return;
    response.end("x".repeat(100_000));
  });
  await plane.apply(simple([endpoint]));
  for (let round = 0; round < 5; round += 1) {
    const client = connect(`http://127.0.0.1:${port}`);
    client.on("error", () => {});
    const closed = Array.from({ length: 40 }, async (_, at) => {
      const never = at % 4 === 0;
      const stream = client.request({ ":path": never ? "/never" : "/", ":method": at % 3 === 0 ? "POST" : "GET" });
      stream.on("error", () => {});
      if (at % 3 === 0) stream.end("hello");
      stream.resume();
      if (never && at % 8 === 0) setImmediate(() => stream.close(8));
      // The others that are never answered end with their connection.
      if (never && at % 8 !== 0) return;
      await once(stream, "close");
    });
    await Promise.all(closed);
    client.destroy();
    await once(client, "close");
  }
  // Everything has been told to the data plane; it hears of the last connection's end when it reads it.
  const open = () => plane.counters().total.open + (plane.counters().routes.get("all")?.open ?? 0);
  while (open() > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(plane.counters().total.requests >= 150);
});
