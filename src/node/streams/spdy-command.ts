import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { delay, type Clock } from "#base/clock.ts";
import { compileCommandStatus, type Command } from "./command.ts";
import type { CommandStreams } from "./request.ts";
import { startSpdy, type SpdyStream } from "./spdy/session.ts";
import { parseSize } from "./websocket-command.ts";

/** The versions of remote commands over SPDY, the preferred first. */
export const spdyCommandProtocols = ["v4.channel.k8s.io"] as const;

type Role = "error" | "stdin" | "stdout" | "stderr" | "resize";

/** How long the client may take to open the streams it has asked for. */
const openLimitMs = 30_000;

/** Carries a command over SPDY: the client opens one stream for each of its roles. */
export async function serveSpdyCommand(
  socket: Duplex,
  streams: CommandStreams,
  clock: Clock,
  start: () => Promise<Command>,
): Promise<void> {
  const roles = new Map<Role, SpdyStream>();
  const wanted: Role[] = ["error"];
  for (const role of ["stdin", "stdout", "stderr"] as const) if (streams[role]) wanted.push(role);
  if (streams.tty) wanted.push("resize");
  let opened: () => void = () => {};
  const complete = new Promise<void>((resolve) => (opened = resolve));
  const session = startSpdy(socket, {
    side: "server",
    onStream(stream) {
      roles.set((stream.headers.get("streamtype") ?? "") as Role, stream);
      if (wanted.every((role) => roles.has(role))) opened();
    },
  });
  const isComplete = await Promise.race([
    complete.then(() => true),
    delay(clock, openLimitMs).then(() => false),
    session.closed.then(() => false),
  ]);
  if (!isComplete) return session.close();

  const command = await start();
  void session.closed.then(() => command.hangUp());
  const stdin = roles.get("stdin");
  if (command.stdin === undefined) stdin?.resume();
  else stdin?.pipe(command.stdin);
  roles.get("resize")?.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().split("\n")) {
      const size = parseSize(line);
      if (size !== undefined) command.resize(size);
    }
  });
  const copies = [copyOut(command.stdout, roles.get("stdout")), copyOut(command.stderr, roles.get("stderr"))];
  const end = await command.ended;
  await Promise.all(copies);
  const status = compileCommandStatus(end);
  const error = roles.get("error");
  await new Promise<void>((resolve) => {
    if (error === undefined || error.destroyed) resolve();
    else error.end(JSON.stringify(status), () => resolve());
    void session.closed.then(resolve);
  });
  session.close();
}

async function copyOut(source: Command["stderr"], target: SpdyStream | undefined): Promise<void> {
  if (source === undefined) return;
  if (target === undefined) source.resume();
  // A client that has gone needs nothing more.
  else await pipeline(source, target).catch(() => {});
}
