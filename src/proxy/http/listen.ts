import { createServer } from "node:net";
import type { Listened, Place } from "./open.ts";

/**
 * The program that opens ports inside a network namespace: it listens, hands the sockets to the process that started it,
 * and ends when that lets go of it. A socket stays in the namespace it was made in, whoever holds it.
 */
process.on("disconnect", () => process.exit(0));
process.once("message", (places: readonly Place[]) => {
  for (const [index, { address, port, ipv6Only = false }] of places.entries()) {
    const socket = createServer();
    const tell = (answer: Listened, handed?: typeof socket) => process.send?.(answer, handed);
    socket.once("error", (error) => tell({ index, problem: error.message }));
    socket.listen({ host: address, port, exclusive: true, ipv6Only }, () => tell({ index }, socket));
  }
});
