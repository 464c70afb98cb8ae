import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findProgram } from "#roles/packages.ts";
import { casesOf, outcomeOf, readRequest } from "../../cases/http1/reading.ts";
import { deadPort, dial, listening, simple, startPlane } from "../../features/dataplane/harness.ts";

// What nginx and haproxy of Debian, as backends, make of requests that came through the data plane: each of the case files
// of HTTP/1.1 is sent, and the server behind the backend must have seen those requests that the parser read, in their
// order, with the same bodies, and nothing else. A case in which a backend sees something else is a smuggled request.

/** A request as somebody read it. `body` is its length, or -1 while it is not whole. */
interface Read {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  body: number;
}

interface Backend {
  readonly program: string;
  readonly args: (dir: string, port: number, app: number) => readonly string[];
}

const backends: readonly Backend[] = [
  {
    program: "nginx",
    args(dir, port, app) {
      const file = join(dir, "nginx.conf");
      writeFileSync(
        file,
        `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log crit;
events { worker_connections 512; }
http { access_log off; client_max_body_size 0; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
  underscores_in_headers on; merge_slashes off; keepalive_requests 100000;
  upstream app { server 127.0.0.1:${app}; keepalive 16; }
  server { listen 127.0.0.1:${port};
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; } } }`,
      );
      return ["-e", join(dir, "error.log"), "-p", dir, "-c", file];
    },
  },
  {
    program: "haproxy",
    args(dir, port, app) {
      const file = join(dir, "haproxy.cfg");
      writeFileSync(
        file,
        `defaults
  mode http
  timeout connect 10s
  timeout client 30s
  timeout server 30s
frontend f
  bind 127.0.0.1:${port}
  default_backend app
backend app
  server app 127.0.0.1:${app}
`,
      );
      return ["-q", "-db", "-f", file];
    },
  },
];

/** The server behind the backend: notes what it is asked, and answers with it. */
async function startApp(t: TestContext): Promise<{ readonly port: number; take(): Read[] }> {
  let seen: Read[] = [];
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const { method = "", url = "", headers } = request;
    const read: Read = { method, path: url, host: headers.host ?? "", body: -1 };
    seen.push(read);
    let length = 0;
    request.on("error", () => {});
    request.on("data", (chunk: Buffer) => (length += chunk.length));
    request.on("end", () => {
      read.body = length;
      response.end(`${method} ${url} ${length}`);
    });
  });
  const port = await listening(t, server);
  return {
    port,
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
  };
}

async function startBackend(t: TestContext, { program, args }: Backend, app: number): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-differential-"));
  const port = await deadPort();
  const child = spawn(findProgram(program) ?? program, args(dir, port, app), {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  });
  while (!(await isOpen(port))) {
    assert.equal(child.exitCode, null, `${program} ended before it listened`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return port;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** The requests that the parser reads in these bytes, one behind the other, and how many answers that makes. */
function decided(bytes: Buffer): { readonly requests: Read[]; readonly answers: number } {
  const requests: Read[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { text, end, data } = outcomeOf(bytes.subarray(at), [], readRequest);
    const [, method = "", path = "", host = "", length = ""] =
      /^(\S+) (.*?)(?: \(.*\))? 1\.[01] host=(\S*) .*?body=(\d+|chunked)/s.exec(text) ?? [];
    if (end === undefined) return { requests, answers: requests.length + (text.endsWith("incomplete") ? 0 : 1) };
    requests.push({ method, path, host, body: data === undefined ? Number(length) : data.length });
    at += end;
  }
  return { requests, answers: requests.length };
}

/** The path that a target means. */
function pathOf(target: string, host: string): string {
  if (target === "*") return target;
  const { text } = outcomeOf(
    Buffer.from(`GET ${target} HTTP/1.1\r\nHost: ${host || "a"}\r\n\r\n`, "latin1"),
    [],
    readRequest,
  );
  return /^GET (.*?)(?: \(.*\))? 1\.1 /s.exec(text)?.[1] ?? text;
}

const shown = (reads: readonly Read[]) =>
  reads.map(({ method, path, host, body }) => `${method} ${path} ${host} ${body}`);

/** Whether what was seen is among what was decided, in that order. */
function differs(seen: readonly Read[], wanted: readonly Read[]): string | undefined {
  const left = [...wanted];
  for (const read of seen) {
    // The head of a request whose body broke a rule later may have gone out; it must never come to its end.
    if (read.body === -1) continue;
    const next = left.findIndex(
      ({ method, path, body }) => method === read.method && path === pathOf(read.path, read.host) && body === read.body,
    );
    if (next === -1) return `decided ${shown(wanted).join(", ") || "nothing"}; saw ${shown(seen).join(", ")}`;
    left.splice(0, next + 1);
  }
  return undefined;
}

for (const backend of backends) {
  test(`${backend.program} sees what was decided, and nothing else`, { timeout: 240_000 }, async (t) => {
    if (findProgram(backend.program) === undefined) return t.skip(`${backend.program} is not installed`);
    const app = await startApp(t);
    const { plane, port } = await startPlane(t, { http2: false });
    await plane.apply(simple([await startBackend(t, backend, app.port)]));
    const problems: string[] = [];
    let served = 0;
    for (const { name: file, cases } of casesOf("requests")) {
      for (const { name, bytes } of cases) {
        const { requests, answers } = decided(bytes);
        const half = bytes.indexOf("\r\n\r\n") + 4;
        for (const cut of [bytes.length, half]) {
          if (cut === 3) continue;
          const client = await dial(t, port);
          client.socket.write(bytes.subarray(0, cut));
          if (cut < bytes.length) {
            await new Promise((resolve) => setImmediate(resolve));
            client.socket.write(bytes.subarray(cut));
          }
          const heard = () => client.text.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
          while (heard() < answers && !client.closed) await client.more();
          // Whoever comes next on the same connection to the backend gets an answer of its own.
          const next = await dial(t, port);
          next.send("GET /sentinel HTTP/1.1\r\nHost: sentinel\r\nConnection: close\r\n\r\n");
          const answer = await next.end();
          client.socket.destroy();
          const seen = app.take();
          const sentinel = seen.at(-1);
          if (!answer.includes("GET /sentinel 0") || sentinel?.path !== "/sentinel")
            problems.push(`${file}: ${name}: the next client was answered ${JSON.stringify(answer)}`);
          const own = seen.filter(({ path }) => path !== "/sentinel");
          const problem = differs(own, requests);
          if (problem !== undefined) problems.push(`${file}: ${name}: ${problem}`);
          served += own.length;
        }
      }
    }
    t.diagnostic(`${served} requests reached the server behind ${backend.program}`);
    assert.deepEqual(problems, []);
    // Not vacuous: most of what is good got through.
    assert.ok(served > 100, `only ${served} requests got through`);
  });
}
