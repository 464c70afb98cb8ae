import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { createWebSocketStream, WebSocket } from "ws";
import { tunnelProtocol } from "#node/streams/port-forward.ts";
import { startSpdy, type SpdySession, type SpdyStream } from "#node/streams/spdy/session.ts";

/** What a request must say to become a WebSocket that carries SPDY; `ws` itself refuses the name of the protocol. */
export const tunnelHeaders = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Key": Buffer.from("0123456789abcdef").toString("base64"),
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Protocol": tunnelProtocol,
};

/** A session of port-forward inside a WebSocket, as kubectl has had it since 1.31. `asked` is a request with `tunnelHeaders`. */
export async function openTunnel(asked: ClientRequest): Promise<{ session: SpdySession; close(): void }> {
  asked.end();
  const [response, raw] = (await once(asked, "upgrade")) as [IncomingMessage, Duplex, Buffer];
  assert.equal(response.headers["sec-websocket-protocol"], tunnelProtocol);
  const session = startSpdy(createWebSocketStream(webSocketOver(raw)), { side: "client", onStream: () => {} });
  return {
    session,
    close() {
      session.close();
      raw.destroy();
    },
  };
}

/** One forwarded connection: what was answered, and what stood on the error stream. */
export async function forwardOne(session: SpdySession, id: number, port: number, input: string) {
  const headers = (streamtype: string) =>
    new Map(Object.entries({ streamtype, port: String(port), requestid: String(id) }));
  const error = await session.open(headers("error"));
  error.end();
  const data: SpdyStream = await session.open(headers("data"));
  const [said, problem] = [text(data), text(error)];
  data.end(input);
  return { said: await said, problem: await problem };
}

/** A client's WebSocket over a connection whose handshake is done. */
function webSocketOver(raw: Duplex): WebSocket {
  const socket = new WebSocket(null as unknown as string, undefined, { autoPong: true });
  const inner = socket as unknown as {
    _isServer: boolean;
    setSocket(socket: Duplex, head: Buffer, options: object): void;
  };
  inner._isServer = false;
  inner.setSocket(raw, Buffer.alloc(0), { maxPayload: 0, skipUTF8Validation: false, allowSynchronousEvents: true });
  return socket;
}
