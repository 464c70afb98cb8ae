import type { ServeContext } from "./context.ts";
import { Http1Client } from "./http1/client.ts";
import { Http2Client } from "./http2/client.ts";
import type { Connection } from "./transport/connection.ts";

/** A client's connection, whatever it speaks. */
export interface Client {
  /** Ends it as soon as what has begun is done. */
  drain(): void;
  destroy(): void;
}

/**
 * Serves a connection in the protocol that the client chose, until it closes, and then calls `left`: HTTP/2 when the TLS
 * handshake says so, or, with `http2`, when its first bytes do (RFC 9113 sections 3.2 and 3.3).
 */
export function serveConnection(
  context: ServeContext,
  connection: Connection,
  http2: boolean,
  left: () => void,
): Client {
  let client: Client;
  const takeOver = (bytes: Buffer) => {
    const taken = new Http2Client(context, connection, left);
    client = taken;
    taken.onData(bytes, 0, bytes.length);
  };
  client = connection.http2
    ? new Http2Client(context, connection, left)
    : new Http1Client(context, connection, left, http2 && !connection.tls ? takeOver : undefined);
  return { drain: () => client.drain(), destroy: () => client.destroy() };
}
