import assert from "node:assert/strict";
import { test } from "node:test";
import { dial, rawEndpoint, simple, startPlane } from "./harness.ts";

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** Requests in which two readers could see different ends. */
const attacks: Readonly<Record<string, string>> = {
  "CL.TE": `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${5 + smuggled.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "TE.CL": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n24\r\n${smuggled}0\r\n\r\n`,
  "two lengths": `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  "a list of lengths": `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, ${smuggled.length}\r\n\r\n${smuggled}`,
  "a signed length": `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n${smuggled}`,
  "a space before the colon": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a folded coding": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "an unknown coding": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a coding in HTTP/1.0": `POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "LF in a field": `POST / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "CR in a field": `POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "LF after a chunk size": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\nxx\r\n0\r\n\r\n${smuggled}`,
  "LF in a chunk extension": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n${smuggled}`,
  "a chunk size that overflows": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000000000000000\r\n${smuggled}`,
  "a chunk size with 0x": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${smuggled}`,
  "a length among the trailers": `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n${smuggled}`,
};

test("what can be read in two ways reaches no endpoint, nor does what is behind it", async (t) => {
  const { plane, port } = await startPlane(t);
  let seen = "";
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", (bytes) => {
      seen += bytes.toString("latin1");
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
  });
  await plane.apply(simple([endpoint]));
  for (const [name, bytes] of Object.entries(attacks)) {
    for (const cut of [bytes.length, bytes.indexOf("\r\n\r\n") + 4]) {
      seen = "";
      const client = await dial(t, port);
      client.send(bytes.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(bytes.slice(cut));
      const text = await client.end();
      assert.match(text, /^HTTP\/1.1 (400|501) /, name);
      assert.equal(text.match(/HTTP\/1.1 /g)?.length, 1, name);
      assert.doesNotMatch(seen, /smuggled/, name);
    }
  }
});

test("bytes an endpoint sends unasked are not taken for the next answer", async (t) => {
  const { plane, port } = await startPlane(t);
  let requests = 0;
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", () => {
      requests += 1;
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${requests}`;
      socket.write(requests === 1 ? `${answer}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil` : answer);
    });
  });
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  for (const count of [1, 2, 3]) {
    client.text = "";
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.match(await client.until(/\r\n\r\n./), new RegExp(`\\r\\n\\r\\n${count}$`));
  }
});
