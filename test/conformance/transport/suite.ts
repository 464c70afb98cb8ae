import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import {
  headroom,
  lent,
  sent,
  type Connection,
  type ConnectionHandler,
  type Dialer,
  type WriteResult,
} from "#dataplane/transport/connection.ts";
import { deadPort, listening } from "../../features/dataplane/harness.ts";

/** A transport, and what it tells of defects. */
export interface TestTransport {
  /** Absent where connections to endpoints are no matter of its own. */
  readonly dialer?: Dialer;
  /** What a client makes of the connection that it has opened. */
  readonly client?: (socket: Socket) => Promise<Socket>;
  /** Listens on loopback; resolves with the port. */
  listen(accept: (connection: Connection) => void): Promise<{ readonly port: number; readonly close: () => void }>;
  readonly faults: unknown[];
}

/** Writes down what happens to a connection. */
class Recorder implements ConnectionHandler {
  readonly connection: Connection;
  readonly events: string[] = [];
  readonly hash = createHash("sha256");
  bytes = 0;
  text = "";
  onBytes: (bytes: Buffer, start: number, end: number) => void = () => {};
  whenDrained: () => void = () => {};
  private watchers: (() => void)[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
    connection.handler = this;
  }

  private note(event: string): void {
    this.events.push(event);
    this.wake();
  }

  private wake(): void {
    for (const watcher of this.watchers.splice(0)) watcher();
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    this.hash.update(bytes.subarray(start, end));
    if (this.text.length < 1000) this.text += bytes.toString("latin1", start, end);
    this.onBytes(bytes, start, end);
    this.wake();
  }

  onEnd(): void {
    this.note("end");
  }

