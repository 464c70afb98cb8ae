import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Log } from "#base/log.ts";
import { dial, forwardFailure, type ForwardTarget } from "./port-forward.ts";

/** What clients offer that forward ports by plain messages, as the API's first WebSocket form has it. */
export const forwardProtocol = "v4.channel.k8s.io";

/** A client opens a connection to each port at once. */
const mostPorts = 16;

/** The ports a request's query names: `ports=80&ports=443`, or with commas. Throws what is wrong with them. */
export function parsePorts(query: URLSearchParams): number[] {
  const texts = query.getAll("ports").flatMap((text) => text.split(","));
  if (texts.length === 0) throw new Error('query parameter "ports" is required');
  if (texts.length > mostPorts) throw new Error(`more than ${mostPorts} ports in one request`);
  return texts.map((text) => {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Error(`${JSON.stringify(text)} is no port`);
    return port;
  });
}

/**
 * Forwards one connection to each port (kubelet's `portforward/websocket.go`): each message begins with the number of its
 * channel, 2i for the data of the i-th port and 2i+1 for what went wrong with it; the first message of each channel is the
 * port's number in two bytes, the lower first.
 */
export async function serveWebSocketForward(
  socket: WebSocket,
  ports: readonly number[],
  target: ForwardTarget,
  log: Log,
): Promise<void> {
  const connections: (Duplex | undefined)[] = ports.map(() => undefined);
  socket.pause();
  for (const [index, port] of ports.entries()) {
    const number = Buffer.of(port & 0xff, port >> 8);
    await send(socket, 2 * index, number);
    await send(socket, 2 * index + 1, number);
  }
  const relays = { running: 0 };
  const dialed = ports.map(async (port, index) => {
    try {
      connections[index] = await dial({ ...target, relays }, port);
    } catch (problem) {
      await send(socket, 2 * index + 1, Buffer.from(forwardFailure(port, problem, log)));
    }
  });
  await Promise.all(dialed);
  socket.on("message", (data: Buffer) => takeMessage(socket, data, connections));
  socket.on("close", () => {
    for (const connection of connections) connection?.destroy();
  });
  if (socket.readyState !== socket.OPEN) for (const connection of connections) connection?.destroy();
  socket.resume();
  await Promise.all(connections.map((connection, index) => copyOut(socket, 2 * index, connection)));
  socket.close(1000);
}

function takeMessage(socket: WebSocket, data: Buffer, connections: readonly (Duplex | undefined)[]): void {
  const number = data[0] ?? 0;
  // What a client says on a channel of errors is for nobody.
  const connection = number % 2 === 0 ? connections[number / 2] : undefined;
  if (connection === undefined || connection.destroyed || data.length < 2) return;
  if (connection.write(data.subarray(1))) return;
  socket.pause();
  connection.once("drain", () => socket.resume());
  connection.once("close", () => socket.resume());
}

async function copyOut(socket: WebSocket, number: number, connection: Duplex | undefined): Promise<void> {
  if (connection === undefined) return;
  try {
    for await (const chunk of connection) {
      if (socket.readyState !== socket.OPEN) return;
      await send(socket, number, chunk as Buffer);
    }
  } catch {
    // The pod's side broke off: for the client the connection is over, like one that ended.
  }
}

/** Resolves when the message has been handed on, so that a slow reader slows the connection down. */
function send(socket: WebSocket, number: number, payload: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.send(Buffer.concat([Buffer.from([number]), payload]), { binary: true }, () => resolve());
  });
}
