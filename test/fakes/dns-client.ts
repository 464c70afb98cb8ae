import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { parseMessage, type Message } from "#wire/dns/message.ts";
import { classIn, types } from "#wire/dns/numbers.ts";
import { nameFromText } from "#wire/dns/name.ts";
import { renderQuery } from "#wire/dns/response.ts";

export interface At {
  readonly address: string;
  readonly port: number;
}

/** A packet that asks for a name, as a stub resolver builds it. */
export function queryFor(
  name: string,
  type: string,
  options: { id?: number; size?: number; do?: boolean } = {},
): Buffer {
  const wire = nameFromText(name);
  if (wire === undefined) throw new Error(`not a name: ${name}`);
  const number = types[type as keyof typeof types] ?? Number(type.replace("TYPE", ""));
  const { id = 1234, size } = options;
  const question = { name: wire, type: number, class: classIn };
  const query = renderQuery(id, question, { size: size ?? 0, edns: size !== undefined, do: options.do });
  return Buffer.from(query);
}

/** Sends a packet from a socket of its own; resolves with the first answer, or `undefined` after `patience` ms. */
export function sendUdp(at: At, packet: Uint8Array, patience = 5_000): Promise<Buffer | undefined> {
  const socket = createSocket(at.address.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve, reject) => {
    const finish = (answer: Buffer | undefined) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), patience);
    socket.on("error", reject);
    socket.on("message", finish);
    socket.send(packet, at.port, at.address);
  });
}

/** Sends the packets on one connection; resolves with the answers in the order they came, once all are there or it ends. */
export function sendTcp(at: At, packets: readonly Uint8Array[], answers = packets.length): Promise<Buffer[]> {
  const socket = connect({ host: at.address, port: at.port });
  const found: Buffer[] = [];
  let received = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => resolve(found));
    for (const packet of packets) socket.write(framed(packet));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        found.push(Buffer.from(received.subarray(2, 2 + length)));
        received = received.subarray(2 + length);
      }
      if (found.length >= answers) socket.destroy();
    });
  });
}

export function framed(packet: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return Buffer.concat([length, packet]);
}

export function read(packet: Uint8Array | undefined): Message {
  if (packet === undefined) throw new Error("no answer");
  const message = parseMessage(packet);
  if (message === undefined) throw new Error(`not a message: ${Buffer.from(packet).toString("hex")}`);
  return message;
}
