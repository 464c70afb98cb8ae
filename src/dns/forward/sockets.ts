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
  /** Calls `done` once, perhaps at once; never before `timeout` milliseconds passed without an answer. */
  exchange(asked: Asked, timeout: number, done: (exchange: Exchange) => void): void;
  stop(): void;
}

interface Waiting {
  readonly question: Question;
  /** On the monotonic clock. */
  readonly until: number;
  readonly done: (exchange: Exchange) => void;
}

interface Port {
  readonly socket: Socket;
  readonly waiting: Map<number, Waiting>;
  retired: boolean;
}

const portLimit = 8;
/** A port is given back after this long, so that none stays known to whoever watches. */
const portLifetime = 5_000;
/** One timer looks after all questions: each may wait this many milliseconds longer than it should. */
const sweepStep = 25;
/** What fits an unfragmented packet everywhere (DNS flag day 2020). */
export const udpSize = 1232;

export function createUdpSockets({ address, port }: { address: string; port: number }, clock: Clock): UdpSockets {
  const ports: Port[] = [];
  const all = new Set<Port>();
  const retirements = new Set<() => void>();
  let stopped = false;
  /** An answer came, and nothing failed since: then a packet that the kernel does not take may be told by silence. */
  let trusted = false;
  let sweepAt = Infinity;
  let cancelSweep: (() => void) | undefined;

  function open(done: (opened: Port | string) => void): void {
    const socket = createSocket({ type: isIPv6(address.split("%")[0] ?? "") ? "udp6" : "udp4" });
    const opened: Port = { socket, waiting: new Map(), retired: false };
    let told = false;
    const tell = (what: Port | string) => {
      if (told) return;
      told = true;
      done(what);
    };
    all.add(opened);
    socket.on("error", (error) => {
      close(opened, error.message);
      tell(error.message);
    });
    socket.on("message", (packet) => receive(opened, packet));
    socket.connect(port, address, (...failed: unknown[]) => {
      // Node hands a failure (no route to the upstream) to the callback, which its types do not say.
      if (failed[0] instanceof Error) {
        close(opened, failed[0].message);
        return tell(failed[0].message);
      }
      if (stopped) return tell("stopped");
      socket.unref();
      ports.push(opened);
      const cancel = clock.after(portLifetime, () => {
        retirements.delete(cancel);
        retire(opened);
      });
      retirements.add(cancel);
      tell(opened);
    });
  }

  function receive(opened: Port, packet: Uint8Array): void {
    const message = parseMessage(packet);
    const waiting = message && opened.waiting.get(message.id);
    // Wrong answers are passed over, not believed and not counted: the right one may still come.
    if (message === undefined || waiting === undefined || !answersQuestion(message, message.id, waiting.question))
      return;
    trusted = true;
    finish(opened, message.id, waiting, { got: "answer", message });
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
    for (const [id, waiting] of opened.waiting) finish(opened, id, waiting, { got: "error", reason });
    opened.socket.close();
  }

  function finish(opened: Port, id: number, waiting: Waiting, exchange: Exchange): void {
    if (opened.waiting.get(id) !== waiting) return;
    opened.waiting.delete(id);
    if (exchange.got !== "answer") trusted = false;
    if (opened.retired && opened.waiting.size === 0) close(opened, "retired");
    waiting.done(exchange);
  }

  function sweepBy(until: number): void {
    if (until >= sweepAt || stopped) return;
    cancelSweep?.();
    sweepAt = until;
    cancelSweep = clock.after(Math.max(0, until - clock.monotonic()), sweep);
  }

  function sweep(): void {
    sweepAt = Infinity;
    cancelSweep = undefined;
    const now = clock.monotonic();
    let first = Infinity;
    for (const opened of all) {
      for (const [id, waiting] of opened.waiting) {
        if (waiting.until <= now) finish(opened, id, waiting, { got: "timeout" });
        else first = Math.min(first, waiting.until);
      }
    }
    if (first !== Infinity) sweepBy(Math.max(first, now + sweepStep));
  }

  function send(opened: Port, asked: Asked, timeout: number, done: (exchange: Exchange) => void): void {
    let id = random(0x10000);
    while (opened.waiting.has(id)) id = random(0x10000);
    const waiting: Waiting = { question: asked.question, until: clock.monotonic() + timeout, done };
    opened.waiting.set(id, waiting);
    // A sweep that comes a little later anyway will do.
    if (waiting.until + sweepStep < sweepAt) sweepBy(waiting.until);
    const query = renderQuery(id, asked.question, { size: udpSize, do: asked.do, cd: asked.cd });
    if (trusted) return opened.socket.send(query);
    opened.socket.send(query, (error) => {
      if (error) finish(opened, id, waiting, { got: "error", reason: error.message });
    });
  }

  return {
    exchange(asked, timeout, done) {
      if (stopped) return done({ got: "error", reason: "stopped" });
      if (ports.length >= portLimit) return send(ports[random(ports.length)] as Port, asked, timeout, done);
      open((opened) => {
        if (typeof opened === "string") done({ got: "error", reason: opened });
        else send(opened, asked, timeout, done);
      });
    },
    stop() {
      stopped = true;
      cancelSweep?.();
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
