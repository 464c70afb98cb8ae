import { connect } from "node:net";
import { wordOf } from "../exchange/ending.ts";
import type { Probe } from "./probe.ts";

/** Well when it takes a connection. */
export const askTcp: Probe = ({ endpoint: { address, port }, lookup }, heard) => {
  const socket = connect({ host: address, port, lookup });
  socket.once("connect", () => {
    socket.destroy();
    heard(undefined);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => heard(wordOf(error)));
  return () => socket.destroy();
};
