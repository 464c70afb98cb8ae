import { readFileSync } from "node:fs";
import { createServer } from "node:tls";

// `node bench/dataplane/bare-tls.ts PORT KEY CERT`: what Node's own TLS server costs that does nothing but answer.
const [port, key = "", cert = ""] = process.argv.slice(2);
const body = "x".repeat(102);
const answer = (connection: string) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: ${connection}\r\n\r\n${body}`;
const staying = answer("keep-alive");
const closing = answer("close");

const server = createServer({
  key: readFileSync(key),
  cert: readFileSync(cert),
  ALPNProtocols: ["http/1.1"],
  noDelay: true,
});
server.on("secureConnection", (socket) => {
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => {
    if (bytes.includes("Connection: close")) socket.end(closing);
    else socket.write(staying);
  });
});
server.listen({ host: "127.0.0.1", port: Number(port), backlog: 4096 });
