import dgram from "node:dgram";
import http from "node:http";
import net from "node:net";
import os from "node:os";

// The program of the image fairlead/echo. It runs alone inside a pod, so it imports nothing of Fairlead's, reads its
// ports from its arguments (`http:8080 tcp:9000 udp:9000`), and says on standard output what it does.

/** The longest `?wait=`, and the longest body looked at. */
const longestWaitMs = 60_000;
const longestBody = 64 << 10;

let ending = false;
/** Connections taken so far. */
let taken = 0;
let health = 200;

/** `2s`, `150ms`, `1m`: milliseconds, or 0 when it is none of these. */
function readDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  if (match === null) return 0;
  const unit = { ms: 1, s: 1000, m: 60_000 }[match[2] as "ms" | "s" | "m"];
  return Math.min(longestWaitMs, Number(match[1]) * unit);
}

function canonical(name: string): string {
  return name
    .toLowerCase()
    .split("-")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("-");
}

function headerLines(raw: readonly string[]): string[] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    pairs.push([canonical(raw[index] ?? ""), raw[index + 1] ?? ""]);
  }
  // Host and User-Agent come first, as in the server that the document shows.
  const first = ["Host", "User-Agent"];
  const rank = (name: string) => (first.includes(name) ? `\0${first.indexOf(name)}` : name);
  pairs.sort(([a], [b]) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  return pairs.map(([name, value]) => `${name}: ${value}`);
}

function page(request: http.IncomingMessage): string {
  return [
    `Hostname: ${os.hostname()}`,
    "",
    "---- Http Request Headers ----",
    "",
    `${request.method} ${request.url} HTTP/${request.httpVersion}`,
    ...headerLines(request.rawHeaders),
    "",
    "",
    "---- Active Endpoint ----",
    "",
    "[howto] version: 0.9 ",
    "    curl 127.0.0.1/ ",
    "    curl 127.0.0.1/?wait=2s ",
    "    curl 127.0.0.1/test ",
    "    curl 127.0.0.1/api ",
    "    curl 127.0.0.1/health ",
    "    curl 127.0.0.1/health -d '302' ",
    " ",
    "",
  ].join("\n");
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    if (text.length < longestBody) text += String(chunk);
  }
  return text;
}

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://pod");
  const body = await readBody(request);
  const wait = readDuration(url.searchParams.get("wait") ?? "");
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  let status = 200;
  let text = page(request);
  if (url.pathname === "/health") {
    const asked = /^\s*([1-5]\d\d)\s*$/.exec(body);
    if (asked !== null && Number(asked[1]) >= 200) health = Number(asked[1]);
    status = health;
    text = `${health}\n`;
  }
  // A client that is told to leave comes back by another connection, to another pod.
  if (ending) response.shouldKeepAlive = false;
  const headers = { "content-type": "text/plain; charset=utf-8", "content-length": Buffer.byteLength(text) };
  response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : text);
  console.log(`${request.socket.remoteAddress} ${request.method} ${request.url} ${status}`);
}

function listenHttp(port: number): () => void {
  const server = http.createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(String(error));
      response.destroy();
    });
  });
  server.on("connection", () => (taken += 1));
  server.listen(port);
  // Closing ends idle connections too.
  return () => server.close();
}

function listenTcp(port: number): () => void {
  const server = net.createServer((socket) => {
    taken += 1;
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(port);
  return () => server.close();
}

function listenUdp(port: number): () => void {
  const sockets = new Set<dgram.Socket>();
  for (const type of ["udp4", "udp6"] as const) {
    const socket = dgram.createSocket({ type, ipv6Only: type === "udp6" });
    sockets.add(socket);
    socket.on("message", (message, { address, port: from }) => socket.send(message, from, address));
    // A machine may have no IPv6.
    if (type === "udp6") socket.on("error", () => sockets.delete(socket) && socket.close());
    socket.bind(port);
  }
  return () => sockets.forEach((socket) => socket.close());
}

// Answering goes on when nobody reads the log any more.
process.stdout.on("error", () => {});

const listeners = { http: listenHttp, tcp: listenTcp, udp: listenUdp } as const;
const closers: (() => void)[] = [];
for (const argument of process.argv.slice(2)) {
  const [kind = "", port = ""] = argument.split(":");
  const listen = listeners[kind as keyof typeof listeners];
  if (listen === undefined || !(Number(port) > 0)) {
    console.error(`${argument}: must be http:PORT, tcp:PORT or udp:PORT`);
    process.exit(2);
  }
  closers.push(listen(Number(port)));
  console.log(`echo: ${kind} on port ${port}`);
}

/**
 * Connections that were made just before the pod was taken out of its Services wait to be taken, and bring requests: the
 * end comes when none has come for this long.
 */
const quietMs = 300;
const longestLingerMs = 3_000;
const longestEndMs = 5_000;

function linger(leftMs: number): void {
  const before = taken;
  setTimeout(() => {
    // What came while this program had no turn is taken first.
    setImmediate(() => {
      if (taken !== before && leftMs > quietMs) return linger(leftMs - quietMs);
      for (const close of closers) close();
      setTimeout(() => process.exit(0), longestEndMs).unref();
    });
  }, quietMs);
}

// Process 1 of a container ends on a signal only if it says so.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => {
  ending = true;
  linger(longestLingerMs);
});
