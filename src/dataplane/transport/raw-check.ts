import { createServer, type AddressInfo, type Server } from "node:net";
import { connect, createSecureContext, type TlsOptions } from "node:tls";
import { lent, type Connection } from "./connection.ts";
import { loadHandles, type Handles, type TcpHandle } from "./handles.ts";
import { SocketConnection } from "./public.ts";
import { acceptRaw, createRawDialer, HandleConnection, type RawOptions } from "./raw.ts";
import { shakeHands, type TlsStart } from "./raw-tls.ts";

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
    return (await echoes(handles, false)) && (await echoes(handles, true)) ? handles : undefined;
  } catch {
    return undefined;
  }
}

/** Sends bytes to itself and back over loopback, more than fit at once, and ends both sides in good order. */
async function echoes(handles: Handles, tls: boolean): Promise<boolean> {
  const server = createServer();
  const open = new Set<Connection>();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), patienceMs);
      server.once("error", () => resolve(false));
      const options = { handles, tls, onFault: () => resolve(false) };
      server.listen({ host: "127.0.0.1", port: 0 }, () => exchange(server, open, options, resolve));
    });
  } finally {
    clearTimeout(timer);
    for (const connection of open) connection.destroy();
    server.close();
  }
}

function exchange(server: Server, open: Set<Connection>, options: CheckOptions, tell: (isGood: boolean) => void): void {
  const { port } = server.address() as AddressInfo;
  const { onFault } = options;
  const taken = (connection: Connection) => {
    open.add(connection);
    echo(connection);
  };
  const take = (handle: TcpHandle) => {
    if (options.tls) shakeHands(handle, { ...options, localPort: port, start: anonymousStart() }, taken);
    else taken(new HandleConnection(handle, options, port));
  };
  if (!acceptRaw(server, { onFault, admits: () => true, take })) return tell(false);
  const made = (result: Connection | Error) => {
    if (result instanceof Error) return tell(false);
    open.add(result);
    hear(result, options.tls ? testBytes / 4 : testBytes, tell);
  };
  if (options.tls) {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...anonymous });
    socket.once("secureConnect", () => made(new SocketConnection(socket, onFault, 0)));
    socket.on("error", () => tell(false));
  } else {
    const dialer = createRawDialer(options, { connect: () => ({ cancel() {} }) });
    dialer.connect({ address: "127.0.0.1", port, tls: false, http2: false }, made);
  }
}

interface CheckOptions extends RawOptions {
  readonly tls: boolean;
}

/** TLS in which nobody shows a certificate; for this machine's word with itself there is none. */
const anonymous = {
  ciphers: "AECDH-AES128-SHA:@SECLEVEL=0",
  ca: [],
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
} satisfies TlsOptions;

function anonymousStart(): TlsStart {
  const protocols = Buffer.from("\x08http/1.1", "latin1");
  return { context: createSecureContext(anonymous), protocols, contextOf: () => undefined, stapleOf: () => undefined };
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

function hear(connection: Connection, length: number, tell: (isGood: boolean) => void): void {
  const bytes = Buffer.alloc(length, "0123456789abcdefghijklmnopqrstuvwxyz!");
  let heard = 0;
  let isSame = true;
  connection.handler = {
    onData(part, start, end) {
      isSame &&= part.compare(bytes, heard, heard + end - start, start, end) === 0;
      heard += end - start;
      if (heard >= length) connection.end();
    },
    onDrain() {},
    onEnd() {},
    onClose: (error) => tell(error === undefined && isSame && heard === length),
  };
  connection.write(bytes);
}