  onDrain(): void {
    this.events.push("drain");
    this.whenDrained();
    this.wake();
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    this.note(error === undefined ? "close" : `close ${error.code}`);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  closed(): Promise<void> {
    return this.until(() => this.events.some((event) => event.startsWith("close")));
  }
}

const patternOf = (length: number) => Buffer.alloc(length, "0123456789abcdefghijklmnopqrstuvwxyz!");
const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const large = patternOf(8 << 20);

interface Side {
  readonly own: Recorder;
  readonly other: Socket;
  /** Ends the other side by a reset. */
  readonly reset: () => void;
  readonly faults: unknown[];
}

/** What every `Connection` promises (`src/dataplane/transport/connection.ts`), held against one transport. */
export function describeTransport(name: string, open: () => Promise<TestTransport>, { tls = false } = {}): void {
  /** A connection of a client as the transport accepts it, and the client. */
  async function accepted(t: TestContext): Promise<Side & { server: Recorder; client: Socket }> {
    const transport = await open();
    const taken = Promise.withResolvers<Recorder>();
    const { port, close } = await transport.listen((connection) => taken.resolve(new Recorder(connection)));
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    t.after(() => {
      socket.destroy();
      close();
    });
    await once(socket, "connect");
    const client = (await transport.client?.(socket)) ?? socket;
    const server = await taken.promise;
    // What TLS itself still has to say after its handshake goes out.
    if (tls) await new Promise((resolve) => setImmediate(resolve));
    const reset = () => void socket.resetAndDestroy();
    return { server, client, own: server, other: client, reset, faults: transport.faults };
  }

  /** A connection to an endpoint as the transport makes it, and the endpoint's side. */
  async function dialed(t: TestContext): Promise<Side & { peer: Socket }> {
    const transport = await opened();
    const peer = Promise.withResolvers<Socket>();
    const port = await listening(
      t,
      createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("error", () => {});
        peer.resolve(socket);
      }),
    );
    const own = await new Promise<Recorder>((resolve, reject) => {
      transport.dialer.connect({ address: "127.0.0.1", port, tls: false, http2: false }, (result) => {
        if (result instanceof Error) reject(result);
        else resolve(new Recorder(result));
      });
    });
    t.after(() => own.connection.destroy());
    const other = await peer.promise;
    return { own, peer: other, other, reset: () => void other.resetAndDestroy(), faults: transport.faults };
  }

  async function opened(): Promise<TestTransport & { dialer: Dialer }> {
    const { dialer = assert.fail("nothing dials"), ...transport } = await open();
    return { ...transport, dialer };
  }

  const made: readonly [string, (t: TestContext) => Promise<Side>] = ["made", dialed];
  const sides = [["accepted", accepted] as const, ...(tls ? [] : [made])];

  describe(`transport: ${name}`, () => {
    for (const [side, start] of sides) {
      test(`${side}: what comes is told, in order and whole`, async (t) => {
        const { own, other } = await start(t);
        other.write(large);
        await own.until(() => own.bytes === large.length);
        assert.equal(own.hash.digest("hex"), hashOf(large));
      });

      test(`${side}: what is lent goes out later, and the end behind it`, async (t) => {
        const { own, other } = await start(t);
        other.pause();
        assert.equal(own.connection.write(large), lent);
        assert.equal(own.connection.blocked, true);
        assert.equal(own.connection.write(Buffer.from("tail")), lent);
        own.connection.end();
        const hash = createHash("sha256");
        let last = "";
        other.on("data", (bytes: Buffer) => {
          hash.update(bytes);
          last = (last + bytes.toString("latin1")).slice(-4);
        });
        const ended = new Promise((resolve) => other.once("end", resolve));
        other.resume();
        await ended;
        assert.equal(hash.digest("hex"), hashOf(Buffer.concat([large, Buffer.from("tail")])));
        assert.equal(last, "tail");
      });

      test(`${side}: who lent is told when all has gone, once, and may go on`, async (t) => {
        const { own, other } = await start(t);
        other.pause();
        const results: WriteResult[] = [own.connection.write(large), own.connection.write(large)];
        assert.deepEqual(results, [lent, lent]);
        let got = 0;
        other.on("data", (bytes: Buffer) => (got += bytes.length));
        other.resume();
        await own.until(() => own.events.includes("drain"));
        assert.equal(own.connection.blocked, false);
        assert.equal(own.connection.write(Buffer.from("x")), sent);
        while (got < 2 * large.length + 1) await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(own.events, ["drain"]);
      });

      test(`${side}: nothing is told between pause and resume`, async (t) => {
        const { own, other } = await start(t);
        own.connection.pause();
        other.write("hello");
        other.write(patternOf(100_000));
        for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        assert.equal(own.bytes, 0);
        own.connection.resume();
        await own.until(() => own.bytes === 100_005);
      });

      test(`${side}: when both sides have ended it closes, once and without an error`, async (t) => {
        const { own, other } = await start(t);
        other.end("last words");
        await own.closed();
        assert.equal(own.text, "last words");
        assert.deepEqual(own.events, ["end", "close"]);
        assert.equal(own.connection.closed, true);
      });

      test(`${side}: what is still to be written when the peer ends goes out before it closes`, async (t) => {
        const { own, other } = await start(t);
        other.pause();
        own.connection.write(large);
        other.end();
        await own.until(() => own.events.includes("end"));
        let got = 0;
        other.on("data", (bytes: Buffer) => (got += bytes.length));
        other.resume();
        await own.closed();
        while (got < large.length) await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(
          own.events.filter((event) => event !== "drain"),
          ["end", "close"],
        );
      });

      test(`${side}: a reset is told with its error`, async (t) => {
        const { own, reset } = await start(t);
        reset();
        await own.closed();
        assert.deepEqual(own.events, ["close ECONNRESET"]);
      });

      test(`${side}: destroyed, it closes once, and writes count as sent`, async (t) => {
        const { own, other } = await start(t);
        own.connection.write(large);
        own.connection.destroy();
        own.connection.destroy();
        own.connection.end();
        own.connection.pause();
        own.connection.resume();
        assert.equal(own.connection.write(Buffer.from("x")), sent);
        await own.closed();
        assert.equal(own.connection.write(Buffer.from("x")), sent);
        other.destroy();
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(own.events, ["close"]);
      });

      test(`${side}: a defect in its handler ends it, and nobody else`, async (t) => {
        const { own, other, faults } = await start(t);
        own.onBytes = () => {
          throw new Error("a defect");
        };
        other.write("x");
        await own.closed();
        assert.deepEqual(
          faults.map((fault) => (fault as Error).message),
          ["a defect"],
        );
      });

      test(`${side}: its handler can be replaced at any time`, async (t) => {
        const { own, other } = await start(t);
        let second: Recorder | undefined;
        own.onBytes = () => (second = new Recorder(own.connection));
        other.write("one");
        await own.until(() => own.bytes === 3);
        other.write("two");
        await second?.until(() => second?.bytes === 3);
        assert.equal(second?.text, "two");
        assert.equal(own.text, "one");
      });
    }

    test("an accepted connection knows who it is from", async (t) => {
      const { server, client } = await accepted(t);
      const { remoteAddress, remotePort, localPort, http2 } = server.connection;
      const expected = { remoteAddress: "127.0.0.1", remotePort: client.localPort, localPort: client.remotePort };
      assert.deepEqual({ remoteAddress, remotePort, localPort, http2 }, { ...expected, http2: false });
      assert.equal(server.connection.tls, tls);
    });

    test("what an accepted connection tells stays as it is: clients' bytes are looked at again", async (t) => {
      const { server, client } = await accepted(t);
      const kept: Buffer[] = [];
      server.onBytes = (bytes, start, end) => kept.push(bytes.subarray(start, end));
      client.write(patternOf(300_000));
      await server.until(() => server.bytes === 300_000);
      assert.ok(Buffer.concat(kept).equals(patternOf(300_000)));
    });

    if (tls) return;

    test("in front of what an endpoint sends there is room for a head", async (t) => {
      const { own, peer } = await dialed(t);
      own.onBytes = (bytes, start, end) => {
        assert.ok(start >= headroom);
        bytes.fill(0xaa, start - headroom, start);
        assert.ok(bytes.subarray(start, end).every((byte) => byte === 0x78));
      };
      peer.write("x".repeat(500_000));
      await own.until(() => own.bytes === 500_000);
    });

    test("bytes of an endpoint that were kept are not read over", async (t) => {
      const { own, peer } = await dialed(t);
      const kept: Buffer[] = [];
      own.onBytes = (bytes, start, end) => {
        kept.push(bytes.subarray(start, end));
        own.connection.keepReadBuffer();
      };
      peer.write(patternOf(2_000_000));
      await own.until(() => own.bytes === 2_000_000);
      assert.ok(Buffer.concat(kept).equals(patternOf(2_000_000)));
    });

    test("an endpoint that refuses is told with its error, later", async () => {
      const transport = await opened();
      const port = await deadPort();
      let isBack = false;
      const error = await new Promise<Connection | NodeJS.ErrnoException>((resolve) => {
        transport.dialer.connect({ address: "127.0.0.1", port, tls: false, http2: false }, (result) => {
          assert.ok(isBack);
          resolve(result);
        });
        isBack = true;
      });
      assert.equal((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
    });

    test("an address that cannot be reached is told later, too", async () => {
      const transport = await opened();
      let isBack = false;
      const error = await new Promise<Connection | NodeJS.ErrnoException>((resolve) => {
        // Broadcast: the kernel refuses it at once.
        transport.dialer.connect({ address: "255.255.255.255", port: 1, tls: false, http2: false }, (result) => {
          assert.ok(isBack);
          resolve(result);
        });
        isBack = true;
      });
      assert.ok(error instanceof Error);
    });

    test("a connection that is given up is told of to nobody", async (t) => {
      const transport = await opened();
      const seen = Promise.withResolvers<Socket>();
      const server = createServer((socket) => seen.resolve(socket));
      const port = await listening(t, server);
      const target = { address: "127.0.0.1", port, tls: false, http2: false };
      transport.dialer.connect(target, () => assert.fail("was told")).cancel();
      // One that comes later is told, so the first one would have been.
      const other = await new Promise<Connection | Error>((resolve) => void transport.dialer.connect(target, resolve));
      assert.ok(!(other instanceof Error));
      other.destroy();
      await seen.promise;
    });

    test("a thousand connections come and go", async (t) => {
      const transport = await opened();
      let closed = 0;
      const { port, close } = await transport.listen((connection) => {
        const server = new Recorder(connection);
        server.onBytes = (bytes, start, end) => {
          connection.write(Buffer.from(bytes.subarray(start, end)));
          connection.end();
        };
        void server.closed().then(() => (closed += 1));
      });
      t.after(close);
      for (let round = 0; round < 20; round += 1) {
        const echoes = Array.from({ length: 50 }, async (_, index) => {
          const own = await new Promise<Recorder>((resolve, reject) => {
            transport.dialer.connect({ address: "127.0.0.1", port, tls: false, http2: false }, (result) => {
              if (result instanceof Error) reject(result);
              else resolve(new Recorder(result));
            });
          });
          own.connection.write(Buffer.from(`hello ${round} ${index}`));
          await own.closed();
          return own.text;
        });
        const texts = await Promise.all(echoes);
        for (const [index, text] of texts.entries()) assert.equal(text, `hello ${round} ${index}`);
      }
      while (closed < 1000) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(transport.faults, []);
    });
  });
}

/** The port that a server listens on. */
export function portOf(address: AddressInfo | string | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}
