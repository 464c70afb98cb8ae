import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { SocketConnection, createPublicDialer } from "#dataplane/transport/public.ts";
import { acceptRaw, createRawDialer } from "#dataplane/transport/raw.ts";
import { usableHandles } from "#dataplane/transport/raw-check.ts";
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
      assert.ok(acceptRaw(server, port, accept, { ...options, admits: () => true }));
      return { port, close: () => void server.close() };
    },
  };
});

test("the Node that this program is run by has the handles that it wants", async () => {
  assert.notEqual(await usableHandles(), undefined);
});
