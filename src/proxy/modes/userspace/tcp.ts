import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { EndpointEntry } from "#routing/l4/table.ts";
import type { Listener } from "./listener.ts";
import type { Picker } from "./picker.ts";

/** How long each endpoint in turn may take to accept (the dial times of upstream's old userspace proxy). */
export const dialTimeoutsMs: readonly number[] = [250, 500, 1000, 2000];
const connectionLimit = 16_384;

/** Relays TCP connections; each direction ends on its own, as it does without a proxy. Rejects when it cannot listen. */
export function listenTcp(address: string, port: number, picker: Picker): Promise<Listener> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void serve(client));
  server.maxConnections = connectionLimit;

  async function serve(client: Socket): Promise<void> {
    open.add(client);
    client.on("close", () => open.delete(client)).on("error", () => client.destroy());
    const endpoint = await dial(client);
    if (endpoint === undefined || client.destroyed) {
      endpoint?.destroy();
      client.resetAndDestroy();
      return;
    }
    open.add(endpoint);
    endpoint.on("close", () => open.delete(endpoint));
    relay(client, endpoint);
  }

  async function dial(client: Socket): Promise<Socket | undefined> {
    const tried = new Set<EndpointEntry>();
    for (const timeoutMs of dialTimeoutsMs) {
      const endpoint = picker.pick(client.remoteAddress ?? "", tried);
      if (endpoint === undefined || client.destroyed) return undefined;
      tried.add(endpoint);
      const socket = await tryConnect(endpoint, timeoutMs);
      if (socket !== undefined) return socket;
    }
    return undefined;
  }

  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port }, () => {
      server.off("error", reject).on("error", () => {});
      resolve({
        address,
        port: (server.address() as AddressInfo).port,
        changed: () => {},
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            for (const socket of open) socket.destroy();
          }),
      });
    });
  });
}

function tryConnect({ address, port }: EndpointEntry, timeoutMs: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const fail = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(timeoutMs, fail);
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.setTimeout(0).removeListener("error", fail);
      resolve(socket);
    });
  });
}

function relay(client: Socket, endpoint: Socket): void {
  client.setNoDelay(true);
  for (const [one, other] of [
    [client, endpoint],
    [endpoint, client],
  ] as const) {
    one.on("error", () => other.resetAndDestroy());
    one.on("close", () => {
      if (!other.writableEnded) other.destroy();
    });
    one.pipe(other);
  }
}
