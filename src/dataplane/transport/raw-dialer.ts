import { isIP } from "node:net";
import type { Connecting, Connection, Dialer } from "./connection.ts";
import { errorOf, HandleConnection, type HandleTraits, type RawOptions } from "./raw.ts";
import { ReadBuffer } from "./read-buffer.ts";

/** Connects to addresses without TLS by handles, and everything else by `other`. */
export function createRawDialer(options: RawOptions, other: Dialer): Dialer {
  const spares: Buffer[] = [];
  return {
    connect(target, done) {
      const { address, port, halfOpen = false } = target;
      const family = target.tls ? 0 : isIP(address);
      if (family === 0) return other.connect(target, done);
      // Of requests, something may be needed after the connection has closed.
      const reader = new ReadBuffer(halfOpen ? spares : undefined);
      return connectRaw({ address, port, family, traits: { reader, halfOpen } }, done, options);
    },
  };
}

interface RawTarget {
  readonly address: string;
  readonly port: number;
  readonly family: number;
  readonly traits: HandleTraits;
}

function connectRaw(
  { address, port, family, traits }: RawTarget,
  done: (result: Connection | NodeJS.ErrnoException) => void,
  options: RawOptions,
): Connecting {
  const { handles, onFault } = options;
  const handle = handles.createTcp();
  let isOver = false;
  const finish = (status: number) => {
    if (isOver) return;
    isOver = true;
    try {
      if (status < 0) {
        handle.close(() => {});
        done(errorOf(status, "connect"));
      } else {
        done(new HandleConnection(handle, options, 0, traits));
      }
    } catch (error) {
      onFault(error);
    }
  };
  const request = handles.createConnectRequest();
  request.oncomplete = finish;
  request.address = address;
  request.port = port;
  handle.onread = () => undefined;
  const status = family === 6 ? handle.connect6(request, address, port) : handle.connect(request, address, port);
  // Whoever asks is told later in any case, so that it has our answer by then.
  if (status < 0) queueMicrotask(() => finish(status));
  return {
    cancel() {
      if (isOver) return;
      isOver = true;
      handle.close(() => {});
    },
  };
}
