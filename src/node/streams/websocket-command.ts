import type { Readable } from "node:stream";
import type { WebSocket } from "ws";
import { compileCommandStatus, type Command } from "./command.ts";

/** The subprotocols of remote commands, the preferred first: v5 can tell that the input has ended. */
export const commandProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;

const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 };

/** Carries a command over a WebSocket: each message begins with the number of its channel. */
export async function serveWebSocketCommand(socket: WebSocket, start: () => Promise<Command>): Promise<void> {
  socket.pause();
  const command = await start().catch((error: unknown) => ({ problem: String(error) }));
  if ("problem" in command) {
    await send(socket, channel.status, Buffer.from(JSON.stringify(compileCommandStatus(command))));
    socket.close(1000);
    return;
  }
  socket.on("message", (data: Buffer) => takeMessage(socket, data, command));
  socket.resume();
  socket.on("close", () => command.hangUp());
  // The client may have gone while the command was started.
  if (socket.readyState !== socket.OPEN) command.hangUp();
  const copies = [copyOut(socket, channel.stdout, command.stdout)];
  if (command.stderr !== undefined) copies.push(copyOut(socket, channel.stderr, command.stderr));
  const end = await command.ended;
  await Promise.all(copies);
  await send(socket, channel.status, Buffer.from(JSON.stringify(compileCommandStatus(end))));
  socket.close(1000);
}

function takeMessage(socket: WebSocket, data: Buffer, { stdin, resize }: Command): void {
  const payload = data.subarray(1);
  if (data[0] === channel.stdin && payload.length > 0) {
    // A program that does not read holds up whoever writes to it, and nothing is kept without bound.
    if (stdin === undefined || stdin.write(payload)) return;
    socket.pause();
    stdin.once("drain", () => socket.resume());
    stdin.once("close", () => socket.resume());
  } else if (data[0] === channel.close && payload[0] === channel.stdin) stdin?.end();
  else if (data[0] === channel.resize) {
    const size = parseSize(payload.toString());
    if (size !== undefined) resize(size);
  }
}

/** `{"Width":80,"Height":24}`, as kubectl tells a terminal's size. */
export function parseSize(text: string): { columns: number; rows: number } | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
    return isSize(Width) && isSize(Height) && Width < 65_536 && Height < 65_536
      ? { columns: Width, rows: Height }
      : undefined;
  } catch {
    return undefined;
  }
}

async function copyOut(socket: WebSocket, number: number, source: Readable): Promise<void> {
  for await (const chunk of source) {
    if (socket.readyState !== socket.OPEN) return;
    await send(socket, number, chunk as Buffer);
  }
}

/** Resolves when the message has been handed on, so that a slow reader slows the command down. */
function send(socket: WebSocket, number: number, payload: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.send(Buffer.concat([Buffer.from([number]), payload]), { binary: true }, () => resolve());
  });
}
