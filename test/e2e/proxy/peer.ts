import { existsSync } from "node:fs";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";

/**
 * Stands in one network namespace: answers every TCP connection and UDP packet on the ports it is given with its name
 * and the source it saw, and asks others when it is told to, by one JSON line for each question and answer.
 */
export type Question =
  | { ask: "tcp"; host: string; port: number; count?: number; timeoutMs?: number }
  | { ask: "udp"; host: string; port: number; localPort?: number; count?: number; timeoutMs?: number }
  /** Opens connections one after the other for `ms`; answers how many of each outcome. */
  | { ask: "load"; host: string; port: number; ms: number }
  /** No new connections on this port until it is opened again; those that wait to be accepted are. */
  | { ask: "close"; port: number }
  | { ask: "open"; port: number }
  | { ask: "hold"; key: string; host: string; port: number }
  | { ask: "echo"; key: string; text: string }
  | { ask: "halfclose"; host: string; port: number; text: string };

const [name = "", ...ports] = process.argv.slice(2);
const hasIPv6 = existsSync("/proc/net/if_inet6");
const held = new Map<string, Socket>();

const servers = new Map<number, Server>();

for (const port of ports.map(Number)) {
  const server = () =>
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      socket.write(`${name} ${socket.remoteAddress ?? ""}\n`);
      let received = "";
      socket.on("data", (data) => {
        received += data.toString();
        if (!received.startsWith("count")) socket.write(`${name} ${data.toString()}`);
      });
      socket.on("end", () => socket.end(received.startsWith("count") ? `counted ${received.length}\n` : ""));
    });
  servers.set(port, server().listen({ port, host: "0.0.0.0" }));
  if (hasIPv6) server().listen({ port, host: "::", ipv6Only: true });
  for (const type of hasIPv6 ? (["udp4", "udp6"] as const) : (["udp4"] as const)) {
    const udp = createSocket({ type, ipv6Only: type === "udp6" });
    udp.on("message", (_, from) => udp.send(`${name} ${from.address}`, from.port, from.address)).bind(port);
  }
}

function tcp(host: string, port: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (outcome: string) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(timeoutMs, () => done("timeout"));
    socket.on("error", (error: NodeJS.ErrnoException) => done(outcomeOf(error)));
    socket.on("data", (data) => done(data.toString().trim()));
    socket.on("end", () => done("closed"));
  });
}

function udp(host: string, port: number, localPort: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const timer = setTimeout(() => done("timeout"), timeoutMs);
    const done = (outcome: string) => {
      clearTimeout(timer);
      socket.close(() => resolve(outcome));
    };
    socket.once("message", (data) => done(data.toString()));
    socket.once("error", (error: NodeJS.ErrnoException) => done(outcomeOf(error)));
    socket.bind(localPort, () => {
      socket.connect(port, host, () => {
        socket.send("hello", (error) => {
          if (error) done(outcomeOf(error));
        });
      });
    });
  });
}

function outcomeOf({ code = "" }: NodeJS.ErrnoException): string {
  return ["ECONNREFUSED", "ECONNRESET", "EPERM"].includes(code) ? "refused" : code;
}

async function answer(question: Question): Promise<unknown> {
  const { host = "", port = 0 } = question as { host?: string; port?: number };
  switch (question.ask) {
    case "tcp": {
      const answers: string[] = [];
      for (let n = question.count ?? 1; n > 0; n -= 1) answers.push(await tcp(host, port, question.timeoutMs ?? 1500));
      return answers;
    }
    case "udp": {
      const answers: string[] = [];
      const { count = 1, localPort = 0, timeoutMs = 700 } = question;
      for (let n = count; n > 0; n -= 1) answers.push(await udp(host, port, localPort, timeoutMs));
      return answers;
    }
    case "load": {
      const outcomes: Record<string, number> = {};
      const end = Date.now() + question.ms;
      while (Date.now() < end) {
        const outcome = (await tcp(host, port, 2000)).split(" ")[0] ?? "";
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
      return outcomes;
    }
    case "close": {
      // What the kernel has connected already is taken in the next turns of the loop; a listener that closes refuses it.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      servers.get(port)?.close();
      return "closed";
    }
    case "open": {
      const server = servers.get(port)?.listen(port, "0.0.0.0");
      if (server !== undefined) await once(server, "listening");
      return "open";
    }
    case "hold": {
      const socket = connect({ host, port });
      held.set(question.key, socket);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      socket.on("error", reject).once("data", (data) => resolve(data.toString().trim()));
      return promise;
    }
    case "echo": {
      const socket = held.get(question.key);
      const { promise, resolve } = Promise.withResolvers<string>();
      socket?.once("data", (data) => resolve(data.toString().trim()));
      socket?.once("close", () => resolve("closed"));
      socket?.write(question.text);
      return promise;
    }
    case "halfclose": {
      const socket = connect({ host, port, allowHalfOpen: true });
      const { promise, resolve } = Promise.withResolvers<string>();
      let text = "";
      socket.on("data", (data) => (text += data.toString()));
      socket.on("error", (error) => resolve(String(error)));
      socket.on("end", () => resolve(text.trim().split("\n").at(-1) ?? ""));
      socket.end(question.text);
      return promise;
    }
  }
}

if (import.meta.main) {
  createInterface(process.stdin).on("line", (line) => {
    const { id, question } = JSON.parse(line) as { id: number; question: Question };
    answer(question).then(
      (value) => process.stdout.write(`${JSON.stringify({ id, value })}\n`),
      (error) => process.stdout.write(`${JSON.stringify({ id, value: String(error) })}\n`),
    );
  });
  process.stdin.on("end", () => process.exit(0));
  process.stdout.write(`${JSON.stringify({ id: 0, value: "ready" })}\n`);
}
