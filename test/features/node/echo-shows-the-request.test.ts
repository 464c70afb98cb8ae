import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect, createServer, type AddressInfo } from "node:net";
import { hostname } from "node:os";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../src/node/images/echo/server.ts", import.meta.url));
let child: ChildProcess;
let ports: { http: number; tcp: number; udp: number };

/** A port nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

before(async () => {
  ports = { http: await freePort(), tcp: await freePort(), udp: await freePort() };
  const args = Object.entries(ports).map(([kind, port]) => `${kind}:${port}`);
  child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve) => {
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      said += String(chunk);
      if (said.includes("udp on port")) resolve();
    });
  });
});

after(() => {
  child.kill("SIGKILL");
});

async function ask(path: string, options: { method?: string; headers?: string[]; body?: string } = {}) {
  const asked = request({
    port: ports.http,
    path,
    method: options.method ?? "GET",
    headers: options.headers ?? ["Host", "web.example"],
    agent: false,
  });
  asked.end(options.body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return { status: response.statusCode, text: await text(response), type: response.headers["content-type"] };
}

test("the page shows pod, request line and headers, and how to ask for more", async () => {
  const headers = ["x-real-ip", "10.0.0.1", "ACCEPT", "*/*", "Host", "s2.pctest", "X-Forwarded-For", "10.0.0.1"];
  const answer = await ask("/some/path?q=1", { headers });
  assert.equal(answer.status, 200);
  assert.equal(answer.type, "text/plain; charset=utf-8");
  assert.equal(
    answer.text.replace(/^Connection: .*\n/m, ""),
    `Hostname: ${hostname()}

---- Http Request Headers ----

GET /some/path?q=1 HTTP/1.1
Host: s2.pctest
Accept: */*
X-Forwarded-For: 10.0.0.1
X-Real-Ip: 10.0.0.1


---- Active Endpoint ----

[howto] version: 0.9 
    curl 127.0.0.1/ 
    curl 127.0.0.1/?wait=2s 
    curl 127.0.0.1/test 
    curl 127.0.0.1/api 
    curl 127.0.0.1/health 
    curl 127.0.0.1/health -d '302' 
 
`,
  );
});

test("wait holds the answer back", async () => {
  const began = performance.now();
  await ask("/?wait=150ms");
  assert.ok(performance.now() - began >= 145);
});

test("health answers what it was told to", async () => {
  assert.equal((await ask("/health")).status, 200);
  assert.equal((await ask("/health", { method: "POST", body: "503" })).status, 503);
  assert.equal((await ask("/health")).status, 503);
  assert.equal((await ask("/health", { method: "POST", body: "not a code" })).status, 503);
  assert.equal((await ask("/health", { method: "POST", body: "200" })).status, 200);
});

test("TCP and UDP come back as they are", async () => {
  const socket = connect(ports.tcp);
  socket.end("over tcp");
  assert.equal(await text(socket), "over tcp");
  const udp = createSocket("udp4");
  udp.send("over udp", ports.udp, "127.0.0.1");
  const [message] = (await once(udp, "message")) as [Buffer];
  assert.equal(String(message), "over udp");
  udp.close();
});

test("it ends on SIGTERM", async () => {
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0);
});
