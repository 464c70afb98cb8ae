import type { Socket } from "node:net";
import type { LiveTable } from "../live-table.ts";
import { findHost } from "../route.ts";
import type { NameRule } from "../tls/entry.ts";
import { SocketConnection } from "../transport/public.ts";
import type { StreamContext } from "./context.ts";
import { proxiedOf } from "./tcp-listener.ts";
import { TcpSession } from "./tcp-session.ts";

export interface PassthroughOptions {
  readonly table: LiveTable;
  readonly adopt: (session: TcpSession) => void;
  readonly forget: (session: TcpSession) => void;
}

/** Passes connections on by the name that their clients ask for, without decrypting them. */
export function createPassthrough(context: StreamContext, options: PassthroughOptions): NameRule {
  const { table, adopt, forget } = options;
  return (serverName) => {
    const host = findHost(table.hosts, serverName);
    const target = host?.entry.passthrough;
    if (host === undefined || target === undefined) return undefined;
    const backend = table.backends.get(target.backend);
    const pass = (socket: Socket) => {
      if (backend === undefined) return void socket.destroy();
      socket.allowHalfOpen = true;
      const connection = new SocketConnection(socket, context.onFault, 0);
      connection.pause();
      const session = new TcpSession(context, connection, {
        place: { id: `tls:${host.entry.name}`, slot: backend.slot },
        target,
        endpoints: backend,
        proxied: () => proxiedOf(socket),
        left: () => forget(session),
      });
      adopt(session);
      session.begin();
    };
    return { type: "pass", pass };
  };
}
