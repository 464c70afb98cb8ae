import { createServer, type AddressInfo, type Server } from "node:net";
import { lent, type Connection } from "./connection.ts";
import { loadHandles, type Handles } from "./handles.ts";
import { acceptRaw, createRawDialer, type RawOptions } from "./raw.ts";

/** The versions of Node whose handles are as `handles.ts` describes them. */
const known = /^v26\./;

/** More than a socket takes at once, so that writes are waited for. */
const testBytes = 4 << 20;
/** A check that takes longer has failed. */
const patienceMs = 3_000;

let checked: Promise<Handles | undefined> | undefined;

/** The handles of this Node where they do what we need of them, found out once a thread; `undefined` where they do not. */
export function usableHandles(): Promise<Handles | undefined> {
  return (checked ??= check());
}

async function check(): Promise<Handles | undefined> {
  const handles = known.test(process.version) ? loadHandles() : undefined;
  if (handles === undefined) return undefined;
  try {
    return (await echoes(handles)) ? handles : undefined;
  } catch {
    return undefined;
  }
}

/** Sends bytes to itself and back over loopback, more than fit at once, and ends both sides in good order. */
async function echoes(handles: Handles): Promise<boolean> {
  const server = createServer();
  const open = new Set<Connection>();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), patienceMs);
      server.once("error", () => resolve(false));
      const options = { handles, onFault: () => resolve(false) };
      server.listen({ host: "127.0.0.1", port: 0 }, () => exchange(server, open, options, resolve));
    });
  } finally {
    clearTimeout(timer);
    for (const connection of open) connection.destroy();
    server.close();
  }
}

function exchange(server: Server, open: Set<Connection>, options: RawOptions, tell: (isGood: boolean) => void): void {
  const { port } = server.address() as AddressInfo;
  const accepts = acceptRaw(
    server,
    port,
    (connection) => {
      open.add(connection);
      echo(connection);
    },
    { ...options, admits: () => true },
  );
  if (!accepts) return tell(false);
  const dialer = createRawDialer(options, { connect: () => ({ cancel() {} }) });
  dialer.connect({ address: "127.0.0.1", port, tls: false, http2: false }, (result) => {
    if (result instanceof Error) return tell(false);
    open.add(result);
    hear(result, tell);
  });
}

/** Sends back what it hears, at the pace of the other side. */
function echo(connection: Connection): void {
  connection.handler = {
    onData(bytes, start, end) {
      if (connection.write(bytes.subarray(start, end)) !== lent) return;
      connection.keepReadBuffer();
      connection.pause();
    },
    onDrain: () => connection.resume(),
    onEnd: () => connection.end(),
    onClose() {},
  };
}

function hear(connection: Connection, tell: (isGood: boolean) => void): void {
  const bytes = Buffer.alloc(testBytes, "0123456789abcdefghijklmnopqrstuvwxyz!");
  let heard = 0;
  let isSame = true;
  connection.handler = {
    onData(part, start, end) {
      isSame &&= part.compare(bytes, heard, heard + end - start, start, end) === 0;
      heard += end - start;
      if (heard >= testBytes) connection.end();
    },
    onDrain() {},
    onEnd() {},
    onClose: (error) => tell(error === undefined && isSame && heard === testBytes),
  };
  connection.write(bytes);
}
