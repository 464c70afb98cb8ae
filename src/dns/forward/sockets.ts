import { getRandomValues } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Clock } from "#base/clock.ts";
import { answersQuestion, parseMessage, type Message, type Question } from "#wire/dns/message.ts";
import { renderQuery } from "#wire/dns/response.ts";

/** What became of one attempt. */
export type Exchange =
  | { readonly got: "answer"; readonly message: Message }
  | { readonly got: "timeout" }
  | { readonly got: "error"; readonly reason: string };

export interface Asked {
  readonly question: Question;
  readonly do: boolean;
  readonly cd: boolean;
}

/** UDP to one upstream: each query on a random one of several random ports, with a random id (RFC 5452). */
export interface UdpSockets {
  exchange(asked: Asked, timeout: number): Promise<Exchange>;
  stop(): void;
}

interface Port {
  readonly socket: Socket;
  readonly waiting: Map<number, { readonly question: Question; done(exchange: Exchange): void }>;
  retired: boolean;
}

const portLimit = 8;
/** A port is given back after this long, so that none stays known to whoever watches. */
const portLifetime = 5_000;
/** What fits an unfragmented packet everywhere (DNS flag day 2020). */
export const udpSize = 1232;

export function createUdpSockets({ address, port }: { address: string; port: number }, clock: Clock): UdpSockets {
  const ports: Port[] = [];
  const all = new Set<Port>();
  const retirements = new Set<() => void>();
  let stopped = false;

  function open(): Promise<Port | string> {
    const socket = createSocket({ type: isIPv6(address.split("%")[0] ?? "") ? "udp6" : "udp4" });
    const opened: Port = { socket, waiting: new Map(), retired: false };
    all.add(opened);
    return new Promise((resolve) => {
      socket.on("error", (error) => {
        close(opened, error.message);
        resolve(error.message);
      });
      socket.on("message", (packet) => receive(opened, packet));
      socket.connect(port, address, (...failed: unknown[]) => {
        // Node hands a failure (no route to the upstream) to the callback, which its types do not say.
        if (failed[0] instanceof Error) {
          close(opened, failed[0].message);
          return resolve(failed[0].message);
        }
        if (stopped) return resolve("stopped");
        socket.unref();
        ports.push(opened);
        const cancel = clock.after(portLifetime, () => {
          retirements.delete(cancel);
          retire(opened);
        });
        retirements.add(cancel);
        resolve(opened);
      });
    });
  }

  function receive(opened: Port, packet: Uint8Array): void {
    const message = parseMessage(packet);
    const waiting = message && opened.waiting.get(message.id);
    // Wrong answers are passed over, not believed and not counted: the right one may still come.
    if (message === undefined || waiting === undefined || !answersQuestion(message, message.id, waiting.question))
      return;
    waiting.done({ got: "answer", message });
  }

  function retire(opened: Port): void {
    opened.retired = true;
    const index = ports.indexOf(opened);
    if (index !== -1) ports.splice(index, 1);
    if (opened.waiting.size === 0) close(opened, "retired");
  }

  function close(opened: Port, reason: string): void {
    if (!all.delete(opened)) return;
    retire(opened);
    for (const waiting of opened.waiting.values()) waiting.done({ got: "error", reason });
    opened.socket.close();
  }

  function send(opened: Port, asked: Asked, timeout: number): Promise<Exchange> {
    return new Promise((resolve) => {
      let id = random(0x10000);
      while (opened.waiting.has(id)) id = random(0x10000);
      const cancel = clock.after(timeout, () => done({ got: "timeout" }));
      const done = (exchange: Exchange) => {
        cancel();
        if (!opened.waiting.delete(id)) return;
        resolve(exchange);
        if (opened.retired && opened.waiting.size === 0) close(opened, "retired");
      };
      opened.waiting.set(id, { question: asked.question, done });
      opened.socket.send(renderQuery(id, asked.question, { size: udpSize, do: asked.do, cd: asked.cd }), (error) => {
        if (error) done({ got: "error", reason: error.message });
      });
    });
  }

  return {
    async exchange(asked, timeout) {
      if (stopped) return { got: "error", reason: "stopped" };
      const chosen = ports.length < portLimit ? await open() : (ports[random(ports.length)] as Port);
      if (typeof chosen === "string") return { got: "error", reason: chosen };
      return send(chosen, asked, timeout);
    },
    stop() {
      stopped = true;
      for (const cancel of retirements) cancel();
      for (const opened of all) close(opened, "stopped");
    },
  };
}

/** Drawn many at a time: the call costs more than the numbers. */
const drawn = new Uint32Array(256);
let left = 0;

function random(below: number): number {
  if (left === 0) left = getRandomValues(drawn).length;
  left -= 1;
  return (drawn[left] as number) % below;
}
