import { spawn } from "node:child_process";
import { createServer, type Server } from "node:net";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { inNamespace } from "../command.ts";

export interface Place {
  readonly address: string;
  readonly port: number;
  /** `::` is not `0.0.0.0` as well. */
  readonly ipv6Only?: boolean;
}

/** What the program that listens says of each place, with the socket when it got it. */
export interface Listened {
  readonly index: number;
  readonly problem?: string;
}

export type Opened = { readonly socket: Server } | { readonly problem: string };

/** In a checkout the program is its TypeScript; in the published package it stands beside the bundle. */
const listenProgram = import.meta.url.endsWith(".ts") ? "./listen.ts" : "./proxy-listen.js";
const limitMs = 20_000;
const lowPriority = 10;

/**
 * Opens TCP ports in a network namespace, or here when none is named; the answers are in the order of the places. Nobody
 * serves them yet. Never rejects: a port that cannot be had is a problem of its own.
 */
export function openPorts(netns: string | undefined, places: readonly Place[]): Promise<readonly Opened[]> {
  if (places.length === 0) return Promise.resolve([]);
  return netns === undefined ? Promise.all(places.map(openHere)) : openInside(netns, places);
}

function openHere({ address, port, ipv6Only = false }: Place): Promise<Opened> {
  return new Promise((resolve) => {
    const socket = createServer();
    socket.once("error", (error) => resolve({ problem: error.message }));
    socket.listen({ host: address, port, exclusive: true, ipv6Only }, () => resolve({ socket }));
  });
}

function openInside(netns: string, places: readonly Place[]): Promise<readonly Opened[]> {
  const program = fileURLToPath(new URL(listenProgram, import.meta.url));
  const [command = "", ...args] = inNamespace(netns, [process.execPath, program]);
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe", "ipc"], timeout: limitMs });
  // Whoever asks about health has time; pods that start beside it have not.
  if (child.pid !== undefined) setPriority(child.pid, lowPriority);
  const opened = new Map<number, Opened>();
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(0, 1000)));
  return new Promise((resolve) => {
    const done = (problem: string) => resolve(places.map((_, index) => opened.get(index) ?? { problem }));
    child.on("message", ({ index, problem }: Listened, socket) => {
      opened.set(index, problem === undefined ? { socket: socket as Server } : { problem });
      if (opened.size < places.length) return;
      child.disconnect();
      done("");
    });
    child.once("error", (error) => done(error.message));
    // When it has ended already, its end tells the rest.
    child.send(places, () => {});
    // Not "close": it never comes after sockets were handed over.
    child.once("exit", () => done(said.trim().split("\n")[0] || "the program that listens ended early"));
  });
}
