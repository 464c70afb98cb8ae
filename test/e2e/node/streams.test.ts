import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { startSpdy } from "#node/streams/spdy/session.ts";
import { forwardOne, openTunnel, tunnelHeaders } from "../../fakes/port-forward-client.ts";
import { openGround, until, whyNoNodes, type Ground } from "./ground.ts";

describe("streams of pods", { skip: whyNoNodes() }, () => {
  let ground: Ground;

  before(async () => {
    ground = await openGround("str1");
    const script =
      "echo first; echo problem >&2; while :; do [ -e /tmp/more ] && echo more && rm /tmp/more; sleep 0.05; done";
    await ground.create("talks", { containers: [{ name: "c", image: "busybox", command: ["sh", "-c", script] }] });
    await ground.create("serves", { containers: [{ name: "c", image: "fairlead/echo" }] });
    const local = "require('net').createServer((s) => s.pipe(s)).listen(9000, '127.0.0.1')";
    await ground.create("inside", { containers: [{ name: "c", image: "node", command: ["node", "-e", local] }] });
    for (const name of ["talks", "serves", "inside"]) await ground.ready(name);
  });
  after(async () => {
    assert.deepEqual(await ground.clear(), []);
  });

  async function get(path: string): Promise<{ status: number; response: IncomingMessage }> {
    const asked = request({ socketPath: ground.socketPath, path, agent: false });
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    return { status: response.statusCode ?? 0, response };
  }

  function openWebSocket(path: string, protocol: string): WebSocket {
    const socket = new WebSocket(`ws://agent${path}`, protocol, {
      createConnection: () => createConnection(ground.socketPath),
    });
    return socket;
  }

  async function openSpdy(path: string, protocol: string) {
    const headers = { Connection: "Upgrade", Upgrade: "SPDY/3.1", "X-Stream-Protocol-Version": protocol };
    const asked = request({ socketPath: ground.socketPath, path, method: "POST", headers, agent: false });
    asked.end();
    const [response, socket] = (await once(asked, "upgrade")) as [IncomingMessage, Duplex];
    assert.equal(response.headers["x-stream-protocol-version"], protocol);
    return startSpdy(socket, { side: "client", onStream: () => {} });
  }

  /** Runs a command over a WebSocket: what came on each channel, as text. */
  async function exec(command: readonly string[], flags: string, input?: string): Promise<Record<number, string>> {
    const query = command.map((word) => `command=${encodeURIComponent(word)}`).join("&");
    const socket = openWebSocket(`/exec/dev/talks/c?${query}&${flags}`, "v5.channel.k8s.io");
    const channels: Record<number, string> = {};
    socket.on("message", (data: Buffer) => {
      const channel = data[0] ?? 0;
      channels[channel] = (channels[channel] ?? "") + data.subarray(1).toString();
    });
    await once(socket, "open");
    if (input !== undefined) {
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(input)]));
      socket.send(Buffer.from([255, 0]));
    }
    await once(socket, "close");
    return channels;
  }

  test("logs: the last lines, and what comes while following", async () => {
    const { status, response } = await get("/containerLogs/dev/talks/c?tailLines=1&stream=Stdout&follow=true");
    assert.equal(status, 200);
    let said = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    await exec(["touch", "/tmp/more"], "output=1");
    await until("the new line arrives", () => said.includes("more\n"));
    response.destroy();
    assert.equal(await text((await get("/containerLogs/dev/talks/c?stream=Stderr")).response), "problem\n");
  });

  test("a request that cannot be served says why, as a Status", async () => {
    for (const [path, code, message] of [
      ["/containerLogs/dev/none/c", 404, /pod dev\/none is not on this machine/],
      ["/containerLogs/dev/talks/c?previous=true", 400, /previous terminated container "c" in pod "talks" not found/],
      ["/exec/dev/talks/c?command=ls", 400, /Upgrade request required/],
      ["/elsewhere", 404, /page not found/],
    ] as const) {
      const { status, response } = await get(path);
      const body = JSON.parse(await text(response)) as { kind: string; message: string };
      assert.deepEqual([status, body.kind], [code, "Status"], path);
      assert.match(body.message, message);
    }
  });

  test("exec over WebSocket: outputs apart, exit code in the status, input with an end", async () => {
    const channels = await exec(["sh", "-c", "echo out; echo err >&2; exit 7"], "output=1&error=1");
    assert.deepEqual([channels[1], channels[2]], ["out\n", "err\n"]);
    const status = JSON.parse(channels[3] ?? "") as { status: string; reason: string; details: object };
    assert.deepEqual([status.status, status.reason], ["Failure", "NonZeroExitCode"]);
    assert.deepEqual(status.details, { causes: [{ reason: "ExitCode", message: "7" }] });
    const big = "x".repeat(400_000);
    const counted = await exec(["wc", "-c"], "input=1&output=1", big);
    assert.deepEqual(
      [counted[1]?.trim(), JSON.parse(counted[3] ?? "")],
      ["400000", { metadata: {}, status: "Success" }],
    );
    const missing = await exec(["no-such-program"], "output=1&error=1");
    assert.match(missing[3] ?? "", /InternalError.*executable file not found/);
  });

  test("exec on a terminal: its size follows, and the output is one", async () => {
    const script = 'read line; until [ "$(stty size)" = "45 123" ]; do sleep 0.02; done; echo $line; tty';
    const command = ["sh", "-c", script].map((word) => `command=${encodeURIComponent(word)}`).join("&");
    const flags = "input=1&output=1&error=1&tty=1";
    const socket = openWebSocket(`/exec/dev/talks/c?${command}&${flags}`, "v5.channel.k8s.io");
    let said = "";
    socket.on("message", (data: Buffer) => {
      if (data[0] === 1) said += data.subarray(1).toString();
    });
    await once(socket, "open");
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from("typed\n")]));
    socket.send(Buffer.concat([Buffer.from([4]), Buffer.from('{"Width":123,"Height":45}')]));
    await once(socket, "close");
    assert.match(said, /typed\r\n\/dev\/pts\/\d+/);
  });

  test("exec over SPDY: the same, by streams", async () => {
    const session = await openSpdy(
      "/exec/dev/talks/c?command=sh&command=-c&command=cat;%20exit%205&input=1&output=1",
      "v4.channel.k8s.io",
    );
    const open = (streamtype: string) => session.open(new Map([["streamtype", streamtype]]));
    const [error, input, output] = [await open("error"), await open("stdin"), await open("stdout")];
    const said = text(output);
    const status = text(error);
    input.end("over spdy");
    assert.equal(await said, "over spdy");
    assert.match(await status, /"ExitCode","message":"5"/);
    await session.closed;
  });

  test("port-forward over SPDY: many connections, and one that fails alone", async () => {
    const session = await openSpdy("/portForward/dev/serves", "portforward.k8s.io");
    const ask = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const answers = await Promise.all([1, 2, 3].map((id) => forwardOne(session, id, 8080, ask)));
    for (const { said, problem } of answers) {
      assert.match(said, /Hostname: serves/);
      assert.equal(problem, "");
    }
    const failed = await forwardOne(session, 4, 81, ask);
    assert.match(failed.problem, /error forwarding port 81 to pod: .*ECONNREFUSED/);
    assert.match((await forwardOne(session, 5, 8080, ask)).said, /Hostname: serves/);
    session.close();
  });

  test("port-forward reaches what listens on 127.0.0.1 inside the pod", async () => {
    const session = await openSpdy("/portForward/dev/inside", "portforward.k8s.io");
    assert.deepEqual(await forwardOne(session, 1, 9000, "loop"), { said: "loop", problem: "" });
    session.close();
  });

  test("port-forward inside a WebSocket", async () => {
    const place = { socketPath: ground.socketPath, path: "/portForward/dev/serves" };
    const tunnel = await openTunnel(request({ ...place, headers: tunnelHeaders, agent: false }));
    const ask = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const { said } = await forwardOne(tunnel.session, 1, 8080, ask);
    assert.match(said, /Hostname: serves/);
    tunnel.close();
  });

  test("attach shows what the program says from now on", async () => {
    const socket = openWebSocket("/attach/dev/talks/c?output=1&error=1", "v4.channel.k8s.io");
    let said = "";
    socket.on("message", (data: Buffer) => (said += data.subarray(1).toString()));
    await once(socket, "open");
    await exec(["touch", "/tmp/more"], "output=1");
    await until("the new line arrives", () => said.includes("more\n"));
    assert.doesNotMatch(said, /first/);
    socket.terminate();
  });
});
