import { getRandomValues } from "node:crypto";
import { connect } from "node:net";
import type { Clock } from "#base/clock.ts";
import { answersQuestion, parseMessage } from "#wire/dns/message.ts";
import { renderQuery } from "#wire/dns/response.ts";
import { udpSize, type Asked, type Exchange } from "./sockets.ts";

/** Asks over a TCP connection of its own: for answers that did not fit UDP. */
export function exchangeByTcp(
  { address, port }: { address: string; port: number },
  asked: Asked,
  timeout: number,
  clock: Clock,
): Promise<Exchange> {
  return new Promise((resolve) => {
    const id = getRandomValues(new Uint16Array(1))[0] as number;
    const socket = connect({ host: address, port });
    socket.unref();
    let received = Buffer.alloc(0);
    const done = (exchange: Exchange) => {
      cancel();
      socket.destroy();
      resolve(exchange);
    };
    const cancel = clock.after(timeout, () => done({ got: "timeout" }));
    socket.on("error", (error) => done({ got: "error", reason: error.message }));
    socket.on("close", () => done({ got: "error", reason: "closed without an answer" }));
    socket.on("connect", () => {
      const query = renderQuery(id, asked.question, { size: udpSize, do: asked.do, cd: asked.cd });
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = parseMessage(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (message !== undefined && answersQuestion(message, id, asked.question)) done({ got: "answer", message });
      else done({ got: "error", reason: "the answer does not belong to the question" });
    });
  });
}
