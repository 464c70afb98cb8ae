import type { Connection, ConnectionHandler } from "../transport/connection.ts";

/** For connections whose end nobody needs to hear of. */
export const silent: ConnectionHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** Closes a connection to an endpoint for good. */
export function closeConnection(connection: Connection): void {
  connection.handler = silent;
  connection.destroy();
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timed out",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOTFOUND: "name not found",
  EFORBIDDEN: "the name leads to this machine itself",
};

/** What happened to a connection, in the word that failures use. */
export function wordOf(error: NodeJS.ErrnoException): string {
  return words[error.code ?? ""] ?? error.code ?? "failed";
}
