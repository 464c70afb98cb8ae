import { connect, createSecureContext } from "node:tls";

// `node bench/dataplane/handshakes.ts PORT PATH full|resumed SECONDS CONNECTIONS`: makes TLS 1.3 connections with one
// request each, so many at a time, and prints how many. All servers are asked for the same group and cipher. A connection
// that is not what its name says fails the whole run.
const [port = "", path = "", kind = "full", seconds = "1", connections = "1"] = process.argv.slice(2);

const secureContext = createSecureContext({
  minVersion: "TLSv1.3",
  ecdhCurve: "X25519",
  ciphers: "TLS_AES_128_GCM_SHA256",
});
const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`;

/** One connection and request; resolves with the session that the server gave, when it has closed. */
function visit(session: Buffer | undefined): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let given: Buffer | undefined;
    let answer = "";
    const socket = connect({
      host: "127.0.0.1",
      port: Number(port),
      secureContext,
      rejectUnauthorized: false,
      servername: "bench",
      ALPNProtocols: ["http/1.1"],
      session,
    });
    socket.on("secureConnect", () => {
      if (socket.isSessionReused() !== (session !== undefined)) reject(new Error(`the handshake is not ${kind}`));
      socket.write(request);
    });
    socket.on("session", (one: Buffer) => (given = one));
    socket.on("data", (bytes: Buffer) => (answer += bytes.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => {
      if (answer.startsWith("HTTP/1.1 200")) resolve(given);
      else reject(new Error(`the answer is "${answer.slice(0, 100)}"`));
    });
  });
}

const session = kind === "resumed" ? await visit(undefined) : undefined;
if (kind === "resumed" && session === undefined) throw new Error("the server gives no session");
let count = session === undefined ? 0 : 1;
const end = performance.now() + Number(seconds) * 1000;
await Promise.all(
  Array.from({ length: Number(connections) }, async () => {
    while (performance.now() < end) {
      await visit(session);
      count += 1;
    }
  }),
);
process.stdout.write(`${count}\n`);
