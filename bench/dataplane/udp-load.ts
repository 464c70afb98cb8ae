import { createSocket, type Socket } from "node:dgram";
import { isIP } from "node:net";

/** Datagrams of this size go out, each flow having so many on their way at once. */
const bytes = Buffer.alloc(64, "x");
const window = 4;

/**
 * Sends datagrams through a port from `flows` sockets for a while, each answered one giving the next. Resolves with how
 * many were answered; what is lost is sent anew after a moment.
 */
export async function udpLoad(port: number, flows: number, seconds: number): Promise<number> {
  let answered = 0;
  const sockets = await Promise.all(Array.from({ length: flows }, () => open(port)));
  const last = new Map<Socket, number>();
  for (const socket of sockets) {
    socket.on("message", () => {
      answered += 1;
      last.set(socket, performance.now());
      socket.send(bytes, 0, bytes.length);
    });
    for (let at = 0; at < window; at += 1) socket.send(bytes, 0, bytes.length);
  }
  const stalled = setInterval(() => {
    const before = performance.now() - 100;
    for (const socket of sockets) if ((last.get(socket) ?? 0) < before) socket.send(bytes, 0, bytes.length);
  }, 100);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  clearInterval(stalled);
  for (const socket of sockets) socket.close();
  return answered;
}

function open(port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", lookup: (name, _, done) => done(null, name, isIP(name)) });
  socket.on("error", () => {});
  return new Promise((resolve) => socket.connect(port, "127.0.0.1", () => resolve(socket)));
}
