import { createSocket, type Socket } from "node:dgram";
import type { Clock } from "#base/clock.ts";
import type { EndpointEntry } from "#routing/l4/table.ts";
import type { Listener } from "./listener.ts";
import type { Picker } from "./picker.ts";

/** A session without a packet either way for this long ends (conntrack's default for a flow without an answer). */
export const idleMs = 30_000;
const sessionLimit = 4096;

interface Session {
  readonly endpoint: EndpointEntry;
  readonly socket: Socket;
  seen: number;
}

/** Relays UDP: each client has a socket of its own to one endpoint, so that answers find back. Rejects when it cannot listen. */
export function listenUdp(address: string, port: number, picker: Picker, clock: Clock): Promise<Listener> {
  const server = createSocket(socketType(address));
  const sessions = new Map<string, Session>();
  let cancelSweep: (() => void) | undefined;

  function end(client: string, session: Session): void {
    if (sessions.get(client) !== session) return;
    sessions.delete(client);
    session.socket.close();
  }

  function open(client: string, host: string, clientPort: number): Session | undefined {
    const endpoint = picker.pick(host, new Set());
    if (endpoint === undefined) return undefined;
    const socket = createSocket(socketType(endpoint.address));
    const session: Session = { endpoint, socket, seen: clock.monotonic() };
    socket.on("message", (data) => {
      session.seen = clock.monotonic();
      server.send(data, clientPort, host);
    });
    // Refused by the endpoint: the next packet of this client tries another.
    socket.on("error", () => end(client, session));
    socket.connect(endpoint.port, endpoint.address);
    sessions.set(client, session);
    if (sessions.size > sessionLimit) for (const [oldest, first] of sessions) return (end(oldest, first), session);
    return session;
  }

  function sweep(): void {
    const now = clock.monotonic();
    for (const [client, session] of sessions) if (session.seen + idleMs <= now) end(client, session);
    cancelSweep = sessions.size === 0 ? undefined : clock.after(idleMs / 2, sweep);
  }

  server.on("message", (data, { address: host, port: clientPort }) => {
    const client = `${host}:${clientPort}`;
    const session = sessions.get(client) ?? open(client, host, clientPort);
    if (session === undefined) return;
    session.seen = clock.monotonic();
    cancelSweep ??= clock.after(idleMs / 2, sweep);
    const send = () => session.socket.send(data, () => {});
    if (isConnected(session.socket)) send();
    else session.socket.once("connect", send);
  });

  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.bind({ address, port }, () => {
      server.off("error", reject).on("error", () => {});
      resolve({
        address,
        port: server.address().port,
        changed() {
          for (const [client, session] of sessions) if (!picker.has(session.endpoint)) end(client, session);
        },
        close: () =>
          new Promise((done) => {
            cancelSweep?.();
            for (const [client, session] of sessions) end(client, session);
            server.close(() => done());
          }),
      });
    });
  });
}

function socketType(address: string): "udp4" | "udp6" {
  return address.includes(":") ? "udp6" : "udp4";
}

function isConnected(socket: Socket): boolean {
  try {
    return socket.remoteAddress().port > 0;
  } catch {
    return false;
  }
}
