import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { test, type TestContext } from "node:test";
import type { Probe } from "#api/core/pod/kind.ts";
import { check } from "#node/pods/probe/check.ts";
import { startProbe } from "#node/pods/probe/schedule.ts";
import { manualClock } from "../../fakes/clock.ts";

/** Lets a probe answer from a list, one look each, and writes down what it reports and when. */
function follow(probe: Probe, answers: boolean[], eager = false) {
  const clock = manualClock();
  const reports: string[] = [];
  const looks: number[] = [];
  const stop = startProbe({
    probe,
    clock,
    eager,
    check: () => {
      looks.push(clock.monotonic());
      return Promise.resolve({ ok: answers.shift() ?? true, message: "" });
    },
    turned: (passed) => reports.push(`${passed ? "passed" : "failed"} at ${clock.monotonic() / 1000}`),
    failed: () => {},
  });
  const advance = async (seconds: number) => {
    for (let passed = 0; passed < seconds * 20; passed += 1) {
      clock.advance(50);
      // A look answers in a later turn.
      await Promise.resolve().then(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { reports, looks, advance, stop, clock };
}

test("liveness fails after failureThreshold failures in a row, one each period", async () => {
  const probe = { periodSeconds: 2, failureThreshold: 3 };
  const { reports, advance, stop } = follow(probe, [true, false, false, true, false, false, false]);
  await advance(14);
  stop();
  assert.deepEqual(reports, ["passed at 0.05", "failed at 12.05"]);
});

test("successThreshold successes in a row are needed", async () => {
  const { reports, advance, stop } = follow({ periodSeconds: 1, successThreshold: 3 }, [true, true, false]);
  await advance(7);
  stop();
  assert.deepEqual(reports, ["passed at 5.05"]);
});

test("the first look waits for initialDelaySeconds", async () => {
  const { looks, advance, stop } = follow({ initialDelaySeconds: 3, periodSeconds: 5 }, []);
  await advance(9);
  stop();
  assert.deepEqual(looks, [3000, 8000]);
});

test("an eager probe finds a program ready long before its period is over", async () => {
  const { reports, advance, stop } = follow(
    { periodSeconds: 10, failureThreshold: 1 },
    [false, false, false, true],
    true,
  );
  await advance(2);
  stop();
  assert.equal(reports.length, 1);
  assert.match(reports[0] ?? "", /^passed at 0\.[1-6]/);
});

test("a stopped probe leaves no timer", async () => {
  const { advance, stop, clock } = follow({ periodSeconds: 1 }, []);
  await advance(1);
  stop();
  assert.equal(clock.pending(), 0);
});

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const exec = () => Promise.resolve({ exitCode: 3, stdout: "not yet", stderr: "", timedOut: false });

test("HTTP from 200 to 399 is well, and the port may be named", async (t) => {
  let status = 200;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${String(request.headers["x-check"])}`);
    response.writeHead(status).end("body");
  });
  const port = await listen(t, server);
  const context = {
    container: { name: "c", ports: [{ name: "web", containerPort: port }] },
    address: "127.0.0.1",
    exec,
  };
  const httpGet = { path: "/healthz", port: "web", httpHeaders: [{ name: "X-Check", value: "1" }] };
  for (const [code, ok] of [
    [200, true],
    [302, true],
    [404, false],
    [500, false],
  ] as const) {
    status = code;
    assert.equal((await check({ httpGet }, context, 1000)).ok, ok, String(code));
  }
  assert.deepEqual(
    asked,
    Array.from({ length: 4 }, () => "/healthz 1"),
  );
  assert.match((await check({ httpGet: { port: "none" } }, context, 1000)).message, /no port none/);
});

test("TCP needs a listener", async (t) => {
  const server = createTcpServer((socket) => socket.destroy());
  const port = await listen(t, server);
  const context = { container: { name: "c" }, address: "127.0.0.1", exec };
  assert.equal((await check({ tcpSocket: { port } }, context, 1000)).ok, true);
  server.close();
  const { ok, message } = await check({ tcpSocket: { port } }, context, 1000);
  assert.equal(ok, false);
  assert.match(message, /ECONNREFUSED/);
});

test("gRPC is asked for its health, by service", async (t) => {
  const asked: string[] = [];
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const service = Buffer.concat(chunks).subarray(7).toString();
      asked.push(`${headers[":path"]} ${service}`);
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      // 1 is SERVING, 2 is NOT_SERVING.
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, service === "well" ? 1 : 2]));
    });
  });
  const port = await listen(t, server);
  const context = { container: { name: "c" }, address: "127.0.0.1", exec };
  assert.equal((await check({ grpc: { port, service: "well" } }, context, 1000)).ok, true);
  assert.equal((await check({ grpc: { port, service: "ill" } }, context, 1000)).ok, false);
  assert.deepEqual(asked, ["/grpc.health.v1.Health/Check well", "/grpc.health.v1.Health/Check ill"]);
});

test("a command is well when it ends with 0, and says why when not", async () => {
  const context = { container: { name: "c" }, address: "", exec };
  assert.deepEqual(await check({ exec: { command: ["x"] } }, context, 1000), { ok: false, message: "not yet" });
});
