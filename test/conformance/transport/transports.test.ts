import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { connect, createSecureContext, createServer as createTlsServer } from "node:tls";
import { SocketConnection, createPublicDialer } from "#dataplane/transport/public.ts";
import type { TcpHandle } from "#dataplane/transport/handles.ts";
import { acceptRaw, createRawDialer, HandleConnection } from "#dataplane/transport/raw.ts";
import { shakeHands } from "#dataplane/transport/raw-tls.ts";
import { usableHandles } from "#dataplane/transport/raw-check.ts";
import { makePair } from "../../fakes/certificate.ts";
import { describeTransport, portOf } from "./suite.ts";

describeTransport("sockets", async () => {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  return {
    faults,
    dialer: createPublicDialer(onFault),
    async listen(accept) {
      const server = createServer({ noDelay: true });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const port = portOf(server.address());
      server.on("connection", (socket) => accept(new SocketConnection(socket, onFault, port)));
      return { port, close: () => void server.close() };
    },
  };
});

describeTransport("handles", async () => {
  const handles = (await usableHandles()) ?? assert.fail("this Node's handles are not as they are described");
  const faults: unknown[] = [];
  const options = { handles, onFault: (error: unknown) => void faults.push(error) };
  return {
    faults,
    dialer: createRawDialer(options, createPublicDialer(options.onFault)),
    async listen(accept) {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const port = portOf(server.address());
      const take = (handle: TcpHandle) => accept(new HandleConnection(handle, options, port));
      assert.ok(acceptRaw(server, { onFault: options.onFault, admits: () => true, take }));
      return { port, close: () => void server.close() };
    },
  };
});

/** Makes TLS of a connection as a client that looks at no certificate; it may end its side and hear on. */
async function secured(socket: Socket): Promise<Socket> {
  const client = connect({ socket, servername: "edge.example", rejectUnauthorized: false });
  client.on("error", () => {});
  await once(client, "secureConnect");
  return client;
}

const { cert, key } = await makePair("edge.example");

describeTransport(
  "sockets with TLS",
  async () => {
    const faults: unknown[] = [];
    return {
      faults,
      client: secured,
      async listen(accept) {
        const server = createTlsServer({ cert, key, noDelay: true });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const port = portOf(server.address());
        server.on("secureConnection", (socket) =>
          accept(new SocketConnection(socket, (error) => faults.push(error), port)),
        );
        return { port, close: () => void server.close() };
      },
    };
  },
  { tls: true },
);

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  describeTransport(
    `handles with ${version}`,
    async () => {
      const handles = (await usableHandles()) ?? assert.fail("this Node's handles are not as they are described");
      const faults: unknown[] = [];
      const onFault = (error: unknown) => void faults.push(error);
      const context = createSecureContext({ cert, key, minVersion: version, maxVersion: version });
      const start = {
        context,
        protocols: Buffer.from("\x08http/1.1"),
        contextOf: () => undefined,
        stapleOf: () => undefined,
      };
      return {
        faults,
        client: secured,
        async listen(accept) {
          const server = createServer();
          await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
          const port = portOf(server.address());
          const take = (handle: TcpHandle) =>
            void shakeHands(handle, { handles, onFault, localPort: port, start }, accept);
          assert.ok(acceptRaw(server, { onFault, admits: () => true, take }));
          return { port, close: () => void server.close() };
        },
      };
    },
    { tls: true },
  );
}

test("the Node that this program is run by has the handles that it wants", async () => {
  assert.notEqual(await usableHandles(), undefined);
});
