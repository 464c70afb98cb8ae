import type { Server } from "node:net";
import type { TcpHandle } from "./handles.ts";
import type { OnFault } from "./public.ts";

/** What takes the connections of a listening server before the server makes sockets of them. */
export interface RawAccept {
  readonly onFault: OnFault;
  readonly admits: () => boolean;
  /** Gets each handle. */
  readonly take: (handle: TcpHandle) => void;
  /** Whether a connection that comes now is to be a socket after all. */
  readonly leaves?: () => boolean;
}

/** Returns false when this server has no such handle; then nothing has changed. */
export function acceptRaw(server: Server, { onFault, admits, take, leaves }: RawAccept): boolean {
  const listening = (server as unknown as { _handle?: ListeningHandle })._handle;
  const usual = listening?.onconnection;
  if (listening === undefined || typeof usual !== "function") return false;
  listening.onconnection = (status, handle) => {
    // Too many files are open, for example: the connection waits in the kernel, or is gone.
    if (status !== 0 || handle === undefined) return;
    if (leaves?.() === true) {
      usual.call(listening, status, handle);
      return;
    }
    handle.onread = () => undefined;
    if (!admits()) {
      handle.close(() => {});
      return;
    }
    try {
      take(handle);
    } catch (error) {
      onFault(error);
    }
  };
  return true;
}

interface ListeningHandle {
  onconnection: ((status: number, handle: TcpHandle | undefined) => void) | undefined;
}
